"""The pixels of an object, from the ways in which COCO writes its outline.

The format is that of https://cocodataset.org/#format-data and of pycocotools, which the tests
compare with.
"""
from typing import NamedTuple

import numpy as np

_LARGEST = 1e9  # coordinates are below it; NaN is not


class Region(NamedTuple):
    """Pixels of an object, within a window of its image."""
    top: int  # first row of the window
    left: int  # its first column
    mask: np.ndarray  # bool (h, w), the pixels of the window that are the object's


def outline_region(segmentation, shape):
    """The pixels of a ``segmentation`` of COCO.

    Args:
        segmentation (list | dict): polygons, sequences x1, y1, x2, y2, ... in pixels, whose union
            is meant; or run lengths, ``dict(size=[H, W], counts=...)``, with counts a sequence of
            numbers or, compressed, a str.
        shape (tuple): (H, W) of the image. What of a polygon lies outside is cut off.

    Returns:
        Region: without a pixel where the polygons cover the centre of none.

    Raises:
        ValueError: it is neither, or contradicts itself or the image; the message continues a
            sentence that begins with "its outline".
    """
    if isinstance(segmentation, dict):
        return Region(0, 0, _run_length_mask(segmentation, shape))
    if not isinstance(segmentation, list) or not segmentation:
        raise ValueError('is missing: neither polygons nor run lengths')
    polygons = [_points(polygon, number) for number, polygon in enumerate(segmentation, 1)]
    # a pixel whose centre is left of, or above, this is outside
    points = np.concatenate(polygons)
    limits = np.array(shape[::-1])
    left, top = np.ceil(points.min(0) - 0.5).clip(0, limits).astype(int).tolist()
    right, bottom = np.ceil(points.max(0) - 0.5).clip(0, limits).astype(int).tolist()
    mask = np.zeros((bottom - top, right - left), bool)
    if mask.size:
        for polygon in polygons:
            mask |= even_odd_mask(polygon - (left, top), mask.shape)
    return Region(top, left, mask)


def even_odd_mask(points, shape):
    """The pixels whose centres lie inside a polygon.

    Pixel (row y, column x) has its centre at (x + 0.5, y + 0.5); it is inside if a ray from there
    to the left crosses an odd number of edges. So two polygons that share an edge share no pixel,
    and leave none between them.

    Args:
        points (np.ndarray): float (P, 2), corners (x, y) in pixels; the last is joined to the
            first.
        shape (tuple): (H, W).

    Returns:
        np.ndarray: bool (H, W).
    """
    height, width = shape
    (x1, y1), (x2, y2) = points.T, np.roll(points, -1, axis=0).T
    # the rows whose centres are between the ends of an edge
    top = np.ceil(np.minimum(y1, y2) - 0.5).clip(0, height).astype(int)
    bottom = np.ceil(np.maximum(y1, y2) - 0.5).clip(0, height).astype(int)
    count = bottom - top
    edge = np.repeat(np.arange(len(count)), count)
    row = np.arange(len(edge)) + np.repeat(top - np.cumsum(count) + count, count)
    x1, y1, x2, y2 = x1[edge], y1[edge], x2[edge], y2[edge]
    crossing = x1 + (row + 0.5 - y1) * (x2 - x1) / (y2 - y1)
    column = np.ceil(crossing - 0.5).clip(0, width).astype(int)  # the first one to the right of it
    crossings = np.bincount(row * (width + 1) + column, minlength=height * (width + 1))
    # in uint8 the sum may overflow, which leaves its last bit as it is
    inside = np.cumsum(crossings.reshape(height, width + 1)[:, :width], axis=1, dtype=np.uint8) & 1
    return inside.astype(bool)


def decode_counts(text):
    """The run lengths of COCO's compressed format.

    Each number is written in groups of 5 bits, the lowest first, a character of the code 48 + group
    for each; bit 5 says that the number goes on, and bit 4 of its last group is its sign. From the
    fourth on, a number is the difference from the one two places before.

    Args:
        text (str): the compressed run lengths.

    Returns:
        np.ndarray: int64 (M,).

    Raises:
        ValueError: no such text.
    """
    codes = np.frombuffer(text.encode('utf-8', 'surrogatepass'), np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero(codes & 32 == 0)
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(int)
    lengths = ends + 1 - starts
    if not len(codes) or codes.min() < 0 or codes.max() > 63 or codes[-1] & 32 or max(lengths) > 8:
        raise ValueError(f'has counts that are no compressed run lengths ({text[:40]!r})')
    place = np.arange(len(codes)) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((codes & 31) << 5 * place, starts)
    numbers -= (codes[ends] >> 4 & 1) << 5 * lengths
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def _run_length_mask(segmentation, shape):
    counts, size = segmentation.get('counts'), segmentation.get('size')
    if size != list(shape):
        raise ValueError(f'has run lengths of an image of size {str(size)[:40]}, but its image is '
                         f'{list(shape)} (height, width)')
    counts = decode_counts(counts) if isinstance(counts, str) else _numbers(counts)
    if (counts is None or (counts < 0).any() or (counts != np.floor(counts)).any()
            or counts.sum() != shape[0] * shape[1]):
        raise ValueError('has run lengths that are not whole numbers which add up to height times '
                         f'width, {shape[0] * shape[1]}')
    runs = np.repeat(np.arange(len(counts)) % 2 == 1, counts.astype(np.int64))
    return runs.reshape(shape[::-1]).T  # they go down the columns


def _points(polygon, number):
    values = _numbers(polygon)
    if values is None or len(values) % 2 or not len(values):
        raise ValueError(f'has a polygon (number {number}) that is no list x1, y1, x2, y2, ... of '
                         'finite numbers')
    return values.reshape(-1, 2)


def _numbers(values):
    """As float64 (M,), or None if they are not such numbers."""
    try:
        values = np.asarray(values, np.float64)
    except (OverflowError, TypeError, ValueError):
        return None
    return values if values.ndim == 1 and (abs(values) < _LARGEST).all() else None
