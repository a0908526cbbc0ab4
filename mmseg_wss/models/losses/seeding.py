"""The losses of DSRG: balanced seeding and boundary."""
import torch

from mmseg_wss.labels.checks.label_check import IGNORE

FLOOR = 1e-4
"""float: the smallest probability, before it is normalised."""
RATIOS = 0.05, 20.  # to which the boundary loss clips q / p


def floored_softmax(logits):
    """Softmax with a bounded logarithm: softmax + 1e-4, normalised again.

    Args:
        logits (Tensor): (N, K, h, w); half precision is computed in float32.

    Returns:
        Tensor: (N, K, h, w).
    """
    if logits.dtype != torch.float64:
        logits = logits.float()
    return normalise(logits.softmax(1) + FLOOR)


def normalise(scores):
    """Divide scores (N, K, h, w) by their sum over K."""
    return scores / scores.sum(1, keepdim=True)


def balanced_seeding_loss(probs, seeds):
    r"""Cross entropy of the seeds, background and objects averaged apart in each image.

    With B_n the background seeds of image n and F_n those of its objects,

    .. math::
        L = -\frac{1}{N} \sum_n \Big( \frac{1}{|B_n|} \sum_{u \in B_n} \log p_0(u)
            + \frac{1}{|F_n|} \sum_{u \in F_n} \log p_{s(u)}(u) \Big)

    A side without seeds contributes 0.

    Source: Huang et al., DSRG, CVPR 2018.

    Args:
        probs (Tensor): p, positive, (N, K, h, w).
        seeds (Tensor): s, int64 (N, h, w), 0 to K - 1, or 255 for none.

    Returns:
        Tensor: scalar.

    Raises:
        ValueError: `seeds` of another size.
    """
    _check_shape('seeds', seeds, (len(probs), *probs.shape[2:]), probs)
    seeded = seeds != IGNORE
    own = probs.gather(1, seeds.masked_fill(~seeded, 0)[:, None])[:, 0].log()
    sides = seeded & (seeds == 0), seeded & (seeds != 0)
    return -sum((own * side).sum((1, 2)) / side.sum((1, 2)).clamp(min=1) for side in sides).mean()


def boundary_loss(probs, targets, valid=None):
    r"""How far probabilities are from their refinement by a CRF, which knows the image's edges.

    .. math::
        L = \frac{1}{|V|} \sum_{u \in V} \sum_c q_c(u) \log \operatorname{clip}
            \Big( \frac{q_c(u)}{p_c(u)}, 0.05, 20 \Big)

    over the valid pixels V of the batch: KL(q || p), but for the clipping, where p has no gradient.
    q has none anywhere, so p moves towards q (as in SEC; the released code of DSRG lets (1 - q)
    times the gradient pass through the CRF).

    Source: Kolesnikov and Lampert, SEC, ECCV 2016 (constrain-to-boundary loss); DSRG.

    Args:
        probs (Tensor): p, positive, (N, K, h, w).
        targets (Tensor): q, (N, K, h, w); detached here.
        valid (Tensor, optional): bool (N, h, w), False on padding.

    Returns:
        Tensor: scalar; 0 without a valid pixel.

    Raises:
        ValueError: `targets` or `valid` of another size.
    """
    _check_shape('targets', targets, tuple(probs.shape), probs)
    targets = targets.detach()
    divergence = (targets * (targets / probs).clamp(*RATIOS).log()).sum(1)
    if valid is None:
        return divergence.mean()
    _check_shape('valid', valid, tuple(divergence.shape), probs)
    return (divergence * valid).sum() / valid.sum().clamp(min=1)


def _check_shape(name, tensor, expected, probs):
    if tuple(tensor.shape) != expected:
        raise ValueError(f'{name} must have shape {expected}, to match probs '
                         f'{tuple(probs.shape)}; got {tuple(tensor.shape)}.')
