"""What masks are worth to a network: what they know that it does not.

A mask teaches where it is right and the network is wrong, and does harm where it is the other way
round. How often it is right says little of that: a teacher's errors are the network's own, and
painted boxes are wrong at pixels that every network knows.

Counts of images add up, as those of `mask_quality`; how far the images differ says how sure a worth
is.
"""
from typing import NamedTuple

import numpy as np

from mmseg_wss.labels.checks.label_check import IGNORE

SURE = 2.  # standard errors


class ImageWorth(NamedTuple):
    """The counts of one image for C candidates; P of the K classes are in it."""
    counts: np.ndarray  # int (C, K, 4), `worth_counts` of each
    gains: np.ndarray  # int (C, P, K), `class_gains` of each, without the rows of other classes


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


def class_gains(mask, network, truth, num_classes):
    """Count what the pixels that a mask gives one class mend and break of each true class.

    Args:
        mask, network, truth, num_classes: see `worth_counts`.

    Returns:
        np.ndarray: int64 (K, K): entry (c, k), of the pixels of true class c that the mask calls k:
        the mended ones where k = c, else minus the broken ones. A row's sum is what `worth_counts`
        calls mended minus broken.
    """
    known, right = network == truth, mask == truth
    counted = (truth < num_classes) & (mask < num_classes) & (known != right)
    pairs = truth[counted].astype(np.int64) * num_classes + mask[counted]
    counts = np.bincount(pairs, minlength=num_classes ** 2).reshape(num_classes, num_classes)
    return np.where(np.eye(num_classes, dtype=bool), counts, -counts)


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


def worth_error(counts):
    r"""The standard error of a worth, as the images differ.

    .. math::
        e^2 = \frac{n}{n-1} \sum_i r_i^2, \quad
        r_i = \mathrm{mean}_c \, (m_{ic} - b_{ic} - w_c n_{ic}) / n_c

    the infinitesimal jackknife of a mean of ratios: what the worth would move by with one image
    more of the kind of image i.

    Args:
        counts (np.ndarray): (I, K, 4), `worth_counts` of each of I images.

    Returns:
        float: nan with fewer than two images.
    """
    if len(counts) < 2:
        return float('nan')
    pixels, gained = counts[..., 0], counts[..., 2] - counts[..., 3]
    whole = pixels.sum(0)
    seen = whole > 0
    rest = gained - _ratio(gained.sum(0), whole) * pixels
    parts = (rest[:, seen] / whole[seen]).mean(1)
    return float(np.sqrt((parts ** 2).sum() * len(counts) / (len(counts) - 1)))


def worth_parts(images):
    """What each image's pixels of each class of the masks add to the worth.

    A pixel that a mask calls k mends class k or breaks another one, so a worth is a sum over the
    classes k, and a threshold of class k alone moves its own term and no other.

    Args:
        images (Sequence[ImageWorth]): of I images.

    Returns:
        np.ndarray: float64 (C, I, K); its sum over I and K is the worth of each candidate.
    """
    whole = sum(image.counts[0, :, 0] for image in images)
    parts = [(image.gains / whole[image.counts[0, :, 0] > 0, None]).sum(1) for image in images]
    return np.stack(parts, 1) / max(1, (whole > 0).sum())


def own_taus(parts, taus, common):
    """The classes that another threshold is surely better for.

    It takes the place of the common one where the images say that it is worth more, by more than
    twice the root of their squared differences (about two standard errors of their sum). Four
    images or fewer cannot say so, however far apart they are: sum <= sqrt(number) * that root.

    Args:
        parts (np.ndarray): (T, I, K), `worth_parts` of the same masks with T thresholds.
        taus (Sequence[float]): the thresholds.
        common (float): one of them.

    Returns:
        dict[int, float]: class -> the threshold that adds most to the worth, where it surely does.
    """
    more = parts - parts[list(taus).index(common)]
    gain = more.sum(1)
    sure = np.where(gain > SURE * np.sqrt((more ** 2).sum(1)), gain, -np.inf)
    best = sure.argmax(0)
    return {k: taus[t] for k, t in enumerate(best.tolist()) if sure[t, k] > 0}


def _ratio(part, whole):
    """part / whole, nan where the whole is 0."""
    whole = np.asarray(whole, float)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
