"""The pixels of an object, from the ways in which COCO writes its outline.

The format is that of https://cocodataset.org/#format-data and of pycocotools, which the tests
compare with.
"""
from typing import NamedTuple

import numpy as np

_LARGEST = 1e9  # coordinates are below it; NaN is not
_FAR = 10  # corners are nearer to the image than so many times its longer side
_MOST_CORNERS = 10000  # of an object, or as many as its image has pixels: a typing error above
_BLOCK = 1 << 16  # crossings of edges and rows that are worked on at a time


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
        ValueError: it is neither, or contradicts itself or the image, or its corners are far
            outside the image or more than its pixels (and than 10,000); the message continues a
            sentence that begins with "its outline".
    """
    if isinstance(segmentation, dict):
        return Region(0, 0, _run_length_mask(segmentation, shape))
    if not isinstance(segmentation, list) or not segmentation:
        raise ValueError('is missing: neither polygons nor run lengths')
    polygons = [_points(polygon, number, shape) for number, polygon in enumerate(segmentation, 1)]
    corners, most = sum(map(len, polygons)), max(_MOST_CORNERS, shape[0] * shape[1])
    if corners > most:
        raise ValueError(f'has {corners} corners, but the image has {shape[0] * shape[1]} pixels: '
                         f'at most {most} corners are read')
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
    and leave none between them. The memory that this takes grows with the pixels and with the
    corners, not with their product.

    Args:
        points (np.ndarray): float (P, 2), corners (x, y) in pixels; the last is joined to the
            first.
        shape (tuple): (H, W).

    Returns:
        np.ndarray: bool (H, W).
    """
    height, width = shape
    starts, ends = points, np.roll(points, -1, axis=0)
    # the rows whose centres are between the ends of an edge
    top = np.ceil(np.minimum(starts[:, 1], ends[:, 1]) - 0.5).clip(0, height).astype(int)
    bottom = np.ceil(np.maximum(starts[:, 1], ends[:, 1]) - 0.5).clip(0, height).astype(int)
    # in uint8 a sum may overflow, which leaves its last bit as it is
    crossings = np.zeros((height, width + 1), np.uint8)
    for block in _blocks(bottom - top):
        _add_crossings(crossings, starts[block], ends[block], top[block], bottom[block])
    inside = np.cumsum(crossings[:, :width], axis=1, dtype=np.uint8)
    inside &= 1
    return inside.view(bool)


def _blocks(counts):
    """Slices of edges, of about `_BLOCK` crossings each, or of one edge with more."""
    total, number, begin = np.cumsum(counts), len(counts), 0
    while begin < number:
        before = total[begin] - counts[begin]
        end = max(begin + 1, int(np.searchsorted(total, before + _BLOCK, 'right')))
        yield slice(begin, end)
        begin = end


def _add_crossings(crossings, starts, ends, top, bottom):
    """Count, in `crossings`, uint8 (H, W + 1), where edges cross the centres of their rows.

    The edges (M) go from `starts` to `ends`, (M, 2), and cross the rows from `top` to before
    `bottom`. A crossing counts for the first pixel whose centre is not left of it.
    """
    (x1, y1), (x2, y2), count = starts.T, ends.T, bottom - top
    edge = np.repeat(np.arange(len(count)), count)
    row = np.arange(len(edge)) + np.repeat(top - np.cumsum(count) + count, count)
    x1, y1, x2, y2 = x1[edge], y1[edge], x2[edge], y2[edge]
    place = x1 + (row + 0.5 - y1) * (x2 - x1) / (y2 - y1)
    columns = crossings.shape[1]
    column = np.ceil(place - 0.5).clip(0, columns - 1).astype(int)
    np.add.at(crossings.ravel(), row * columns + column, np.uint8(1))


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
    counts, found = segmentation.get('counts'), segmentation.get('size')
    if found != list(shape):
        raise ValueError(f'has run lengths of an image of size {str(found)[:40]}, but its image is '
                         f'{list(shape)} (height, width)')
    counts = decode_counts(counts) if isinstance(counts, str) else _numbers(counts)
    size = shape[0] * shape[1]
    if (counts is None or (counts < 0).any() or (counts > size).any()
            or (counts != np.floor(counts)).any() or counts.sum() != size):
        raise ValueError('has run lengths that are not whole numbers which add up to height times '
                         f'width, {size}')
    runs = np.repeat(np.arange(len(counts)) % 2 == 1, counts.astype(np.int64))
    return runs.reshape(shape[::-1]).T  # they go down the columns


def _points(polygon, number, shape):
    values = _numbers(polygon)
    if values is None or len(values) % 2 or not len(values):
        raise ValueError(f'has a polygon (number {number}) that is no list x1, y1, x2, y2, ... of '
                         'finite numbers')
    points, (height, width) = values.reshape(-1, 2), shape
    far = _FAR * max(shape)
    outside = ((points < -far) | (points > (width + far, height + far))).any(1)
    if outside.any():
        x, y = points[outside.argmax()]
        raise ValueError(f'has a polygon (number {number}) with the corner ({x:g}, {y:g}), far '
                         f'outside the image of {width}x{height} pixels')
    return points


def _numbers(values):
    """As float64 (M,), or None if they are not such numbers."""
    try:
        values = np.asarray(values, np.float64)
    except (OverflowError, TypeError, ValueError):
        return None
    return values if values.ndim == 1 and (abs(values) < _LARGEST).all() else None
