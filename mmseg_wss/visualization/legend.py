"""A picture with the names of its classes below."""
import cv2
import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from mmseg_wss.labels.checks.label_check import IGNORE, label_values
from mmseg_wss.visualization.panels import overlay_mask

FONT = font_manager.findfont('DejaVu Sans')  # comes with matplotlib; has letters of many languages


def draw_masks(image, masks, classes, palette, max_side=2000, alpha=0.55):
    """The objects of masks over their image, side by side, the background clear; a legend below.

    Args:
        image (np.ndarray): uint8 (H, W, 3) RGB.
        masks (Sequence[np.ndarray]): one at least; uint8 (H, W), class indices, 255 ignored.
        classes, palette (Sequence): names and colours of the classes.
        max_side (int): a larger image is shrunk to this many pixels.
        alpha (float): opacity of the objects.

    Returns:
        np.ndarray: uint8 (H', W', 3).
    """
    scale = max_side / max(image.shape[:2])
    if scale < 1:
        size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        masks = [cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST) for mask in masks]
    shown = sorted({label for mask in masks for label in label_values(mask)} - {0, IGNORE})
    picture = np.hstack([overlay_mask(image, mask, palette, alpha) for mask in masks])
    entries = [(classes[label], tuple(map(int, palette[label]))) for label in shown]
    return np.vstack([picture, legend(entries, picture.shape[1])])


def legend(entries, width):
    """A white strip with coloured squares and the names beside them, in as many rows as it takes.

    Args:
        entries (Sequence[tuple]): name and colour (RGB, 0..255) of each class.
        width (int): of the strip, in pixels.

    Returns:
        np.ndarray: uint8 (H, width, 3); of height 0 without entries.
    """
    size = int(np.clip(width / 40, 10, 28))  # of the letters, in pixels
    font, row = ImageFont.truetype(FONT, size), int(1.6 * size)
    places, x, y = [], size // 2, 0
    for name, colour in entries:
        needed = int(font.getlength(name)) + 2 * size
        if x > size // 2 and x + needed > width:
            x, y = size // 2, y + row
        places.append((x, y, name, colour))
        x += needed
    strip = Image.new('RGB', (width, y + row if places else 0), 'white')
    draw = ImageDraw.Draw(strip)
    for x, y, name, colour in places:
        top = y + row // 2 - size // 2
        draw.rectangle((x, top, x + size, top + size), fill=colour, outline='black')
        draw.text((x + 1.4 * size, y + row / 2), name, 'black', font, anchor='lm')
    return np.asarray(strip)
