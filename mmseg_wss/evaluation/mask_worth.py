"""What masks are worth to a network: what they know that it does not.

A mask teaches where it is right and the network is wrong, and does harm where it is the other way
round. How often it is right says little of that: a teacher's errors are the network's own, and
painted boxes are wrong at pixels that every network knows.

Counts of images add up, as those of `mask_quality`.
"""
import numpy as np

from mmseg_wss.labels.checks.label_check import IGNORE


def worth_counts(mask, network, truth, num_classes):
    """Count the pixels that a mask mends and breaks of a network's predictions.

    Args:
        mask (np.ndarray): uint8 (H, W), class indices, 255 ignored.
        network (np.ndarray): integer (H, W), the predictions of a network that was not trained with
            this image.
        truth (np.ndarray): uint8 (H, W), 255 void.
        num_classes (int): K.

    Returns:
        np.ndarray: int64 (K, 4): of the pixels of each true class their number, those where the
        network is wrong, those of them where the mask is right (mended), and those where the
        network is right and the mask has another class (broken). An ignored pixel is neither.
    """
    right, wrong = mask == truth, (mask != truth) & (mask != IGNORE)
    known = network == truth
    return np.stack([
        np.bincount(truth[where].ravel(), minlength=IGNORE + 1)[:num_classes]
        for where in (np.ones_like(known), ~known, ~known & right, known & wrong)], 1)


def worth_scores(counts):
    r"""Scores from the sum of `worth_counts`.

    .. math::
        w_c = (m_c - b_c) / n_c, \quad w = \mathrm{mean}_c \, w_c

    with m_c of the n_c pixels of class c mended and b_c broken.

    Args:
        counts (np.ndarray): (K, 4).

    Returns:
        dict: worth (w), worth_pixels (the same of all pixels together), right_where_wrong (the
        mended share of the network's errors), wrong_where_right (the broken share of what it
        knows), floats, and classes (w_c), float64 (K,); nan without such pixels.
    """
    pixels, wrong, mended, broken = counts.T
    classes = _ratio(mended - broken, pixels)
    seen = ~np.isnan(classes)
    return dict(
        worth=float(classes[seen].mean()) if seen.any() else float('nan'),
        worth_pixels=float(_ratio(mended.sum() - broken.sum(), pixels.sum())),
        right_where_wrong=float(_ratio(mended.sum(), wrong.sum())),
        wrong_where_right=float(_ratio(broken.sum(), pixels.sum() - wrong.sum())),
        classes=classes)


def _ratio(part, whole):
    """part / whole, nan where the whole is 0."""
    whole = np.asarray(whole, float)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
