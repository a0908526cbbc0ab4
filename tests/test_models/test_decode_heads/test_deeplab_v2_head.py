import torch
import torch.nn.functional as F
from mmseg.utils import register_all_modules

from mmseg_wss.registry import MODELS

register_all_modules()


def build():
    torch.manual_seed(0)
    return MODELS.build(dict(
        type='mmseg_wss.DeepLabV2Head', in_channels=4, num_classes=3, dilations=(1, 3)))


def test_logits_are_the_sum_of_dilated_convolutions():
    head, features = build(), torch.rand(2, 4, 9, 8)
    expected = sum(F.conv2d(features, c.weight, c.bias, padding=d, dilation=d)
                   for c, d in zip(head.classifiers, (1, 3)))
    torch.testing.assert_close(head([features]), expected)


def test_a_pixel_sees_the_reach_of_the_largest_dilation_and_no_more():
    head, features = build(), torch.rand(1, 4, 11, 11, requires_grad=True)
    head([features])[0, :, 5, 5].sum().backward()
    seen = features.grad.abs().sum((0, 1)) > 0
    rows, columns = seen.nonzero().T
    assert set(zip(rows.tolist(), columns.tolist())) == {
        (5 + d * dy, 5 + d * dx) for d in (1, 3) for dy in (-1, 0, 1) for dx in (-1, 0, 1)}
