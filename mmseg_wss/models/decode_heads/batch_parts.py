"""Losses of the parts of a batch, such as its strong and its weak images."""
import torch
from mmseg.utils import add_prefix

from mmseg_wss.models.decode_heads.head_conventions import losses_in


def losses_of_parts(samples, parts):
    """Compute the losses of each part on its own samples, weigh them and put its name in front.

    Args:
        samples (list[SegDataSample]): N samples.
        parts (dict[str, tuple]): for each name, the numbers of its samples (list[int]); a function
            of these numbers and their samples that returns the losses (dict[str, Tensor], scalars),
            of an empty part too; and the weight of what has 'loss' in its key.

    Returns:
        dict[str, Tensor]: ``name.key``.
    """
    losses = {}
    for name, (members, compute, weight) in parts.items():
        own = compute(members, [samples[i] for i in members])
        losses.update(add_prefix({
            key: weight * value if 'loss' in key else value for key, value in own.items()}, name))
    return losses


def resting_losses(head, layers):
    """The losses of layers that no sample of a batch trains: zeros with a gradient path.

    So that all ranks reduce the same gradients.

    Args:
        head (nn.Module): a decode head, whose losses they would have.
        layers (nn.Module): with parameters.

    Returns:
        dict[str, Tensor]: the keys that ``loss_by_feat`` gives.
    """
    zero = 0 * sum(p.sum() for p in layers.parameters())
    return {**{loss.loss_name: zero for loss in losses_in(head)},
            'acc_seg': zero.detach().view(1)}


def take(maps, members):
    """Rows of a batch, by slices: a list as an index would be copied to the GPU, which is a wait.

    Args:
        maps (Tensor): (N, ...).
        members (list[int]): at least one.
    """
    first, last = members[0], members[-1]
    if members == list(range(first, last + 1)):
        return maps[first:last + 1]
    rows = maps.split(1)
    return torch.cat([rows[i] for i in members])
