import pytest
import torch
import torch.nn.functional as F
from mmseg.utils import register_all_modules

from mmseg_wss.registry import MODELS

register_all_modules()


def build(**options):
    torch.manual_seed(0)
    return MODELS.build(dict(
        type='mmseg_wss.DeepLabV2Head', in_channels=4, num_classes=3, dilations=(1, 3), **options))


def test_logits_are_the_sum_of_dilated_convolutions():
    head, features = build(), torch.rand(2, 4, 9, 8)
    expected = sum(F.conv2d(features, c.weight, c.bias, padding=d, dilation=d)
                   for c, d in zip(head.classifiers, (1, 3)))
    torch.testing.assert_close(head([features]), expected)


def test_hidden_layers_are_those_of_vgg16():
    """fc6 3x3 dilated, ReLU, fc7 1x1, ReLU, fc8 1x1 in each branch, summed."""
    head, features = build(hidden_channels=5).eval(), torch.rand(2, 4, 9, 8)
    expected = 0
    for dilation, hidden, fc8 in zip((1, 3), head.hidden, head.classifiers):
        fc6, fc7 = (layer for layer in hidden if isinstance(layer, torch.nn.Conv2d))
        assert (fc6.out_channels, fc7.out_channels) == (5, 5)
        x = F.conv2d(features, fc6.weight, fc6.bias, padding=dilation, dilation=dilation).relu()
        x = F.conv2d(x, fc7.weight, fc7.bias).relu()
        expected = expected + F.conv2d(x, fc8.weight, fc8.bias)
    torch.testing.assert_close(head([features]), expected)


@pytest.mark.parametrize('ratio, differ', [(0., False), (0.5, True)])
def test_dropout_of_the_hidden_layers_in_training(ratio, differ):
    head = build(hidden_channels=8, hidden_dropout_ratio=ratio).train()
    features = [torch.rand(1, 4, 9, 8)]
    assert (not torch.equal(head(features), head(features))) == differ


def test_weights_at_the_start():
    """Classifiers as DeepLab's, hidden layers wide enough to hand on what they get."""
    plain, deep = build(), build(hidden_channels=256)
    for head in plain, deep:
        head.init_weights()
        for classifier in head.classifiers:
            assert classifier.weight.std().item() == pytest.approx(0.01, rel=0.2)
            assert (classifier.bias == 0).all()
    for hidden in deep.hidden:
        assert hidden[0].weight.std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.2)
        assert hidden[3].weight.std().item() == pytest.approx((2 / 256) ** 0.5, rel=0.2)


def test_a_checkpoint_of_the_plain_head_has_the_classifiers_alone():
    assert set(build().state_dict()) == {
        f'classifiers.{i}.{name}' for i in (0, 1) for name in ('weight', 'bias')}


@pytest.mark.parametrize('hidden_channels', [None, 8])
def test_a_pixel_sees_the_reach_of_the_largest_dilation_and_no_more(hidden_channels):
    head = build(hidden_channels=hidden_channels).eval()
    features = torch.rand(1, 4, 11, 11, requires_grad=True)
    head([features])[0, :, 5, 5].sum().backward()
    seen = features.grad.abs().sum((0, 1)) > 0
    rows, columns = seen.nonzero().T
    assert set(zip(rows.tolist(), columns.tolist())) == {
        (5 + d * dy, 5 + d * dx) for d in (1, 3) for dy in (-1, 0, 1) for dx in (-1, 0, 1)}
