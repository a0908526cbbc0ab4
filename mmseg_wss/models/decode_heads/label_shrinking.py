"""Labels at the resolution of a head's own logits."""
import torch

from mmseg_wss.labels.checks.label_check import IGNORE


def shrink(maps, shape):
    """Every s-th pixel of some maps, from the first one, where a network of stride s looks.

    Args:
        maps (Tensor): (..., H, W).
        shape (tuple): (h, w) that are left; s is H / h and W / w, each rounded up.

    Returns:
        Tensor: (..., h, w).
    """
    rows, columns = (
        (torch.arange(small, device=maps.device) * -(-large // small)).clamp(max=large - 1)
        for large, small in zip(maps.shape[-2:], shape))
    return maps[..., rows[:, None], columns]


def shrink_clicks(labels, shape, classes):
    """The few labels of points and scribbles at a smaller size, where none of them gets lost.

    A labelled pixel labels the pixel of the small map that `shrink` takes next to it. Where several
    meet, the class that most of them have wins, of equal ones the lower.

    Args:
        labels (Tensor): int64 (N, H, W), 0 to `classes` - 1 or 255.
        shape (tuple): (h, w), see `shrink`.
        classes (int): their number.

    Returns:
        Tensor: int64 (N, h, w), 255 where there is no label.
    """
    rows, columns = (
        ((torch.arange(large, device=labels.device) + step // 2) // step).clamp(max=small - 1)
        for large, small in zip(labels.shape[1:], shape) for step in [-(-large // small)])
    cells = rows[:, None] * shape[1] + columns
    size = shape[0] * shape[1]
    known = labels != IGNORE
    counts = torch.zeros(len(labels), classes * size, device=labels.device)
    counts.scatter_add_(1, (torch.where(known, labels, 0) * size + cells).flatten(1),
                        known.flatten(1).float())
    most, best = counts.view(len(labels), classes, *shape).max(1)
    return best.masked_fill(most == 0, IGNORE)
