"""Labels at the resolution of a head's own logits."""
import torch


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
