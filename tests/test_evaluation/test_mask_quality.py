"""Scores of masks against counts by hand, pixel by pixel, and against mmseg's metric."""
import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch
from mmseg.evaluation.metrics import IoUMetric

from mmseg_wss.evaluation import agreement_scores, confusion_counts, mask_scores, trimap

K = 4


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        yield


def random_masks(seed, shape=(9, 11), labels=(0, 1, 2, 255)):
    """A truth and a mask that is right half of the time; class 3 is in neither."""
    rng = np.random.default_rng(seed)
    truth, mask = rng.choice(labels, (2, *shape)).astype(np.uint8)
    return truth, np.where(rng.random(shape) < 0.5, truth, mask)


def share(pixels, of):
    """Share of the pixels `of` that are in `pixels`, both sets."""
    return float(Fraction(len(pixels & of), len(of))) if of else math.nan


def brute_force(truth, mask):
    """The definitions in words, with sets of pixels."""
    def where(condition):
        return {pixel for pixel in np.ndindex(truth.shape) if condition(truth[pixel], mask[pixel])}

    valid = where(lambda t, m: t != 255)
    kept = where(lambda t, m: t != 255 and m != 255)
    right = where(lambda t, m: t == m != 255)
    true = [where(lambda t, m, k=k: t == k) for k in range(K)]
    painted = [where(lambda t, m, k=k: m == k) & valid for k in range(K)]
    scores = dict(
        precision=[share(right, painted[k]) for k in range(K)],
        recall=[share(right & painted[k], true[k]) for k in range(K)],
        class_coverage=[share(kept, true[k]) for k in range(K)],
        iou=[share(painted[k] & true[k], (painted[k] | true[k]) & kept) for k in range(K)],
        iou_all=[share(painted[k] & true[k], painted[k] | true[k]) for k in range(K)],
        fg_precision=share(right, set().union(*painted[1:])),
        fg_recall=share(right, set().union(*true[1:])),
        coverage=share(kept, valid), fg_coverage=share(kept, set().union(*true[1:])))
    for name in ('iou', 'iou_all'):
        scores[f'm{name}'] = np.mean([value for value in scores[name] if not math.isnan(value)])
    return scores


@pytest.mark.parametrize('seed', range(8))
def test_scores_are_those_of_their_definitions(seed):
    truth, mask = random_masks(seed)
    scores, expected = mask_scores(confusion_counts(truth, mask, K)), brute_force(truth, mask)
    assert scores.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(scores[name], value, rtol=1e-12, err_msg=name)
    assert np.isnan(scores['iou'][3])


@pytest.mark.parametrize('seed', range(3))
def test_iou_without_ignored_pixels_is_that_of_mmseg(seed):
    rng = np.random.default_rng(seed)
    truth = rng.choice([0, 1, 2, 255], (30, 40)).astype(np.uint8)
    mask = rng.integers(0, 3, (30, 40), dtype=np.uint8)
    areas = IoUMetric.intersect_and_union(torch.tensor(mask), torch.tensor(truth), K, 255)
    theirs = IoUMetric.total_area_to_metrics(*areas, metrics=['mIoU', 'mFscore'])
    ours = mask_scores(confusion_counts(truth, mask, K))
    for name, their_name in dict(
            iou='IoU', iou_all='IoU', recall='Acc', precision='Precision').items():
        np.testing.assert_allclose(ours[name], theirs[their_name], rtol=1e-6)
    assert ours['miou'] == pytest.approx(np.nanmean(theirs['IoU']))


def test_a_mask_that_keeps_nothing_has_no_precision_and_no_iou():
    truth, _ = random_masks(0)
    scores = mask_scores(confusion_counts(truth, np.full_like(truth, 255), K))
    for name in ('precision', 'iou', 'miou', 'fg_precision'):
        assert np.isnan(scores[name]).all(), name
    assert scores['coverage'] == scores['fg_coverage'] == 0
    np.testing.assert_array_equal(scores['class_coverage'], [0, 0, 0, np.nan])
    assert scores['fg_recall'] == scores['miou_all'] == 0


def test_without_a_pixel_no_score_exists():
    assert all(np.isnan(value).all() for value in mask_scores(np.zeros((K + 1, K + 1))).values())


@pytest.mark.parametrize('first, second, classes, message', [
    (np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), 2, 'of one shape'),
    (np.zeros((2, 3), np.int64), np.zeros((2, 3), np.uint8), 2, 'uint8'),
    (np.zeros((2, 3), np.uint8), np.full((2, 3), 2, np.uint8), 2, r'0\.\.1 or 255.*\[2\]'),
    (np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.uint8), 256, 'num_classes')])
def test_what_cannot_be_counted_is_refused(first, second, classes, message):
    with pytest.raises(ValueError, match=message):
        confusion_counts(first, second, classes)


@pytest.mark.parametrize('width', [1, 2, 3, 5])
def test_the_trimap_has_the_pixels_that_are_near_to_another_label(width):
    rng = np.random.default_rng(width)
    coarse = rng.choice([0, 1, 2, 255], (4, 5), p=[0.6, 0.2, 0.1, 0.1]).astype(np.uint8)
    truth = np.kron(coarse, np.ones((7, 8), np.uint8))[:25, 3:]
    near = trimap(truth, width)
    pixels = list(np.ndindex(truth.shape))
    for y, x in pixels:
        expected = truth[y, x] != 255 and any(
            truth[v, u] != truth[y, x] for v, u in pixels
            if (v - y)**2 + (u - x)**2 <= width**2)
        assert near[y, x] == expected


@pytest.mark.parametrize('label', [0, 2, 255])
def test_one_label_has_no_boundary(label):
    assert not trimap(np.full((6, 7), label, np.uint8), 3).any()


def test_a_trimap_without_width_is_refused():
    with pytest.raises(ValueError, match='at least 1'):
        trimap(np.zeros((3, 3), np.uint8), 0)


@pytest.mark.parametrize('seed', range(4))
def test_agreement_is_that_of_its_definition(seed):
    first, second = random_masks(seed)
    scores = agreement_scores(confusion_counts(first, second, K))
    both = (first != 255) & (second != 255)
    assert scores['agree'] == pytest.approx((both & (first == second)).mean())
    assert scores['differ'] == pytest.approx((both & (first != second)).mean())
    assert scores['one_ignores'] == pytest.approx(((first == 255) ^ (second == 255)).mean())
    assert scores['both_ignore'] == pytest.approx(((first == 255) & (second == 255)).mean())
    for k in range(3):
        a, b = first[both] == k, second[both] == k
        assert scores['iou'][k] == pytest.approx((a & b).sum() / (a | b).sum())
    assert np.isnan(scores['iou'][3])
