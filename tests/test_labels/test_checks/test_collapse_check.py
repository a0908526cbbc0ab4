"""Alarms over made-up labels: silent where both lists are drawn from the same images."""
import re

import numpy as np
import pytest

from mmseg_wss.labels.checks.collapse_check import MaskCounts, collapse_warning, find_collapses

CLASSES = 'background', 'cow', 'sheep', 'sky', 'bird', 'pole'
FREQUENCY = 0.3, 0.2, 0.5, 0.1, 0.15  # of the objects, in images
SIDES = (8, 12), (2, 7), (9, 16), (1, 4), (1, 2)  # of their squares, in images of 16x16


def draw_masks(number, seed):
    rng = np.random.default_rng(seed)
    masks = np.zeros((number, 16, 16), np.uint8)
    for mask in masks:
        for label, (frequency, sides) in enumerate(zip(FREQUENCY, SIDES), 1):
            if rng.random() < frequency:
                side = rng.integers(*sides)
                y, x = rng.integers(0, 17 - side, 2)
                mask[y:y + side, x:x + side] = label
    return masks


def count(masks, empty=()):
    counts = MaskCounts()
    for number, mask in enumerate(masks):
        counts.add(str(number), mask, number in empty)
    return counts


def find(weak, strong, **options):
    return find_collapses(weak, strong, len(CLASSES), **options)


STRONG = count(draw_masks(60, 0))
WEAK = draw_masks(225, 1)


def test_counts_are_those_of_numpy():
    masks = draw_masks(20, 2)
    masks[:, 0] = 255
    counts = MaskCounts()
    for number, mask in enumerate(masks):
        counts.add(number % 7, mask, number % 7 == 3)
    assert np.array_equal(counts.pixels, np.bincount(masks.ravel(), minlength=256))
    for label in 0, 1, 4, 5, 255:
        assert counts.images_with(label) == len(
            {number % 7 for number, mask in enumerate(masks) if (mask == label).any()})
    assert counts.images_with(1, 2) == len(
        {number % 7 for number, mask in enumerate(masks) if np.isin(mask, (1, 2)).any()})
    assert counts.labelled == 20 * 15 * 16 and counts.empty == {3}
    known = sum((masks[number] < 255).sum() for number in range(3, 20, 7))
    assert counts.empty_pixels == known
    objects = ((masks > 0) & (masks < 255)).sum()
    assert counts.object_share == objects / (counts.labelled - known)


def test_counts_of_ranks_are_added():
    masks = draw_masks(20, 3)
    whole, parts = MaskCounts(), [MaskCounts(), MaskCounts()]
    for number, mask in enumerate(masks):
        for counts in whole, parts[number % 2]:
            counts.add(number // 3, mask, number < 6)
    joined = parts[0] + parts[1]
    assert np.array_equal(joined.pixels, whole.pixels) and joined.shown == whole.shown
    assert (joined.empty, joined.empty_pixels) == (whole.empty, whole.empty_pixels)


@pytest.mark.parametrize('num_strong, num_weak', [(5, 30), (15, 270), (60, 225), (300, 3000)])
def test_lists_of_the_same_images_are_no_collapse(num_strong, num_weak):
    for seed in range(100 if num_weak < 3000 else 5):
        masks = draw_masks(num_strong + num_weak, 100 + seed)
        assert find(count(masks[num_strong:]), count(masks[:num_strong])) == {}


def without(label):
    masks = WEAK.copy()
    masks[masks == label] = 0
    return count(masks)


def full_of(label, share):
    masks = WEAK.copy()
    masks[:, :round(16 * share)] = label
    return count(masks)


def kept(share):
    masks = WEAK.copy()
    masks[:, round(16 * share):] = 255
    masks[:200] = 255
    return count(masks)


@pytest.mark.parametrize('weak, found', [
    (without(1), dict(hidden=[1])), (without(4), dict(hidden=[4])),
    (full_of(4, 0.5), dict(swollen=[4])), (full_of(5, 1), dict(hidden=[1, 2, 3, 4], swollen=[5])),
    (full_of(1, 0.9), dict(swollen=[1])),
    (count(0 * WEAK), dict(background=[0])), (kept(0.4), dict(unlabelled=[255])),
    (count(0 * WEAK + 255), dict(unlabelled=[255])), (kept(0.5), {}),
    (count(WEAK), {}), (count(0 * WEAK[:9]), {})])
def test_collapses(weak, found):
    assert find(weak, STRONG) == found


def test_a_class_of_few_strong_images_may_be_missing():
    """k of S strong images show it, and none of W others: C(S, k) / C(S + W, k) by accident."""
    strong = MaskCounts()
    for number in range(60):
        strong.add(str(number), np.full((16, 16), number < 5, np.uint8))
    others = np.zeros((225, 16, 16), np.uint8)
    others[:, :2] = 2
    assert find(count(others), strong) == {}  # (60 / 285) ** 5 = 4e-4
    strong.add('5', np.ones((16, 16), np.uint8))
    assert find(count(others), strong) == dict(hidden=[1])  # (60 / 285) ** 6 = 9e-5
    others[:40] = 255  # they do not show what they have
    assert find(count(others), strong) == {}


def test_points_have_few_pixels_and_other_shares():
    masks = np.full_like(WEAK, 255)
    masks[:, 3, 4], masks[:, 8, 8:10], masks[:, 5, 5] = 0, 4, 1
    masks[::2, 8, 8], masks[::2, 4, 4] = 2, 3
    masks[::9, 0, 0] = 5
    assert find(count(masks), STRONG, is_partial=True) == {}
    assert find(count(masks), STRONG) == dict(unlabelled=[255])
    masks[masks == 4] = 255
    assert find(count(masks), STRONG, is_partial=True) == dict(hidden=[4])
    assert find(count(0 * masks + 255), STRONG, is_partial=True) == dict(unlabelled=[255])


def test_images_that_are_known_to_be_empty_are_background_rightly():
    masks = WEAK.copy()
    masks[:215] = 0
    assert find(count(masks, empty=range(215)), STRONG) == {}
    assert find(count(0 * masks, empty=range(225)), STRONG).keys() <= {'hidden'}
    assert find(count(0 * masks, empty=range(200)), STRONG) == dict(background=[0])


def test_without_strong_images():
    assert find(count(WEAK), MaskCounts()) == {}
    assert find(full_of(1, 1), MaskCounts()) == {}
    assert find(count(0 * WEAK), MaskCounts()) == dict(background=[0])
    assert find(kept(0.2), MaskCounts()) == dict(unlabelled=[255])


@pytest.mark.parametrize('weak, strong, said', [
    (without(1), STRONG, r'none of 1\d\d images with objects shows cow \(\d+ of 60 strong images'),
    (full_of(4, 0.5), STRONG, r'bird has 5\d.\d% of the labelled pixels \(0.\d% of those of 60 '),
    (count(0 * WEAK), STRONG, r'0.00% of the labelled pixels of 225 images are objects \(3\d.\d% '),
    (count(0 * WEAK), MaskCounts(), '0.00% of the labelled pixels of 225 images are objects, the'),
    (kept(0.2), STRONG, 'only 2.1% of the pixels of 225 images are labelled')])
def test_words(weak, strong, said):
    (what, labels), = find(weak, strong).items()
    words = collapse_warning(what, labels, weak, strong, CLASSES)
    assert re.match(said, words)
