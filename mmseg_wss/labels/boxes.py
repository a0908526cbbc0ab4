"""Boxes: their pixels, and what identifies them."""
import hashlib
import json

import numpy as np


def pixel_windows(boxes, shape):
    """The pixels of each box: those whose centre lies inside it.

    Args:
        boxes (np.ndarray): (M, 4), (x1, y1, x2, y2) in pixels, half-open.
        shape (tuple): (H, W) of the image.

    Returns:
        np.ndarray: int64 (M, 4), (x1, y1, x2, y2), half-open and within the image; of no area where
        a box holds no pixel's centre.
    """
    limits = np.array([shape[1], shape[0]] * 2)
    return np.ceil(np.asarray(boxes, np.float64).reshape(-1, 4) - 0.5).astype(np.int64).clip(
        0, limits)


def tight_box(pixels):
    """The box (x1, y1, x2, y2), half-open, of a bool (H, W) map that is not empty."""
    rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def box_areas(boxes):
    """Areas (M,) of boxes (M, 4) in square pixels."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def box_ious(boxes, box):
    """IoU of each of N boxes (N, 4) with one box (4,): float64 (N,)."""
    sides = np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2])
    common = sides.clip(0).prod(1)
    return common / (box_areas(boxes) + box_areas(box[None]) - common)


def box_hash(names, boxes):
    """A hash of an image's objects, to know a mask that was made for other boxes.

    Args:
        names (Sequence[str]): M class names.
        boxes (np.ndarray): (M, 4), in pixels; differences below 0.01 do not count.

    Returns:
        str: 16 hexadecimal digits; the same for any order of the objects.
    """
    objects = sorted([name, *(round(float(x), 2) + 0. for x in box)]
                     for name, box in zip(names, boxes))
    return hashlib.sha256(json.dumps(objects).encode()).hexdigest()[:16]
