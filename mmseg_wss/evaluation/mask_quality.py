"""How good are the masks that a program made: counts of pixels, and what follows from them.

Counts of images add up, so a folder streams through::

    total = sum(confusion_counts(truth, mask, num_classes) for truth, mask in images)
    scores = mask_scores(total)

Such a mask may ignore pixels (255). An IoU over the kept pixels alone overlooks that: a mask that
keeps only the middle of each object looks perfect. So each score says how it counts ignored pixels.
"""
import numpy as np
from scipy.ndimage import distance_transform_edt

from mmseg_wss.labels.checks.label_check import IGNORE, label_values


def confusion_counts(first, second, num_classes):
    """Count pixels by their pair of labels.

    Args:
        first, second (np.ndarray): uint8, of one shape, labels 0..K-1 and 255; the truth comes
            first where there is one.
        num_classes (int): K, at most 255.

    Returns:
        np.ndarray: int64 (K+1, K+1): entry (i, j) counts the pixels with label i in `first` and j
        in `second`; index K stands for 255.

    Raises:
        ValueError: the arrays differ in shape, are not uint8, or have other labels.
    """
    if first.shape != second.shape or not first.dtype == second.dtype == np.uint8:
        raise ValueError(
            f'first and second must be uint8 of one shape, got {first.dtype} {first.shape} and '
            f'{second.dtype} {second.shape}.')
    if not 1 <= num_classes <= IGNORE:
        raise ValueError(f'num_classes must be 1..{IGNORE}, got {num_classes}.')
    pairs = first.astype(np.uint16) << 8 | second
    counts = np.bincount(pairs.ravel(), minlength=1 << 16).reshape(256, 256)
    labels = np.r_[:num_classes, IGNORE]
    counts = counts[np.ix_(labels, labels)].astype(np.int64)
    if counts.sum() != pairs.size:
        raise ValueError(f'labels must be 0..{num_classes - 1} or {IGNORE}; found '
                         f'{label_values(first)} and {label_values(second)}.')
    return counts


def trimap(truth, width):
    """The pixels near the boundaries of a true mask.

    A pixel is near when the centre of some pixel with another label is at most `width` pixels away
    (Euclidean): `width` pixels on either side of a straight boundary. Void counts as a label here,
    since annotators leave a rim of void around objects, which is then the boundary, as in the
    evaluation of Kohli et al. (IJCV 2009) and DeepLab; void pixels themselves are left out, and the
    edge of the image is no boundary. (The Boundary IoU of Cheng et al., CVPR 2021, is something
    else: it takes a band around the boundary of the prediction too.)

    Args:
        truth (np.ndarray): uint8 (H, W), 255 void.
        width (float): in pixels, at least 1.

    Returns:
        np.ndarray: bool (H, W).
    """
    if width < 1:
        raise ValueError(f'width must be at least 1 pixel, got {width}.')
    near = np.zeros(truth.shape, bool)
    labels = label_values(truth)
    if len(labels) == 1:  # no pixel to measure a distance to
        return near
    for label in labels:
        if label != IGNORE:
            distance = distance_transform_edt(truth == label)
            near |= (distance > 0) & (distance <= width)
    return near


def image_counts(masks, truth, num_classes, width):
    """The counts of several masks of one image.

    Args:
        masks (Sequence[np.ndarray]): F masks, uint8 (H, W), labels 0..K-1 and 255.
        truth (np.ndarray, optional): uint8 (H, W), 255 void.
        num_classes (int): K.
        width (float): of the `trimap`; 0 for none.

    Returns:
        np.ndarray: int64 (F, 3, K+1, K+1): of each mask with the truth, with the truth in its
        trimap, and with the first mask; 0 where there is no truth or no width.
    """
    counts = np.zeros((len(masks), 3, num_classes + 1, num_classes + 1), np.int64)
    near = trimap(truth, width) if truth is not None and width else None
    for count, mask in zip(counts, masks):
        if truth is not None:
            count[0] = confusion_counts(truth, mask, num_classes)
        if near is not None:
            count[1] = confusion_counts(truth[near], mask[near], num_classes)
        count[2] = confusion_counts(masks[0], mask, num_classes)
    return counts


def mask_scores(counts):
    """Scores of masks against the truth. Void pixels of the truth take no part in any of them.

    With n_ij pixels of true class i and mask label j, where j = K is an ignored pixel:

    - precision_k = n_kk / sum_{i} n_ik, over the kept pixels;
    - recall_k = n_kk / sum_{j<=K} n_kj: an ignored pixel is a missed one;
    - iou_k = n_kk / (sum_i n_ik + sum_{j<K} n_kj - n_kk), over the kept pixels;
    - iou_all_k: the same with j<=K: an ignored pixel is a missed one;
    - class_coverage_k = sum_{j<K} n_kj / sum_{j<=K} n_kj: the share that is not ignored;
    - miou, miou_all: the means of iou and iou_all over the classes where they exist;
    - fg_precision, fg_recall: n_kk and the sums above added up over the classes k > 0;
    - coverage, fg_coverage: the share of the pixels, and of those of the true classes k > 0, that
      are not ignored.

    A score whose denominator is 0 does not exist (nan). So an IoU is nan for a class that is in
    neither mask, as in mmseg's ``IoUMetric``, which gives `iou` for masks without ignored pixels.

    Args:
        counts (np.ndarray): (K+1, K+1), of `confusion_counts`, the truth first.

    Returns:
        dict: name -> float64 (K,) for the first five, float for the others; in 0..1 or nan.
    """
    counts = counts[:-1]
    kept = counts[:, :-1]
    right, painted = kept.diagonal(), kept.sum(0)
    true, true_kept = counts.sum(1), kept.sum(1)
    iou = _ratio(right, painted + true_kept - right)
    iou_all = _ratio(right, painted + true - right)
    return dict(
        precision=_ratio(right, painted), recall=_ratio(right, true), iou=iou, iou_all=iou_all,
        class_coverage=_ratio(true_kept, true), miou=_mean(iou), miou_all=_mean(iou_all),
        fg_precision=float(_ratio(right[1:].sum(), painted[1:].sum())),
        fg_recall=float(_ratio(right[1:].sum(), true[1:].sum())),
        coverage=float(_ratio(true_kept.sum(), true.sum())),
        fg_coverage=float(_ratio(true_kept[1:].sum(), true[1:].sum())))


def agreement_scores(counts):
    """How far two sets of masks agree; neither is the truth, and swapping them changes nothing.

    Args:
        counts (np.ndarray): (K+1, K+1), of `confusion_counts`.

    Returns:
        dict: shares of all pixels, floats in 0..1 that add up to 1 (nan without pixels):
        agree (both keep the pixel, with one label), differ (both keep it, with two), one_ignores
        (exactly one keeps it) and both_ignore; and iou, float64 (K,): for each class the IoU of the
        two over the pixels that both keep, nan where neither has it.
    """
    kept = counts[:-1, :-1]
    same = kept.diagonal()
    total = counts.sum()
    shares = dict(
        agree=same.sum(), differ=kept.sum() - same.sum(),
        one_ignores=counts[-1, :-1].sum() + counts[:-1, -1].sum(), both_ignore=counts[-1, -1])
    return dict({name: float(_ratio(number, total)) for name, number in shares.items()},
                iou=_ratio(same, kept.sum(0) + kept.sum(1) - same))


def _ratio(part, whole):
    """part / whole as float64, nan where the whole is 0."""
    whole = np.asarray(whole)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def _mean(values):
    """Mean of the values that are not nan, nan if there is none."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float('nan')
