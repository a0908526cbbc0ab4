"""What a labelling tool says of images, whatever its format."""
from array import array
from dataclasses import dataclass, field
from typing import NamedTuple, Optional
from unicodedata import normalize

import numpy as np

_LARGEST = 1e9  # coordinates are below it; NaN is not
BACKGROUND_NAMES = 'background', '_background_', '__background__'


class Runs(NamedTuple):
    """Pixels of an object as run lengths along the rows of a window, the first of those outside."""
    top: int
    left: int
    height: int
    width: int
    counts: array  # whole numbers


class ColourMask(NamedTuple):
    """A mask of the whole image in colours."""
    path: str
    colours: dict  # (red, green, blue) -> class name; None: ignored


class Shape(NamedTuple):
    """Something that a person drew.

    kind says what `data` is, in pixels of the image:

    - 'region': polygons or run lengths of COCO (`outline_region`), or `Runs`
    - 'box': (x1, y1, x2, y2)
    - 'scribble': float (P, 2), corners x, y of a line
    - 'point': float (P, 2), points x, y
    """
    kind: str
    name: str  # of its class
    data: object
    place: str  # where it is in the file, for messages
    level: int = 0  # what has a higher one lies on top
    is_ignored: bool = False


class LabelledImage(NamedTuple):
    """An image and its labels."""
    path: str  # of the image file
    source: str  # the file of its labels, for messages
    size: Optional[tuple]  # (H, W) as the tool says, or None
    shapes: list
    tags: tuple = ()  # names of classes
    is_labelled: bool = True  # with no shape and no tag: known to be empty, or nobody looked
    split: str = ''  # 'train', 'val', 'test', or '' where the tool knows none
    mask: Optional[ColourMask] = None


@dataclass
class Labels:
    """What a reader has found.

    classes (list[str]): names without the background, in the tool's own order.
    notes (list[str]): what was left out or assumed, for the user.
    faults (list[str]): "FILE: what; remedy."; images with one are not among `images`.
    """
    images: list = field(default_factory=list)
    classes: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    faults: list = field(default_factory=list)


def run_lengths(pixels):
    """The counts of `Runs` of bool (N,)."""
    changes = np.flatnonzero(np.diff(pixels)) + 1
    lengths = np.diff([0, *changes.tolist(), len(pixels)]).tolist()
    return array('q', [0, *lengths] if pixels[0] else lengths)


def class_name(value):
    """The name of a class in Unicode's NFC, with single blanks; ValueError if it is none."""
    name = normalize('NFC', ' '.join(value.split())) if isinstance(value, str) else ''
    if not name or not name.isprintable():
        raise ValueError(f'has no class name but {str(value)[:40]!r}')
    return name


def coordinates(values, columns=2):
    """Numbers as float64 (P, `columns`); ValueError if they are no such list."""
    try:
        numbers = np.asarray(values, np.float64)
        numbers = numbers.reshape(-1, columns)
    except (OverflowError, TypeError, ValueError):
        raise ValueError(f'has no list of {columns} coordinates each') from None
    if not (len(numbers) and (abs(numbers) < _LARGEST).all()):
        raise ValueError('has coordinates that are no finite numbers, or none')
    return numbers


def corners_box(points):
    """The box (x1, y1, x2, y2) around points (P, 2)."""
    return (*points.min(0).tolist(), *points.max(0).tolist())


def ellipse_polygon(centre, radii, angle=0., corners=72):
    """COCO's list of polygons for an ellipse; `angle` in degrees, clockwise on the screen."""
    turns = np.arange(corners) * (2 * np.pi / corners)
    points = np.stack([np.cos(turns) * radii[0], np.sin(turns) * radii[1]], 1)
    return polygon(turned(points, angle) + centre)


def turned(points, angle):
    """Points (P, 2) about the origin, by `angle` degrees, clockwise on the screen."""
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return points @ np.array([[cos, sin], [-sin, cos]])


def polygon(points):
    """COCO's list of one polygon, of corners (P, 2).

    Raises:
        ValueError: fewer than three.
    """
    if len(points) < 3:
        raise ValueError(f'is a polygon of {len(points)} corner(s)')
    return [array('d', points.ravel().tolist())]
