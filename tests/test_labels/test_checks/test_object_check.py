import numpy as np
import pytest

from mmseg_wss.labels.checks.object_check import contradicts_objects

CLASSES = 'background', 'cat', 'dog'


def mask_of(*squares):
    """8x8 pixels of background with squares (label, x, y, side)."""
    mask = np.zeros((8, 8), np.uint8)
    for label, x, y, side in squares:
        mask[y:y + side, x:x + side] = label
    return mask


CAT = [('cat', (0, 0, 4, 4))]
BOTH = CAT + [('dog', (4, 4, 8, 8))]
VOID = np.full((8, 8), 255, np.uint8)


@pytest.mark.parametrize('mask, objects, truth, made', [
    (mask_of((1, 0, 0, 4)), CAT, False, False),
    (mask_of((2, 0, 0, 4)), CAT, True, True),  # another class
    (mask_of((1, 4, 4, 4)), CAT, True, True),  # another place
    (mask_of((1, 2, 0, 4)), CAT, False, False),  # 8 of 16 pixels inside: half is not most
    (mask_of((1, 3, 0, 4)), CAT, True, True),  # 4 of 16 inside
    (mask_of((1, 0, 0, 4), (2, 4, 4, 4)), BOTH, False, False),
    (mask_of((2, 0, 0, 4), (1, 4, 4, 4)), BOTH, True, True),  # each in the box of the other
    (mask_of((1, 0, 0, 4)), BOTH, False, False),  # one of two may be hidden
    (mask_of((1, 0, 0, 4)), [], True, True),
    (mask_of((1, 0, 0, 4)), [('bird', (0, 0, 4, 4))], None, None),  # boxes of other classes
    (mask_of(), CAT, True, None),  # a person would have drawn it
    (mask_of(), [], False, None),
    (VOID, CAT, None, None),
    (np.where(mask_of((1, 0, 0, 4)) == 1, 1, 255).astype(np.uint8), CAT, False, False)])
def test_a_mask_and_boxes(mask, objects, truth, made):
    names, boxes = [name for name, _ in objects], np.array([box for _, box in objects], float)
    for is_truth, expected in (True, truth), (False, made):
        assert contradicts_objects(mask, names, boxes, CLASSES, is_truth) is expected
