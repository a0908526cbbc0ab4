"""Seeds: the few pixels whose class can be told from class activation maps (SEC, DSRG)."""
import torch

from mmseg_wss.labels.checks.label_check import IGNORE


@torch.no_grad()
def cam_seeds(cams, tags, fg_threshold=0.2, bg_threshold=0.06):
    r"""Label the pixels where an activation map is high, or where all of them are low.

    With s the CAM of each class of the image, divided by its maximum:

    - a pixel is claimed by every class c with s_c > `fg_threshold`; of several, the one that claims
      the fewest pixels of the image gets it, so that a large object does not bury a small one in
      front of it (of equally many, the one with the lower index);
    - it is background where max over c of s_c < `bg_threshold`;
    - else it is no seed.

    An image without any tag is background all over, as its tags say.

    Source: Kolesnikov and Lampert, Seed, Expand and Constrain (SEC), ECCV 2016, whose seeds of
    objects DSRG (Huang et al., CVPR 2018) takes over. Their background comes from a saliency map
    (DSRG: below 0.06), here from the CAMs themselves.

    Args:
        cams (Tensor): float (N, K - 1, h, w), not negative. Those of classes that an image does not
            have are not read.
        tags (Tensor): (N, K - 1), 1 for a class that is in the image.
        fg_threshold (float): in [0, 1).
        bg_threshold (float): in [0, `fg_threshold`], so that no pixel is both; 0 gives no
            background.

    Returns:
        Tensor: int64 (N, h, w), 0 to K - 1, or 255 for no seed; on the device of `cams`.

    Raises:
        ValueError: a threshold outside its range, shapes that do not agree, CAMs that are negative
            or not finite.
    """
    check_thresholds(fg_threshold, bg_threshold)
    if cams.dim() != 4 or not cams.shape[1] or tuple(tags.shape) != tuple(cams.shape[:2]):
        raise ValueError('cams must be (N, K - 1, h, w), and tags (N, K - 1), without the '
                         f'background; got {tuple(cams.shape)} and {tuple(tags.shape)}.')
    cams = cams.float().masked_fill(~tags.bool()[..., None, None], 0)
    if not (cams >= 0).all() or cams.isinf().any():  # NaN fails the comparison
        raise ValueError('cams must be finite and not negative: apply a ReLU to them.')
    shares = cams / cams.amax((2, 3), keepdim=True).clamp(min=torch.finfo(cams.dtype).tiny)
    claims = shares > fg_threshold
    areas = claims.sum((2, 3))[..., None, None]
    smallest = torch.where(claims, areas, claims[0, 0].numel() + 1).argmin(1)
    seeds = torch.where(claims.any(1), smallest + 1, IGNORE)
    return seeds.masked_fill(shares.amax(1) < bg_threshold, 0)


def check_thresholds(fg_threshold, bg_threshold):
    """Raise ValueError unless these are thresholds of `cam_seeds`."""
    if not 0 <= bg_threshold <= fg_threshold < 1:  # NaN too
        raise ValueError(
            'the thresholds are shares of the maximum of a CAM, 0 <= bg_threshold <= fg_threshold '
            f'< 1; got bg_threshold={bg_threshold} and fg_threshold={fg_threshold}.')
