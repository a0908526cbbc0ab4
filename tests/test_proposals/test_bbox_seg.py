"""Bbox-Seg: probabilities by hand, masks on painted pictures."""
import sys

import cv2
import numpy as np
import pytest

from mmseg_wss.proposals import bbox_seg_masks, bbox_seg_probs, rect_masks
from mmseg_wss.proposals.bbox_seg import centre_window


def eroded(window, alpha):
    """By erosion of a mask, step by step."""
    x1, y1, x2, y2 = window
    mask = np.zeros((y2 + 2, x2 + 2), np.uint8)
    mask[y1:y2, x1:x2] = 1
    area = mask.sum()
    while mask.sum() >= (alpha + .05) * area:
        mask = cv2.erode(mask, np.ones((3, 3), np.uint8))
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


@pytest.mark.parametrize('width, height', [
    (13, 10), (10, 13), (11, 11), (10, 100), (11, 200), (99, 12), (40, 40), (41, 40), (64, 33)])
def test_the_centre_is_what_erosion_leaves(width, height):
    window = np.array([3, 2, 3 + width, 2 + height])
    assert centre_window(window).tolist() == eroded(window, .2)
    for alpha in (.4, .6, .8):
        assert centre_window(window, alpha).tolist() == eroded(window, alpha)


@pytest.mark.parametrize('alpha', [0, 1, float('nan')])
def test_a_share_that_is_none(alpha):
    with pytest.raises(ValueError, match='between 0 and 1; got'):
        bbox_seg_masks(np.zeros((9, 9, 3), np.uint8), np.array([[1., 1, 8, 8]]), np.array([1]),
                       alpha)


@pytest.mark.parametrize('width, height', [(10, 12), (9, 60), (60, 9), (1, 1), (0, 5)])
def test_small_boxes_have_no_ring(width, height):
    window = np.array([3, 2, 3 + width, 2 + height])
    assert (centre_window(window) == window).all()


def test_probabilities_of_one_box():
    """20x20: 5 steps leave 10x10, just a quarter, so a sixth: 8x8."""
    probs = bbox_seg_probs(np.array([[4., 6, 24, 26]]), np.array([2]), (40, 30), 3)
    assert probs.shape == (3, 40, 30) and probs.dtype == np.float32
    expected = np.zeros((40, 30))
    expected[6:26, 4:24] = .5
    expected[12:20, 10:18] = .75
    assert np.allclose(probs[2], expected, atol=1e-6)
    assert np.allclose(probs[0], 1 - expected, atol=1e-6)
    assert (probs[1] < 1e-11).all() and (probs > 0).all()
    assert np.allclose(probs[2, 0], 1e-12, rtol=1e-3)


def test_overlaps_are_averaged_over_the_boxes_that_speak_of_a_class():
    boxes = np.array([[0., 0, 20, 20], [10, 0, 30, 20]])  # centres: columns 6..14 and 16..24
    probs = bbox_seg_probs(boxes, np.array([1, 2]), (20, 30), 3)
    # left centre over right ring: background (.25 + .5) / 2, classes .75 and .5; the sum is 1.625
    assert np.allclose(probs[:, 10, 12], np.array([.375, .75, .5]) / 1.625)
    # ring over ring
    assert np.allclose(probs[:, 0, 12], np.array([.5, .5, .5]) / 1.5)
    # left ring over right centre; the right box is the later one, so .1 for the first occluder
    assert np.allclose(probs[:, 10, 18], np.array([.375, .5, .85]) / 1.725)
    # away from the overlap nobody knows of the other
    assert np.allclose(probs[:, 10, 22], [.25, 0, .75], atol=1e-6)


def test_overlaps_of_one_class():
    boxes = np.array([[0., 0, 20, 20], [10, 0, 30, 20]])
    probs = bbox_seg_probs(boxes, np.array([1, 1]), (20, 30), 2)
    assert np.allclose(probs[:, 10, 12], [.375, .625])
    assert np.allclose(probs[:, 10, 18], np.array([.375, .625 + .05]) / 1.05)


