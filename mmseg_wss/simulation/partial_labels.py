"""Points and scribbles that a person could have drawn, from a mask: labels of a few pixels."""
from typing import NamedTuple

import cv2
import numpy as np

from mmseg_wss.labels.checks.label_check import IGNORE, label_values
from mmseg_wss.labels.objects import labelled_instances
from mmseg_wss.simulation.scribble_path import inner_distance, medial_path

_WELL_INSIDE = 0.5  # of the largest distance to the outline: where a point may lie
_SUBPIXEL = 3  # bits behind the point, for OpenCV's drawing


class Region(NamedTuple):
    """Pixels that belong together: an object, or a piece of the background."""
    label: int  # class index
    pixels: np.ndarray  # bool (H, W)


def object_regions(mask, instances=None, min_area=1):
    """Split the objects of a mask.

    An instance is the pixels of its id that have the class of most of its labelled pixels. Objects
    that are in no instance are 8-connected pieces of one class.

    Args:
        mask (np.ndarray): uint8 (H, W), class indices, 255 void.
        instances (np.ndarray, optional): int (H, W), an id for each object, 0 none, 255 void.
        min_area (int): regions of fewer pixels are left out.

    Returns:
        list[Region]: instances by ascending id, then pieces by ascending class.
    """
    regions = []
    rest = np.where(mask == IGNORE, 0, mask)
    if instances is not None:
        regions = [Region(label, pixels & (mask == label))
                   for label, pixels in labelled_instances(instances, mask)]
        rest[instances != 0] = 0
    for label in label_values(rest):
        if label:
            count, pieces = cv2.connectedComponents(
                (rest == label).astype(np.uint8), connectivity=8)
            regions += [Region(label, pieces == i) for i in range(1, count)]
    return [region for region in regions if np.count_nonzero(region.pixels) >= max(min_area, 1)]


def background_region(mask, min_area=1):
    """The largest 8-connected piece of the background: a list of one `Region`, or of none.

    Args:
        mask, min_area: see `object_regions`.
    """
    pixels = largest_piece(mask == 0)
    return [Region(0, pixels)] if np.count_nonzero(pixels) >= max(min_area, 1) else []


def draw_points(regions, shape, rng, radius=3):
    """Draw a point for each region: a disc around a pixel well inside, without what lies outside.

    The pixel is drawn with a chance in proportion to its distance to the outline, among those that
    are at least half of the largest such distance away. A region that is listed twice gets two
    points that keep away from each other.

    Args:
        regions (Sequence[Region]): none without a pixel.
        shape (tuple): (H, W).
        rng (np.random.Generator): source of all randomness.
        radius (float): of the disc, in pixels; 0 for single pixels.

    Returns:
        np.ndarray: uint8 (H, W), class indices, 255 unlabelled. A point is one 8-connected piece.
    """
    labels = np.full(shape, IGNORE, np.uint8)
    for label, pixels in regions:
        free = largest_piece(pixels & (labels == IGNORE))
        if free.any():  # else a region listed twice, and full
            labels[_point(free, rng, radius)] = label
    return labels


def draw_scribbles(regions, shape, rng, width=3):
    """Draw a scribble for each region: a stroke along its middle (`medial_path`).

    Args:
        regions, shape, rng: see `draw_points`.
        width (int): of the stroke, in pixels, odd.

    Returns:
        np.ndarray: uint8 (H, W), class indices, 255 unlabelled. A scribble is one 8-connected piece
        within the largest piece of its region.
    """
    labels = np.full(shape, IGNORE, np.uint8)
    for label, pixels in regions:
        labels[_scribble(largest_piece(pixels), rng, width)] = label
    return labels


def largest_piece(pixels):
    """The largest 8-connected piece of bool (H, W); empty where there is no pixel."""
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(pixels.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return pieces == 1 + areas.argmax() if len(areas) else np.zeros(pixels.shape, bool)


def _point(pixels, rng, radius):
    distance = inner_distance(pixels)
    rows, columns = np.nonzero(distance >= _WELL_INSIDE * distance.max())
    chances = distance[rows, columns]
    chosen = rng.choice(len(rows), p=chances / chances.sum())
    row, column = rows[chosen], columns[chosen]
    y, x = np.ogrid[:pixels.shape[0], :pixels.shape[1]]
    disc = pixels & ((y - row) ** 2 + (x - column) ** 2 <= radius ** 2)
    _, pieces = cv2.connectedComponents(disc.astype(np.uint8), connectivity=8)
    return pieces == pieces[row, column]


def _scribble(pixels, rng, width):
    rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    region = pixels[window]
    path = medial_path(region, rng)
    path = np.concatenate([path, path[-1:]])  # OpenCV draws nothing from a single point
    # one pixel of margin: OpenCV 4 leaves out what lies half a pixel beyond the edge
    corners = np.rint((path[:, None, ::-1] + 1) * 2 ** _SUBPIXEL).astype(np.int32)
    stroke = np.zeros(np.add(region.shape, 2), np.uint8)
    cv2.polylines(stroke, [corners], False, 1, shift=_SUBPIXEL)
    stroke = stroke[1:-1, 1:-1]
    # not by OpenCV's thickness: round joints of many short pieces make a line wider than asked
    stroke = cv2.dilate(stroke, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)))
    scribble = np.zeros(pixels.shape, bool)
    scribble[window] = largest_piece((stroke > 0) & region)
    return scribble
