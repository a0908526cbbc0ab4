"""Which images to label next: how unsure a network is of an image, and what its labels would cost.

Probabilities are float arrays (K, H, W), with sums of 1 over the classes.
"""
import numpy as np
from scipy import ndimage

MIN_OBJECT = 64  # pixels; smaller parts of a prediction are noise
# seconds: to look at an image, and for each object (a polygon of COCO, Lin et al., ECCV 2014; a box
# of ImageNet, Su et al., 2012)
LOOK, PER_OBJECT = 10., dict(mask=79.2, box=34.5)


def mean_entropy(probs):
    """Mean over the pixels of -sum_k p_k ln p_k: 0 (sure) to ln K (no idea)."""
    return float(_entropies(probs).mean())


def mean_divergence(one, other):
    """Mean over the pixels of the Jensen-Shannon divergence of two predictions: 0 to ln 2.

    It is H((p + q) / 2) - (H(p) + H(q)) / 2, with the entropy H of `mean_entropy`.
    """
    middle = _entropies((one + other) / 2)
    return float((middle - (_entropies(one) + _entropies(other)) / 2).mean().clip(0))


def _entropies(probs):
    return -(probs * np.log(probs, out=np.zeros_like(probs), where=probs > 0)).sum(0)


def count_objects(labels, min_pixels=MIN_OBJECT):
    """Number of connected parts (edges touch) of the object classes of a prediction.

    Args:
        labels (np.ndarray): (H, W), class indices, 0 for the background.
        min_pixels (int): smaller parts are not counted.
    """
    count = 0
    for label in np.unique(labels[labels > 0]):
        parts, _ = ndimage.label(labels == label)
        count += int((np.bincount(parts.ravel())[1:] >= min_pixels).sum())
    return count


def label_seconds(objects, kind):
    """Expected time to label an image of so many objects: 10 s and 79.2 (mask) or 34.5 (box) each.

    Args:
        objects (int | np.ndarray): numbers of objects.
        kind (str): 'mask' or 'box'.
    """
    return LOOK + PER_OBJECT[kind] * objects


def diverse_order(features, scores=None, labelled=None):
    """Greedy k-centres (coreset: Sener & Savarese, ICLR 2018): far from all that come before.

    Each image in turn is the one with the largest product of its score and its distance to the
    nearest image that is labelled or chosen already. With no such image, the first is that with the
    largest score.

    Args:
        features (np.ndarray): (N, D).
        scores (np.ndarray, optional): (N,), not negative; ones when None.
        labelled (np.ndarray, optional): (M, D), features of images that are labelled.

    Returns:
        list[int]: N indices; ties go to the smaller index.
    """
    scores = np.ones(len(features)) if scores is None else np.asarray(scores, float)
    nearest = np.full(len(features), np.inf)
    for centre in [] if labelled is None else labelled:
        nearest = np.minimum(nearest, np.linalg.norm(features - centre, axis=1))
    left, order = np.ones(len(features), bool), []
    while left.any():
        values = scores if np.isinf(nearest).all() else scores * nearest
        order.append(int(np.where(left, values, -1).argmax()))
        left[order[-1]] = False
        nearest = np.minimum(nearest, np.linalg.norm(features - features[order[-1]], axis=1))
    return order
