"""GrabCut from a box."""
import cv2
import numpy as np

from mmseg_wss.labels.boxes import pixel_windows

# OpenCV fits mixtures of five Gaussians to the colours inside and outside of the box, and does not
# take fewer pixels than that on either side
MIN_PIXELS = 5
SEED = 0


def grabcut_masks(image, boxes, iterations=5, min_share=.15):
    """Separate each object from its surroundings with GrabCut (Rother et al., SIGGRAPH 2004).

    The whole image outside the box is background, the inside probably foreground, one object at a
    time as in the mixed-dual-head paper (section 3.1). An object gets its whole box where GrabCut
    finds nothing or less than `min_share` of the box (a threshold of Khoreva et al., CVPR 2017),
    and where fewer than five pixels are inside or outside of the box, so that there is nothing to
    compare.

    GrabCut starts from a random clustering. It is seeded anew for every object, so a mask depends
    on its image and box only. (The seed of OpenCV's generator in the calling thread is left
    changed: OpenCV cannot tell its state.)

    Args:
        image (np.ndarray): uint8 (H, W, 3), RGB.
        boxes (np.ndarray): (M, 4), (x1, y1, x2, y2) in pixels, half-open.
        iterations (int): of colour models and cut in turn; at least 1.
        min_share (float): of the box's pixels, 0..1.

    Returns:
        np.ndarray: bool (M, H, W), within the pixels of the boxes.

    Raises:
        ValueError: `iterations` below 1.
    """
    if iterations < 1:
        raise ValueError(f'iterations must be at least 1; got {iterations}.')
    height, width = image.shape[:2]
    windows = pixel_windows(boxes, (height, width))
    bgr = np.ascontiguousarray(image[..., ::-1])
    masks = np.zeros((len(windows), height, width), bool)
    for mask, (x1, y1, x2, y2) in zip(masks, windows):
        area = (x2 - x1) * (y2 - y1)
        if min(area, height * width - area) >= MIN_PIXELS:
            mask[:] = _grabcut(bgr, (x1, y1, x2 - x1, y2 - y1), iterations)
        if mask.sum() < max(min_share * area, 1):
            mask[y1:y2, x1:x2] = True
    return masks


def _grabcut(bgr, rectangle, iterations):
    """Foreground, bool (H, W), of an image given (x, y, width, height)."""
    trimap = np.zeros(bgr.shape[:2], np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(SEED)
    cv2.grabCut(bgr, trimap, tuple(map(int, rectangle)), *models, iterations,
                cv2.GC_INIT_WITH_RECT)
    return (trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)