def test_the_second_occluder_is_the_stronger_and_the_smaller_box_is_in_front():
    """Small boxes are all centre; both lie in the ring of the large one, listed last."""
    boxes = np.array([[1., 1, 4, 5], [1, 50, 4, 53], [0, 0, 60, 60]])
    probs = bbox_seg_probs(boxes, np.array([1, 2, 3]), (60, 60), 4)
    assert np.allclose(probs[:, 2, 2], np.array([.375, .75 + .1, 0, .5]) / 1.725, atol=1e-6)
    assert np.allclose(probs[:, 51, 2], np.array([.375, 0, .75 + .2, .5]) / 1.825, atol=1e-6)


def test_probabilities_sum_to_one_and_the_outside_is_background():
    rng = np.random.default_rng(0)
    start = rng.uniform(-5, 40, (8, 2))
    boxes = np.hstack([start, start + rng.uniform(0, 35, (8, 2))])
    probs = bbox_seg_probs(boxes, rng.integers(1, 5, 8), (50, 60), 5)
    assert np.allclose(probs.sum(0), 1, atol=1e-5)
    outside = ~rect_masks(boxes, (50, 60)).any(0)
    assert outside.any() and (probs[0][outside] == 1).all()
    assert (bbox_seg_probs(boxes[:0], [], (5, 6), 2)[0] == 1).all()


def two_discs():
    y, x = np.indices((60, 90))
    discs = np.stack([(y - 30) ** 2 + (x - 25) ** 2 < 16 ** 2, (y - 28) ** 2 + (x - 64) ** 2 < 300])
    image = np.full((60, 90, 3), (40, 90, 160), np.uint8)
    image[discs[0]], image[discs[1]] = (190, 60, 40), (20, 200, 40)
    boxes = [(x[disc].min(), y[disc].min(), x[disc].max() + 1, y[disc].max() + 1) for disc in discs]
    return image, discs, np.array(boxes, float)


@pytest.mark.parametrize('labels', [(5, 2), (7, 7)])
def test_it_finds_the_objects_in_their_boxes(labels):
    image, discs, boxes = two_discs()
    masks = bbox_seg_masks(image, boxes, np.array(labels))
    assert masks.dtype == bool
    for mask, disc, rect in zip(masks, discs, rect_masks(boxes, (60, 90))):
        assert (mask & disc).sum() / (mask | disc).sum() > 0.97
        assert (rect & disc).sum() / rect.sum() < 0.85
        assert not (mask & ~rect).any()


def test_without_pairs_a_mask_is_where_the_class_leads():
    """The ring is a tie, so the centre alone is certain."""
    image, _, boxes = two_discs()
    masks = bbox_seg_masks(image, boxes, np.array([1, 2]), compat_gaussian=0, compat_bilateral=0)
    for window, mask in zip(boxes.astype(int), masks):
        x1, y1, x2, y2 = centre_window(window)
        assert mask[y1:y2, x1:x2].all()


def test_boxes_of_one_class_may_share_pixels():
    image, discs, boxes = two_discs()
    wide = boxes[0] + [-2, -2, 2, 2]
    masks = bbox_seg_masks(image, np.stack([boxes[0], wide]), np.array([4, 4]))
    assert (masks.all(0) & discs[0]).sum() > 0.9 * discs[0].sum()


def test_a_uniform_picture():
    """No edge to hold on to: the object is one piece around the centre, the outside background."""
    boxes = np.array([[20., 15, 60, 50]])
    mask, = bbox_seg_masks(np.full((70, 80, 3), 99, np.uint8), boxes, np.array([1]))
    assert not (mask & ~rect_masks(boxes, (70, 80))[0]).any()
    assert cv2.connectedComponents(mask.astype(np.uint8))[0] <= 2


def test_nothing_to_segment_needs_no_library(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pydensecrf', None)
    monkeypatch.setitem(sys.modules, 'mmseg_wss.ops.permutohedral.numba_lattice', None)
    image = np.zeros((6, 7, 3), np.uint8)
    assert bbox_seg_masks(image, np.zeros((0, 4)), np.zeros(0, int)).shape == (0, 6, 7)
    assert not bbox_seg_masks(image, np.array([[8., 0, 9, 5]]), np.array([1])).any()
    with pytest.raises(ImportError, match='pip install pydensecrf2'):
        bbox_seg_masks(image, np.array([[1., 1, 4, 4]]), np.array([1]), backend='pydensecrf')
