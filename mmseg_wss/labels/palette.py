"""The PASCAL VOC colour map."""
import numpy as np


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
