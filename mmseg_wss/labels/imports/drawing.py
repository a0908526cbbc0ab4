"""Masks, boxes, points and scribbles from the shapes of an image."""
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from mmseg_wss.errors import DataError
from mmseg_wss.labels.boxes import box_ious, pixel_windows, tight_box
from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.labels.converters.semantic_mask import paint_regions
from mmseg_wss.labels.formats.mask_file import read_mask
from mmseg_wss.labels.formats.outlines import Region, outline_region
from mmseg_wss.labels.imports.records import Runs

RADIUS = 3  # of a drawn point, pixels
WIDTH = 3  # of a drawn scribble
_SAME_OBJECT = 0.5  # IoU of a box and the box of a region from which they are one object
_FAR = 10  # points are nearer to the image than so many times its longer side


@dataclass
class Drawn:
    """The labels of an image in the forms of a devkit; None: it has none of the form.

    mask, scribbles, points: uint8 (H, W), class indices, 255 ignored or unlabelled
    names, boxes: M class names and (M, 4) whole numbers, half-open, of regions and boxes
    left_out: what -> how often, for the user
    """
    mask: object = None
    scribbles: object = None
    points: object = None
    names: list = field(default_factory=list)
    boxes: list = field(default_factory=list)
    left_out: Counter = field(default_factory=Counter)


def draw_shapes(shapes, labels, shape):
    """Draw the shapes of an image.

    Where regions overlap, the higher level of the tool is on top, and of one level the smaller
    region (`paint_regions`). If an image has regions, the pixels of a box that is not around one of
    its regions are 255: there is an object of unknown outline.

    Args:
        shapes (Sequence[Shape]): of classes that `labels` has, or ignored.
        labels (dict): class name -> index.
        shape (tuple): (H, W) of the image.

    Returns:
        Drawn

    Raises:
        ValueError: shapes that are wrong, all named; the message continues the name of their file.
    """
    drawn, faults, by_kind = Drawn(), [], {}
    for item in shapes:
        by_kind.setdefault(item.kind, []).append(item)
    regions = _regions(by_kind.get('region', ()), shape, faults)
    boxes = _boxes(by_kind.get('box', ()), shape, faults)
    for kind, draw in (('point', _draw_points), ('scribble', _draw_line)):
        if kind in by_kind:
            setattr(drawn, f'{kind}s', _partial_mask(by_kind[kind], labels, shape, draw, faults))
    if faults:
        raise ValueError('; '.join(faults))
    kept = [(item, region) for item, region in regions if region.mask.any()]
    drawn.left_out['shapes that cover the centre of no pixel'] = len(regions) - len(kept) + sum(
        not _has_area(box) for _, box in boxes)
    boxes = [(item, box) for item, box in boxes if _has_area(box)]
    outlined = [(item, _outer_box(region)) for item, region in kept]
    alone = [(item, box) for item, box in boxes
             if item.is_ignored or not _is_outlined(item.name, box, outlined)]
    for item, box in [*outlined, *alone]:
        if not item.is_ignored and labels[item.name]:
            drawn.names.append(item.name)
            drawn.boxes.append(box)
    if kept:
        drawn.mask = _mask(kept, alone, labels, shape)
        drawn.left_out['boxes around no region, 255 in a mask'] = sum(
            not item.is_ignored for item, _ in alone)
    else:
        drawn.left_out['ignored boxes, which boxed images cannot have'] = sum(
            item.is_ignored for item, _ in boxes)
    return drawn


def _regions(shapes, image_shape, faults):
    """(shape, Region) of each; what is wrong goes into `faults`."""
    found = []
    for item in shapes:
        try:
            region = (_runs_region(item.data, image_shape) if isinstance(item.data, Runs)
                      else outline_region(item.data, image_shape))
        except ValueError as error:
            faults.append(f'{item.place} ({item.name}): its outline {error}')
        else:
            found.append((item, region))
    return found


