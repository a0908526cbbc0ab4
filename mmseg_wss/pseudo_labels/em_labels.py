"""E-steps: the labels that EM gives an image from the network's scores and its weak labels (WSSL).

Shapes: N images with C classes, 0 the background, at the h x w pixels of the head's own logits.
Of equal scores the class with the higher index wins, as in the authors' code.
"""
import math

import torch

from mmseg_wss.labels.checks.label_check import IGNORE


@torch.no_grad()
def fixed_bias_labels(scores, tags, bias_bg=3., bias_fg=5.):
    r"""EM-Fixed: the best class, with an advantage for those that the image has.

    .. math::
        \hat y_m = \arg\max_l f_m(l) + z_l \, b_l, \quad b_0 = b_{bg}, \; b_l = b_{fg}

    An absent class has no bias. It can still win where its score is high enough.

    Source: Papandreou et al., WSSL, algorithm 1 and eq. 10 to 11; there b_bg = 3, b_fg = 5.

    Args:
        scores (Tensor): logits, floating point (N, C, h, w).
        tags (Tensor): (N, C), 1 for a class that is in the image; the background counts, too.
        bias_bg (float): b_bg.
        bias_fg (float): b_fg, above `bias_bg` so that objects are not taken for background.

    Returns:
        Tensor: int64 (N, h, w), 0 to C - 1.

    Raises:
        ValueError: `tags` of another shape than (N, C), or a bias that is no finite number.
    """
    present = _present(scores, tags)
    biases = present * _biases(scores, bias_bg, bias_fg)
    return _best_class(scores.float() + biases[..., None, None])


@torch.no_grad()
def box_bias_labels(scores, box_labels, bias_bg=5., bias_fg=6.):
    r"""Bbox-EM-Fixed: an advantage for a box's class inside it, for the background anywhere.

    .. math::
        \hat y_m = \arg\max_l f_m(l) + b_{bg} [l = 0] + b_{fg} [l = r_m \ne 0]

    with r_m the label of pixel m when all boxes are filled, smaller ones over larger ones. A pixel
    with r_m = 255 has no advantage for any class.

    Source: Papandreou et al., WSSL, section 3.3; the biases are those of the released config.

    Args:
        scores (Tensor): logits, floating point (N, C, h, w).
        box_labels (Tensor): r, integer (N, h, w), 0 to C - 1 or 255.
        bias_bg (float): b_bg.
        bias_fg (float): b_fg.

    Returns:
        Tensor: int64 (N, h, w), 0 to C - 1.

    Raises:
        ValueError: `box_labels` of another size, or a label that is no class; a bias that is no
            finite number.
    """
    number, classes, *size = scores.shape
    if box_labels.shape != (number, *size):
        raise ValueError(f'box_labels must be {(number, *size)} for scores of '
                         f'{tuple(scores.shape)}, got {tuple(box_labels.shape)}.')
    labelled = box_labels != IGNORE
    strange = labelled & ((box_labels < 0) | (box_labels >= classes))
    if strange.any():
        raise ValueError(f'box_labels has label {int(box_labels[strange][0])}, but there are '
                         f'{classes} classes (and 255).')
    biases = _biases(scores, bias_bg, bias_fg)
    own = torch.where(labelled, box_labels, 0).long()[:, None]
    biased = scores.float().scatter_add(1, own, biases[own] * (own > 0))
    biased[:, 0] += biases[0] * labelled
    return _best_class(biased)


