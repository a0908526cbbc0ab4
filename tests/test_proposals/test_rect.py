"""Masks of boxes, pixel by pixel."""
import numpy as np
import pytest

from mmseg_wss.proposals import rect_masks


def test_a_pixel_is_in_the_mask_when_its_centre_is_in_the_box():
    rng = np.random.default_rng(0)
    corners = np.sort(rng.uniform(-3, 15, (20, 2, 2)), axis=1)
    boxes = corners.reshape(20, 4)
    masks = rect_masks(boxes, (9, 12))
    assert masks.dtype == bool and masks.shape == (20, 9, 12)
    for (x1, y1, x2, y2), mask in zip(boxes, masks):
        for y, x in np.ndindex(mask.shape):
            assert mask[y, x] == (x1 <= x + .5 < x2 and y1 <= y + .5 < y2)


@pytest.mark.parametrize('boxes', [np.zeros((0, 4)), np.zeros((0, 4), np.float32)])
def test_no_box_gives_no_mask(boxes):
    assert rect_masks(boxes, (3, 4)).shape == (0, 3, 4)