def _runs_region(runs, image_shape):
    top, left, height, width, counts = runs
    if not (0 <= top and 0 <= left and 0 < height <= image_shape[0] - top
            and 0 < width <= image_shape[1] - left):
        raise ValueError(f'is a mask of {width}x{height} pixels at ({left}, {top}), which is not '
                         f'within the image of {image_shape[1]}x{image_shape[0]}')
    counts = np.asarray(counts, np.int64)
    if (counts < 0).any() or (counts > height * width).any() or counts.sum() != height * width:
        raise ValueError('has run lengths that are not whole numbers which add up to the pixels '
                         f'of its window, {height * width}')
    mask = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return Region(top, left, mask.reshape(height, width))


def _boxes(shapes, image_shape, faults):
    found = []
    for item in shapes:
        (x1, y1, x2, y2), (height, width) = item.data, image_shape
        if x2 < 0 or y2 < 0 or x1 > width or y1 > height:
            faults.append(f'{item.place} ({item.name}): its box {x1:g} {y1:g} {x2:g} {y2:g} lies '
                          f'outside the image of {width}x{height} pixels')
        else:
            found.append((item, tuple(pixel_windows(item.data, image_shape)[0].tolist())))
    return found


def _partial_mask(shapes, labels, image_shape, draw, faults):
    """uint8 (H, W), 255 but for what is drawn; None where nothing is."""
    mask, (height, width) = np.full(image_shape, IGNORE, np.uint8), image_shape
    for item in shapes:
        far = _FAR * max(image_shape)
        if (abs(item.data) > far).any():
            faults.append(f'{item.place} ({item.name}): it lies far outside the image of '
                          f'{width}x{height} pixels')
        elif not item.is_ignored:
            draw(mask, item.data, labels[item.name])
    return mask if (mask != IGNORE).any() else None


def _draw_points(mask, points, label):
    import cv2  # here: what draws no mask starts without it
    for x, y in np.floor(points).astype(int).tolist():
        cv2.circle(mask, (x, y), RADIUS, label, -1)


def _draw_line(mask, points, label):
    import cv2
    cv2.polylines(mask, [np.floor(points).astype(np.int32)], False, label, WIDTH)


def _mask(regions, alone, labels, image_shape):
    """Boxes of unknown outlines lie below all, then level after level."""
    canvas = np.zeros(image_shape, np.uint8)
    for _, (x1, y1, x2, y2) in alone:
        canvas[y1:y2, x1:x2] = IGNORE
    for level in sorted({item.level for item, _ in regions}):
        paint_regions(((IGNORE if item.is_ignored else labels[item.name], region)
                       for item, region in regions if item.level == level), image_shape, canvas)
    return canvas


def _outer_box(region):
    x1, y1, x2, y2 = map(int, tight_box(region.mask))
    return x1 + region.left, y1 + region.top, x2 + region.left, y2 + region.top


def _has_area(box):
    return box[0] < box[2] and box[1] < box[3]


def _is_outlined(name, box, outlined):
    around = np.array([outer for item, outer in outlined if item.name == name]).reshape(-1, 4)
    return (box_ious(around, np.array(box)) >= _SAME_OBJECT).any()


def read_colour_mask(colour_mask, labels):
    """The class indices of a mask in colours.

    Args:
        colour_mask (ColourMask): the file, and the class of each colour.
        labels (dict): class name -> index; classes that it lacks become background.

    Returns:
        np.ndarray: uint8 (H, W), 255 ignored.

    Raises:
        DataError: the file is missing or damaged, or has a colour of no class.
    """
    path, colours = colour_mask
    codes = read_mask(path, mode='RGB').astype(np.int32) @ np.array([1 << 16, 1 << 8, 1])
    values, places = np.unique(codes, return_inverse=True)
    table = {(r << 16) + (g << 8) + b: IGNORE if name is None else labels.get(name, 0)
             for (r, g, b), name in colours.items()}
    strange = [value for value in values.tolist() if value not in table]
    if strange:
        shown = ', '.join(f'({v >> 16}, {v >> 8 & 255}, {v & 255})' for v in strange[:5])
        raise DataError(f'{path}: the mask has {len(strange)} colour(s) of no class, such as '
                        f'{shown} (red, green, blue). Add them to labelmap.txt, or export it again '
                        'as PNG (a JPEG has mixed colours).')
    found = np.array([table[value] for value in values.tolist()], np.uint8)
    return found[places].reshape(codes.shape)
