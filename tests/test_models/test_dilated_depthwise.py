"""Dilated depthwise convolutions in parts: the numbers of torch's own."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmseg_wss.models.dilated_depthwise import (
    DilatedDepthwiseConv2d,
    conv2d_by_parts,
    speed_up_dilated_depthwise,
)


@pytest.mark.parametrize('size', [(14, 14), (9, 13), (5, 4), (1, 2)])
@pytest.mark.parametrize('kernel', [1, 3, 5])
@pytest.mark.parametrize('dilation', [1, 2, 3, 6])
def test_values_and_gradients_are_those_of_torch(size, kernel, dilation):
    torch.manual_seed(0)
    inputs = torch.randn(2, 3, *size, dtype=torch.double, requires_grad=True)
    weight = torch.randn(3, 1, kernel, kernel, dtype=torch.double, requires_grad=True)
    weights_of_loss = torch.randn(2, 3, *size, dtype=torch.double)
    found, expected = (
        (outputs, *torch.autograd.grad((outputs * weights_of_loss).sum(), (inputs, weight)))
        for outputs in (conv2d_by_parts(inputs, weight, dilation), F.conv2d(
            inputs, weight, None, 1, dilation * (kernel // 2), dilation, 3)))
    for one, other in zip(found, expected):
        torch.testing.assert_close(one, other)


def network():
    return nn.Sequential(
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4),  # the one that is taken in parts
        nn.Conv2d(4, 4, 3, padding=1, groups=4),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=2),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4, stride=2),
        nn.Conv2d(4, 4, 3, padding=1, dilation=2, groups=4),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4, padding_mode='reflect'))


def test_a_network_keeps_its_weights_and_its_outputs():
    torch.manual_seed(0)
    plain, fast = network(), network()
    fast.load_state_dict(plain.state_dict())
    speed_up_dilated_depthwise(fast)
    assert [type(conv) is DilatedDepthwiseConv2d for conv in fast] == [True] + [False] * 5
    assert list(fast.state_dict()) == list(plain.state_dict())
    inputs = torch.randn(2, 4, 16, 12)
    torch.testing.assert_close(fast(inputs), plain(inputs))
    with torch.no_grad():  # as it was: the same bits
        assert torch.equal(fast(inputs), plain(inputs))
