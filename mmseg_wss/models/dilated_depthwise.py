"""Dilated depthwise convolutions whose gradients are fast on a CPU.

oneDNN has no fast kernel for them: that of a 5x5 filter with dilation 2 takes five times as long as
without dilation. Every d-th row and column of an image sees only its like, so a convolution with
dilation d is an ordinary one of the d * d smaller images that they make up.
"""
import torch
import torch.nn.functional as F
from torch import nn


def conv2d_by_parts(inputs, weight, dilation):
    r"""Depthwise convolution with zero padding that keeps the size, without its bias.

    .. math::
        y_{nc}(p) = \sum_t w_c(t) \, x_{nc}(p + d t)

    Args:
        inputs (Tensor): float (N, C, H, W).
        weight (Tensor): float (C, 1, k, k), k odd.
        dilation (int): d.

    Returns:
        Tensor: (N, C, H, W), channels last: that of ``F.conv2d(inputs, weight, None, 1,
        d * (k // 2), d, C)`` up to rounding.
    """
    number, channels, height, width = inputs.shape
    inputs = F.pad(inputs, (0, -width % dilation, 0, -height % dilation))
    rows, columns = (size // dilation for size in inputs.shape[-2:])
    # (N, H/d, d, W/d, d, C) -> one image for each of the d * d places: (d, d, N, H/d, W/d, C)
    parts = inputs.permute(0, 2, 3, 1).reshape(
        number, rows, dilation, columns, dilation, channels).permute(2, 4, 0, 1, 3, 5)
    parts = parts.reshape(-1, rows, columns, channels).permute(0, 3, 1, 2)
    parts = F.conv2d(parts, weight, padding=weight.shape[-1] // 2, groups=channels)
    whole = parts.permute(0, 2, 3, 1).reshape(
        dilation, dilation, number, rows, columns, channels).permute(2, 3, 0, 4, 1, 5)
    whole = whole.reshape(number, rows * dilation, columns * dilation, channels)
    return whole.permute(0, 3, 1, 2)[..., :height, :width]


class DilatedDepthwiseConv2d(nn.Conv2d):
    """``nn.Conv2d`` that takes gradients on a CPU by `conv2d_by_parts`."""

    def forward(self, inputs):
        """See ``nn.Conv2d``."""
        dilation = self.dilation[0]
        # a part of one row or column would be padding for the most part
        if (inputs.is_cuda or not torch.is_grad_enabled()
                or min(inputs.shape[-2:]) < 2 * dilation):
            return super().forward(inputs)
        outputs = conv2d_by_parts(inputs, self.weight, dilation)
        return outputs if self.bias is None else outputs + self.bias.view(-1, 1, 1)


def speed_up_dilated_depthwise(network):
    """Make the dilated depthwise convolutions of a network `DilatedDepthwiseConv2d`, in place.

    Weights and their names stay. Convolutions with strides, or another padding than that which
    keeps the size, stay as they are, as do those of other classes.

    Args:
        network (nn.Module): any.
    """
    for module in network.modules():
        if type(module) is nn.Conv2d and _fits(module):
            module.__class__ = DilatedDepthwiseConv2d


def _fits(conv):
    (size, other), (dilation, second) = conv.kernel_size, conv.dilation
    return (conv.groups == conv.in_channels == conv.out_channels and conv.stride == (1, 1)
            and size == other and size % 2 == 1 and dilation == second > 1
            and conv.padding == (dilation * (size // 2), ) * 2 and conv.padding_mode == 'zeros')
