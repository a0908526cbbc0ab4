"""Colours of classes: PASCAL VOC's map, and colours that are easy to tell apart."""
import numpy as np

from mmseg_wss.labels.formats.class_names import VOC_CLASSES

# black, and then each time the colour that is farthest (CIELAB) from those before it and from the
# grey of ignored pixels; of lightness 25 to 92, so that it is seen on dark and on light images
_DISTINCT = (
    '000000 dd0000 0000ff 00ff00 ff33bb eecc00 0088ff 007722 885511 00ffdd 995577 551199 007788 '
    'bbee88 dd11ff ff5577 ffaaff ff8800 ffcc88 11ff88 00ddff aaee11 880011 889966 334488 99bbff '
    '224422 889900 0055ff ffaaaa bb77ff 00aa00 770066 ee7755 009977 444455 998888 99ddbb aa0055 '
    'bb8800 9977cc ')


def voc_palette(n: int = 256) -> np.ndarray:
    """Return the first ``n`` colours of the PASCAL VOC colour map, RGB, as (n, 3) uint8.

    The lowest three bits of a class index become the highest bits of red, green and blue, the next
    three bits the second highest, and so on, so that neighbouring indices get distant colours.
    """
    index = np.arange(n)[:, None]
    channel = np.arange(3)
    palette = np.zeros((n, 3), int)
    for bit in range(8):
        palette |= (index >> (3 * bit + channel) & 1) << (7 - bit)
    return palette.astype(np.uint8)


def class_palette(classes):
    """A colour for each class, RGB: VOC's own for its 21 classes, else colours that differ well.

    Two of the first 30 have a distance of at least 35 in CIELAB, of VOC's 7. The 41 colours of the
    list are followed by those of VOC's map that are not among them.

    Args:
        classes (Sequence[str]): at most 256 names, the background first.

    Returns:
        list[list[int]]: K colours, 0..255.
    """
    if tuple(classes) == VOC_CLASSES:
        return voc_palette(len(classes)).tolist()
    colours = [list(bytes.fromhex(colour)) for colour in _DISTINCT.split()]
    colours += [colour for colour in voc_palette().tolist() if colour not in colours]
    return colours[:len(classes)]
