from types import SimpleNamespace

import pytest
import torch
from mmengine.runner.checkpoint import load_state_dict
from torch import nn

from mmseg_wss.engine.hooks import WholeNetworkHook
from mmseg_wss.engine.hooks.whole_network_hook import weight_faults
from mmseg_wss.errors import DataError
from mmseg_wss.models.backbones import widen_on_load


@pytest.fixture
def model():
    return nn.ModuleDict(dict(backbone=nn.Sequential(nn.Conv2d(5, 8, 3), nn.BatchNorm2d(8)),
                              head=nn.Conv2d(8, 2, 1)))


def weights(model, leave_out=(), **further):
    return {**{key: value for key, value in model.state_dict().items() if key not in leave_out},
            **{key.replace('__', '.'): torch.zeros(shape) for key, shape in further.items()}}


def test_weights_of_the_network(model):
    assert weight_faults(model.state_dict(), model) == []
    assert weight_faults(weights(model, ['backbone.1.num_batches_tracked']), model) == []
    assert weight_faults(weights(model, auxiliary_head__weight=(2, 3)), model) == []


def test_weights_of_others(model):
    assert weight_faults(weights(model, ['head.bias', 'head.weight']), model) == [
        '2 missing: head.bias, head.weight']
    assert weight_faults(weights(model, backbone__2__weight=(1,)), model) == [  # a deeper one
        '1 of no layer of the network: backbone.2.weight']
    assert [line.split()[1] for line in weight_faults({'backbone.9': torch.zeros(1)}, model)] == [
        'missing:', 'of']


def test_an_rgb_network_is_no_network_of_priors(model):
    """Its filters can be widened, so loading it strictly raises nothing."""
    widen_on_load(model.backbone)
    rgb = weights(model, backbone__0__weight=(8, 3, 3, 3))
    load_state_dict(model, rgb, strict=True)
    assert weight_faults(rgb, model) == [
        '1 of another shape: backbone.0.weight (8, 3, 3, 3) instead of (8, 5, 3, 3)']


def test_the_hook_names_the_checkpoint(model):
    hook, runner = WholeNetworkHook('/x/net.pth'), SimpleNamespace(model=model)
    for key in ('', 'module.'):
        state = {f'{key}{name}': value for name, value in weights(model).items()}
        hook.after_load_checkpoint(runner, state)
        hook.after_load_checkpoint(runner, dict(state_dict=state))
    with pytest.raises(DataError, match=r'/x/net\.pth: .*8 missing: backbone\.0\.bias, .*5 more'):
        hook.after_load_checkpoint(runner, dict(state_dict={}))
