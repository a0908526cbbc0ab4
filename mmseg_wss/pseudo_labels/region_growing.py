"""Seeded region growing over what a network predicts (DSRG)."""
import numpy as np
import torch
from scipy.ndimage import label

from mmseg_wss.labels.checks.label_check import IGNORE

# neighbours in rows and columns, diagonal ones too; none in other images or classes
_NEIGHBOURS = np.zeros((3, 3, 3, 3), bool)
_NEIGHBOURS[1, 1] = True


@torch.no_grad()
def grow_seeds(probs, seeds, tags, fg_threshold=0.85, bg_threshold=0.99):
    r"""Extend seeds to the regions around them that the network is sure of.

    With q the probabilities and T the classes of an image, the background among them, a pixel u has
    the label

    .. math::
        c(u) = \arg\max_{c \in T} q_c(u) \text{ where } \max_{c \in T} q_c(u) > \theta_{c(u)},
        \text{ else } s(u)

    with s(u) its seed or none, \theta_0 = `bg_threshold` and \theta_c = `fg_threshold` for objects.
    Of the 8-connected regions of pixels with equal labels, those that contain a seed of their label
    become seeds of it. A seed keeps its class in any case, even where it has another label because
    the network is sure of another class.

    In training, call it with the same seeds in every step. Nothing is accumulated, so a wrong label
    can disappear in a later step.

    As a pixel has one label, it joins one class at most, so a map says all that the release's one
    set for each class does.

    Source: Huang et al., DSRG, CVPR 2018; the procedure is that of the released code.

    Args:
        probs (Tensor): q, floating point (N, K, h, w); zeros on padding keep regions away from it.
        seeds (Tensor): s, integer (N, h, w), 0 to K - 1, or 255 for none.
        tags (Tensor): (N, K), 1 for a class that is in the image; the background always counts.
        fg_threshold, bg_threshold (float): in 0..1; a probability must be greater.

    Returns:
        Tensor: int64 (N, h, w), 0 to K - 1, or 255; on the device of `probs`.

    Raises:
        ValueError: shapes that do not agree, a seed that is no class, a threshold outside 0..1.
    """
    _check(probs, seeds, tags, fg_threshold, bg_threshold)
    seeds = seeds.to(probs.device, torch.long)
    absent = ~tags.to(probs.device).bool()
    absent[:, 0] = False
    confidence, best = probs.masked_fill(absent[..., None, None], 0).max(1)
    sure = torch.where(best == 0, confidence > bg_threshold, confidence > fg_threshold)
    labels = torch.where(sure, best, seeds)
    reached = _in_seeded_regions(labels.cpu().numpy(), seeds.cpu().numpy())
    reached = torch.from_numpy(reached).to(probs.device)
    return torch.where(reached & (seeds == IGNORE), labels, seeds)


def _in_seeded_regions(labels, seeds):
    """Pixels whose region of equal labels has a seed of that label, bool (N, h, w)."""
    classes = np.setdiff1d(labels, IGNORE)[:, None, None]
    masks = labels[:, None] == classes
    regions, number = label(masks, _NEIGHBOURS)
    seeded = np.zeros(number + 1, bool)
    seeded[regions[masks & (seeds[:, None] == classes)]] = True
    return seeded[regions].any(1)


def _check(probs, seeds, tags, fg_threshold, bg_threshold):
    for name, threshold in ('fg_threshold', fg_threshold), ('bg_threshold', bg_threshold):
        if not 0 <= threshold <= 1:  # NaN too
            raise ValueError(f'{name} is a probability, 0 to 1; got {threshold}.')
    if probs.dim() != 4 or not probs.is_floating_point():
        raise ValueError(f'probs must be floating point (N, K, h, w); got {probs.dtype} of shape '
                         f'{tuple(probs.shape)}.')
    number, classes, height, width = probs.shape
    for name, tensor, expected in (('seeds', seeds, (number, height, width)),
                                   ('tags', tags, (number, classes))):
        if tuple(tensor.shape) != expected:
            raise ValueError(f'{name} must have shape {expected}, to match probs '
                             f'{tuple(probs.shape)}; got {tuple(tensor.shape)}.')
    strange = (seeds != IGNORE) & ((seeds < 0) | (seeds >= classes))
    if strange.any():
        raise ValueError(f'seeds have label {int(seeds[strange][0])}, but there are {classes} '
                         'classes (and 255).')
