"""The box itself as the mask of its object."""
import numpy as np

from mmseg_wss.labels.boxes import pixel_windows


def rect_masks(boxes, shape):
    """Masks of boxes: the pixels whose centres lie inside.

    Args:
        boxes (np.ndarray): (M, 4), (x1, y1, x2, y2) in pixels, half-open.
        shape (tuple): (H, W) of the image.

    Returns:
        np.ndarray: bool (M, H, W).
    """
    windows = pixel_windows(boxes, shape)
    masks = np.zeros((len(windows), *shape), bool)
    for mask, (x1, y1, x2, y2) in zip(masks, windows):
        mask[y1:y2, x1:x2] = True
    return masks
