"""Boxes with their class names, whose texts do not cover each other."""
import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mmseg_wss.visualization.legend import FONT


def place_texts(boxes, sizes, shape):
    """Where the names of boxes go: above, inside or below the box, or further down.

    Args:
        boxes (Sequence): M boxes (x1, y1, x2, y2), pixels.
        sizes (Sequence): width and height of each text.
        shape (tuple): height and width of the picture.

    Returns:
        list[tuple | None]: (x, y) of each text's left upper corner. No two texts overlap, and each
        is inside the picture; None where no place is free, or the picture is too small.
    """
    height, width = shape
    places, taken = [], []
    for (x1, y1, x2, y2), (w, h) in zip(boxes, sizes):
        lefts = [int(np.clip(x, 0, max(0, width - w))) for x in (x1, x2 - w)]
        steps = [y1 - h, y1, y2 - h, y2, *range(0, max(0, height - h) + 1, max(1, h))]
        tops = [int(y) for y in steps if 0 <= y <= height - h]
        free = ((x, y) for y in tops for x in lefts if x + w <= width and not any(
            x < right and left < x + w and y < bottom and top < y + h
            for left, top, right, bottom in taken))
        place = next(free, None)
        places.append(place)
        if place is not None:
            taken.append((*place, place[0] + w, place[1] + h))
    return places


def draw_boxes(image, boxes, labels, classes, palette):
    """Draw boxes with their class names, each on a ground of its colour.

    Args:
        image (np.ndarray): uint8 (H, W, 3) RGB; it is not changed.
        boxes (np.ndarray): (M, 4), (x1, y1, x2, y2) in pixels, half-open: the outline runs through
            the outermost pixels inside.
        labels (Sequence[int]): M class indices.
        classes, palette (Sequence): names and colours of the classes.

    Returns:
        np.ndarray: uint8 (H, W, 3).
    """
    image = image.copy()
    boxes = np.asarray(boxes).round().astype(int).reshape(-1, 4).tolist()
    colours = [tuple(int(c) for c in palette[label]) for label in labels]
    for (x1, y1, x2, y2), colour in zip(boxes, colours):
        cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), colour, 2)
    font = ImageFont.truetype(FONT, int(np.clip(image.shape[1] / 22, 9, 24)))
    names = [classes[label] for label in labels]
    sizes = [(int(np.ceil(font.getlength(name))) + 4, sum(font.getmetrics())) if name else (0, 0)
             for name in names]
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    for name, colour, (w, h), place in zip(
            names, colours, sizes, place_texts(boxes, sizes, image.shape[:2])):
        if name and place is not None:
            x, y = place
            draw.rectangle((x, y, x + w - 1, y + h - 1), fill=colour)
            draw.text((x + 2, y), name, 'black' if np.dot(colour, (.299, .587, .114)) > 140
                      else 'white', font)
    return np.asarray(picture)
