"""Pretrained RGB weights in a backbone with more input channels."""
import torch
from mmengine.logging import print_log
from torch import nn


def widen_filters(weight, in_channels, new_channels='zero'):
    """Widen the filters of a first convolution from RGB to more channels.

    Args:
        weight (Tensor): (O, 3, kH, kW), filters for R, G, B.
        in_channels (int): C, at least 3.
        new_channels (str): what the filters of channels 4..C are: 'zero' (the network starts as the
            RGB network exactly) or 'mean' (of the three RGB filters).

    Returns:
        Tensor: (O, C, kH, kW); channels 1 to 3 are those of `weight`.

    Raises:
        ValueError: an unknown `new_channels`, or `weight` is not for RGB.
    """
    if new_channels not in ('zero', 'mean'):
        raise ValueError(f"new_channels must be 'zero' or 'mean', got {new_channels!r}.")
    if weight.shape[1] != 3 or in_channels < 3:
        raise ValueError('filters for 3 channels can be widened to 3 or more, got filters of '
                         f'shape {tuple(weight.shape)} for {in_channels} channels.')
    mean = weight.mean(1, keepdim=True) * (new_channels == 'mean')
    return torch.cat((weight, mean.expand(-1, in_channels - 3, -1, -1)), 1)


def widen_on_load(backbone, new_channels='zero'):
    """Let a backbone of more than 3 input channels take weights of its RGB form.

    From now on, whatever loads weights into the backbone's first convolution (``pretrained``, an
    ``init_cfg``, ``load_from``) may bring filters for RGB: they go through `widen_filters`. Weights
    that fit pass unchanged. A backbone for RGB is left alone.

    Args:
        backbone (nn.Module): its first ``Conv2d``, in the order of its modules, sees the image.
        new_channels (str): see `widen_filters`.

    Raises:
        KeyError: (when loading) the weights have no filters for the first convolution.
    """
    name, conv = next(((name, module) for name, module in backbone.named_modules()
                       if isinstance(module, nn.Conv2d)), (None, None))
    if conv is None or conv.in_channels <= 3:
        return

    def widen(state_dict, prefix, *_):
        key = f'{prefix}weight'
        if key not in state_dict:
            raise KeyError(
                f'the weights to load have no {key!r}, which is the first convolution of '
                f'{type(backbone).__name__} ({name}, {conv.in_channels} input channels): load '
                'weights of this backbone (a prefix may have to be removed or set), or none.')
        if state_dict[key].shape[1] == 3:
            state_dict[key] = widen_filters(state_dict[key], conv.in_channels, new_channels)
            print_log(f'first convolution {key}: RGB filters kept, {conv.in_channels - 3} further '
                      f'channels start as {new_channels}', logger='current')

    conv._register_load_state_dict_pre_hook(widen)
