"""GrabCut on painted pictures, where the object is known."""
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from mmseg_wss.proposals import grabcut_masks, rect_masks


def painted(seed=0, shape=(60, 80)):
    """A disc on a ground of another colour, with noise: image, the disc, its tight box."""
    rng = np.random.default_rng(seed)
    y, x = np.indices(shape)
    disc = (y - 32) ** 2 + (x - 45) ** 2 < 15 ** 2
    image = np.full((*shape, 3), (40, 90, 160))
    image[disc] = (190, 60, 40)
    image = (image + rng.normal(0, 12, image.shape)).clip(0, 255).astype(np.uint8)
    rows, columns = np.flatnonzero(disc.any(1)), np.flatnonzero(disc.any(0))
    return image, disc, np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def test_it_finds_the_object_in_its_box():
    image, disc, box = painted()
    mask, = grabcut_masks(image, box[None])
    assert iou(mask, disc) > 0.98
    assert iou(rect_masks(box[None], disc.shape)[0], disc) < 0.85


def test_it_finds_two_objects_and_stays_in_their_boxes():
    image, disc, box = painted()
    image[3:13, 4:18] = (20, 200, 30)
    boxes = np.array([[1.2, 0.4, 21.7, 16.6], box])
    masks = grabcut_masks(image, boxes)
    square = np.zeros_like(disc)
    square[3:13, 4:18] = True
    assert iou(masks[0], square) > 0.95 and iou(masks[1], disc) > 0.95
    assert not (masks & ~rect_masks(boxes, disc.shape)).any()


def test_the_image_may_be_read_only():
    image, disc, box = painted()
    image.setflags(write=False)
    assert iou(grabcut_masks(image, box[None])[0], disc) > 0.98


def textured(seed=0):
    """Noise, in which the random start decides."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (8, 10, 3), dtype=np.uint8)
    return cv2.resize(image, (80, 64), interpolation=cv2.INTER_CUBIC)


BOXES = np.array([[10, 8, 50, 40], [30, 20, 75, 60], [5, 30, 30, 62]], float)


def test_a_mask_depends_on_nothing_that_ran_before():
    image = textured()
    first = grabcut_masks(image, BOXES)
    cv2.setRNGSeed(12345)
    grabcut_masks(textured(1), BOXES)
    assert (grabcut_masks(image, BOXES[::-1])[::-1] == first).all()
    for box, mask in zip(BOXES, first):
        assert (grabcut_masks(image, box[None])[0] == mask).all()


def test_nor_on_threads():
    image = textured()
    first = grabcut_masks(image, BOXES)
    threads = cv2.getNumThreads()
    try:
        for number in (1, 4):
            cv2.setNumThreads(number)
            assert (grabcut_masks(image, BOXES) == first).all()
    finally:
        cv2.setNumThreads(threads)
    with ThreadPoolExecutor(3) as pool:
        for masks in pool.map(lambda _: grabcut_masks(image, BOXES), range(6)):
            assert (masks == first).all()


@pytest.mark.parametrize('box', [
    (0, 0, 20, 16), (-5, -5, 30, 30),  # all of the image
    (0, 0, 20, 15.8), (7, 5, 8, 6), (7, 5, 9, 7)])  # all but nothing, one pixel, four
def test_where_nothing_can_be_compared_the_object_is_its_box(box):
    image = np.random.default_rng(0).integers(0, 256, (16, 20, 3), dtype=np.uint8)
    boxes = np.array([box], float)
    assert (grabcut_masks(image, boxes) == rect_masks(boxes, (16, 20))).all()


@pytest.mark.parametrize('shape', [(1, 1), (1, 4), (2, 3), (3, 3)])
def test_tiny_images(shape):
    boxes = np.array([[0, 0, 1, 1], [0, 0, 4, 4]], float)
    masks = grabcut_masks(np.full((*shape, 3), 7, np.uint8), boxes)
    assert (masks == rect_masks(boxes, shape)).all()


@pytest.mark.parametrize('level', [0, 128, 255])
def test_in_a_uniform_picture_the_object_is_its_box(level):
    boxes = np.array([[5, 6, 20, 18]], float)
    masks = grabcut_masks(np.full((30, 40, 3), level, np.uint8), boxes)
    assert (masks == rect_masks(boxes, (30, 40))).all()


def test_a_share_below_the_least_gives_the_box():
    image, disc, _ = painted()
    box = np.array([[8, 4, 76, 58]], float)
    share = disc.sum() / (68 * 54)
    assert iou(grabcut_masks(image, box, min_share=share * 0.9)[0], disc) > 0.95
    whole = grabcut_masks(image, box, min_share=share * 1.1)
    assert (whole == rect_masks(box, disc.shape)).all()


def test_no_box_and_boxes_without_a_pixel():
    image = painted()[0]
    assert grabcut_masks(image, np.zeros((0, 4))).shape == (0, 60, 80)
    beside = np.array([[90, 10, 95, 20], [10.6, 10, 11.4, 20]])
    assert not grabcut_masks(image, beside).any()


def test_no_iteration_is_refused():
    with pytest.raises(ValueError, match='iterations must be at least 1; got 0'):
        grabcut_masks(painted()[0], BOXES, iterations=0)
