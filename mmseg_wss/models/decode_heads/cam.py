"""Class activation maps of several scales, and how well a classifier ranks tags."""
from mmseg.models.utils import resize

SMALL = 1e-5  # the released code's guard against a class without any activation


def average_cams(maps, shape):
    """Mean of the activation maps of several scales of an image (RRM, eq. 2).

    Args:
        maps (Sequence[Tensor]): float (N, C, h_i, w_i), one for each scale.
        shape (tuple): (H, W) that all are brought to, bilinearly.

    Returns:
        Tensor: float (N, C, H, W).
    """
    return sum(resize(m.float(), shape, mode='bilinear', align_corners=False)
               for m in maps) / len(maps)


def normalise_cams(cams, tags, valid):
    """Divide the map of each class that an image has by its maximum; the others are 0 (RRM, eq. 3).

    Args:
        cams (Tensor): float (N, C, H, W), not negative.
        tags (Tensor): (N, C), 1 for a class in the image.
        valid (Tensor): bool (N, H, W), False on padding, which becomes 0 and is no maximum.

    Returns:
        Tensor: float (N, C, H, W) in [0, 1].
    """
    cams = cams * tags[:, :, None, None] * valid[:, None]
    return cams / (cams.amax((2, 3), keepdim=True) + SMALL)


def mean_average_precision(scores, tags):
    """Average precision of each class that any image of the batch has, and their mean.

    Args:
        scores (Tensor): (N, C), larger where a class is more likely.
        tags (Tensor): (N, C), 0 or 1.

    Returns:
        Tensor: a scalar in 0..100; 0 for a batch without tags.
    """
    from mmpretrain.evaluation import AveragePrecision  # heavy, and for training with tags alone
    present = tags.any(0)
    if not present.any():
        return scores.new_zeros(())
    return AveragePrecision.calculate(scores[:, present], tags[:, present])
