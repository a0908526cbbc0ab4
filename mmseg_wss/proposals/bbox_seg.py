"""Bbox-Seg: all objects of an image at once, with a dense CRF.

From Papandreou et al., ICCV 2015 (WSSL), section 3.3; the numbers are those of its release.
"""
import numpy as np
import torch

from mmseg_wss.labels.boxes import box_areas, pixel_windows
from mmseg_wss.ops import dense_crf
from mmseg_wss.proposals.rect import rect_masks

CENTRE, RING = .75, .5  # probability of a box's class in its centre and around it
ALPHA = .20  # of the paper, by cross-validation: the share of a box that is its centre
MARGIN = .05  # of the release, which stops eroding this much earlier
MIN_AREA, MIN_SIDE = 121, 10  # of boxes with a ring, in pixels
OCCLUDER_BIAS = .1
FLOOR = 1e-12  # probability of any other class
CRF = dict(iterations=10, sxy_gaussian=3, compat_gaussian=15, sxy_bilateral=37, srgb=3,
           compat_bilateral=45, normalization='after')


def bbox_seg_masks(image, boxes, labels, alpha=ALPHA, **crf):
    """Segment the objects in boxes with a dense CRF that is sure of the outside only.

    The mask of an object is where the CRF's most probable class is its own, within its box;
    overlapping boxes of one class may share pixels, and a mask may be empty.

    Args:
        image (np.ndarray): uint8 (H, W, 3), RGB.
        boxes (np.ndarray): (M, 4), (x1, y1, x2, y2) in pixels, half-open.
        labels (np.ndarray): int (M,), class indices.
        alpha (float): share of a box that is its centre, in (0, 1); see `centre_window`.
        **crf: options of `mmseg_wss.ops.dense_crf` instead of those in `CRF`.

    Returns:
        np.ndarray: bool (M, H, W), within the pixels of the boxes.

    Raises:
        ImportError: ``backend='pydensecrf'`` without the library.
        ValueError: `alpha` is no such share.
    """
    if not 0 < alpha < 1:
        raise ValueError(f'alpha is the share of a box that is its centre, between 0 and 1; got '
                         f'{alpha}.')
    shape = image.shape[:2]
    masks = rect_masks(boxes, shape)
    if not masks.any():
        return masks
    # A class without a box is nowhere the most probable one, so the CRF does not get it.
    present, indices = np.unique(labels, return_inverse=True)
    indices = indices + 1
    probs = bbox_seg_probs(boxes, indices, shape, len(present) + 1, alpha)
    rgb = torch.tensor(np.ascontiguousarray(image)).permute(2, 0, 1)
    marginals = dense_crf(torch.from_numpy(probs)[None], rgb[None], **{**CRF, **crf})[0]
    return masks & (marginals.argmax(0).numpy() == indices[:, None, None])


def bbox_seg_probs(boxes, labels, shape, num_classes, alpha=ALPHA):
    """Class probabilities that boxes suggest, without a look at the image.

    A box says class : background = .75 : .25 in its centre (`centre_window`) and .5 : .5 in the
    ring around it. Outside of all boxes it is background. Where boxes overlap, what they say of a
    class is averaged over the boxes that speak of it (so of the background, over all). The smaller
    box is taken to be in front: in order of descending area, an object whose centre meets an
    earlier box adds .1 n to its class on that overlap, when it is the n-th such object. Then the
    probabilities of each pixel are divided by their sum.

    (The release counts the background as an overlap too, and so adds its bias to every centre, of a
    lone object as well; its comments say what is done here.)

    Args:
        boxes (np.ndarray): (M, 4), (x1, y1, x2, y2) in pixels, half-open.
        labels (np.ndarray): int (M,), 1..num_classes - 1.
        shape (tuple): (H, W).
        num_classes (int): K, with the background.
        alpha (float): see `centre_window`.

    Returns:
        np.ndarray: float32 (K, H, W), sums to 1 over K; about 1e-12 where a class has no box.
    """
    sums = np.full((num_classes, *shape), FLOOR)
    counts = np.zeros((num_classes, *shape), np.int64)
    covered = np.zeros(shape, bool)
    occluders = 0
    windows = pixel_windows(boxes, shape)
    for i in np.argsort(-box_areas(windows), kind='stable'):
        inside, centre = _slices(windows[i]), _slices(centre_window(windows[i], alpha))
        foreground = np.full(shape, RING)
        foreground[centre] = CENTRE
        overlap = covered[centre]
        sums[0][inside] += 1 - foreground[inside]
        sums[labels[i]][inside] += foreground[inside]
        counts[0][inside] += 1
        counts[labels[i]][inside] += 1
        if overlap.any():
            occluders += 1
            sums[labels[i]][centre] += OCCLUDER_BIAS * occluders * overlap
        covered[inside] = True
    sums[0][~covered] = 1
    probs = sums / np.maximum(counts, 1)
    return (probs / probs.sum(0)).astype(np.float32)


def centre_window(window, alpha=ALPHA):
    """The centre of a box: it is eroded with 3x3 squares until less than alpha + 0.05 is left.

    Args:
        window (np.ndarray): int (4,), (x1, y1, x2, y2) in pixels, half-open.
        alpha (float): share of the area, in (0, 1).

    Returns:
        np.ndarray: int (4,); the whole window below 121 pixels or with a side below 10.
    """
    sides = window[2:] - window[:2]
    area = sides.prod()
    if area < MIN_AREA or sides.min() < MIN_SIDE:
        return window
    steps = np.arange(sides.min() // 2 + 1)
    kept = (sides[0] - 2 * steps) * (sides[1] - 2 * steps)
    step = np.flatnonzero((kept < (alpha + MARGIN) * area) | (kept <= 0))[0]
    return window + np.array([step, step, -step, -step])


def _slices(window):
    x1, y1, x2, y2 = window
    return slice(y1, y2), slice(x1, x2)