@torch.no_grad()
def adaptive_bias_labels(scores, tags, rho_bg=0.4, rho_fg=0.2, sweeps=5, suppress=True, valid=None,
                         generator=None):
    r"""EM-Adapt: the best class, with biases per image that give each of its classes some area.

    For one class l of the image after another, with M_m the best score of the image's classes at
    pixel m: the bias b is the order statistic floor(rho_l n) of the n values M_m - f_m(l), counted
    from 0, and f_m(l) grows by b at all pixels. So l wins, or ties, at more than rho_l n pixels at
    that moment; the classes behind it may take some of them back, so it is done in `sweeps`. The
    background comes first, the other classes follow in random order.

    Where the portions add up to more than 1, none is reached, and every class of the image still
    has pixels at the end.

    Source: Papandreou et al., WSSL, section 3.2, "EM-Adapt"; the procedure is that of the authors'
    code.

    Args:
        scores (Tensor): logits, floating point (N, C, h, w).
        tags (Tensor): (N, C), 1 for a class that is in the image; the background counts, too.
        rho_bg (float): portion of the pixels that are background, in [0, 1], where it is a tag.
        rho_fg (float): portion of each other class of the image, in [0, 1].
        sweeps (int): at least 0.
        suppress (bool): absent classes never win; else they keep their scores. An image without
            any tag has nothing to choose from: its best classes are taken as they are.
        valid (Tensor, optional): (N, h, w), 1 inside the image and 0 on padding, whose pixels are
            not counted; they get a label like others.
        generator (torch.Generator, optional): of the random order, on the device of `scores`.

    Returns:
        Tensor: int64 (N, h, w), 0 to C - 1.

    Raises:
        ValueError: shapes that do not agree, a portion outside [0, 1], or fewer than 0 sweeps.
    """
    for name, portion in ('rho_bg', rho_bg), ('rho_fg', rho_fg):
        if not 0 <= portion <= 1:  # NaN too
            raise ValueError(f'{name} is a portion of the pixels, 0 to 1; got {portion}.')
    if sweeps < 0:
        raise ValueError(f'sweeps must be at least 0, got {sweeps}.')
    present, shape = _present(scores, tags), scores.shape
    if valid is not None and valid.shape != (shape[0], *shape[2:]):
        raise ValueError(f'valid must be {(shape[0], *shape[2:])} for scores of {tuple(shape)}, '
                         f'got {tuple(valid.shape)}.')
    scores = scores.float().flatten(2).clone()
    counted = (torch.ones_like(scores[:, 0], dtype=torch.bool) if valid is None
               else valid.flatten(1).bool())
    absent = (~present & present.any(1, keepdim=True))[..., None]
    best = scores.masked_fill(absent, -torch.inf).amax(1)

    portions = scores.new_full((shape[1],), rho_fg, dtype=torch.float64)
    portions[0] = rho_bg
    ranks = (portions * counted.sum(1, keepdim=True)).floor().long()
    ranks = ranks.minimum((counted.sum(1, keepdim=True) - 1).clamp(min=0))
    images = torch.arange(shape[0], device=scores.device)
    most = int(present.sum(1).max()) if present.numel() else 0
    for _ in range(sweeps):
        order = _background_first(present, generator)
        for label in order[:, :most].T:
            own = scores[images, label]
            gaps = (best - own).masked_fill(~counted, torch.inf).sort(1).values
            bias = gaps.gather(1, ranks[images, label][:, None])
            # an image with fewer classes than others is done already
            moved = (present[images, label] & counted.any(1))[:, None]
            scores[images, label] = own = torch.where(moved, own + bias, own)
            best = torch.where(moved, best.maximum(own), best)
    if suppress:
        scores = scores.masked_fill(absent, -torch.inf)
    return _best_class(scores.view(shape))


def _background_first(present, generator):
    """Classes of each image: the background, the others that it has by chance, then the absent."""
    keys = torch.rand(present.shape, generator=generator, device=present.device)
    keys[:, 0] = -1
    return keys.masked_fill(~present, 2).argsort(1)


def _best_class(scores):
    """Argmax over dim 1; of equal scores the last one."""
    return scores.shape[1] - 1 - scores.flip(1).argmax(1)


def _biases(scores, bias_bg, bias_fg):
    if not math.isfinite(bias_bg + bias_fg):
        raise ValueError(f'the biases must be finite numbers, got {bias_bg} and {bias_fg}.')
    background = torch.arange(scores.shape[1], device=scores.device) == 0
    return torch.where(background, float(bias_bg), float(bias_fg))


def _present(scores, tags):
    if scores.ndim != 4 or tags.shape != scores.shape[:2]:
        raise ValueError(f'for scores of (N, C, h, w) tags must be (N, C); got '
                         f'{tuple(scores.shape)} and {tuple(tags.shape)}.')
    return tags.bool()
