"""How many files each kind of extension touches: one, the example itself."""
import sys

import numpy as np
import pytest
import torch
from head_bench import losses_of
from mmengine.config import Config
from mmengine.registry import MODELS

from mmseg_wss.proposals import METHODS, propose


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A function that writes a module and a config that imports it, and loads the config."""
    def load(name, code, config):
        (tmp_path / f'{name}.py').write_text(code)
        (tmp_path / 'config.py').write_text(f"custom_imports = dict(imports=['{name}'])\n{config}")
        monkeypatch.syspath_prepend(str(tmp_path))
        loaded = Config.fromfile(tmp_path / 'config.py')
        monkeypatch.delitem(sys.modules, name)
        return loaded
    return load


HEAD = '''
from torch import nn
from mmengine.registry import MODELS
from mmseg_wss.models.decode_heads import TwoBranchHead

@MODELS.register_module()
class HouseTwoLinearHead(TwoBranchHead):
    def _build_layers(self):
        return nn.Conv2d(self.in_channels, self.channels, 1)
'''


def test_a_two_branch_head_is_one_file(project):
    head = MODELS.build(project('house_head', HEAD, '''
head = dict(type='HouseTwoLinearHead', num_classes=3, feature_head=dict(
    type='mmseg.FCNHead', in_channels=4, in_index=0, channels=8, num_convs=1, concat_input=False))
''').head)
    losses = losses_of(head, ['pixel', 'box'])
    names = {name for name in losses if 'loss' in name}
    assert {name.split('.')[0] for name in names} == {'strong', 'weak'}
    sum(losses[name] for name in names).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in head.parameters())


LOSS = '''
import torch
from mmengine.registry import MODELS

@MODELS.register_module()
class HouseHalfLoss(torch.nn.Module):
    loss_name = 'loss_half'

    def forward(self, logits, labels, weight=None, ignore_index=255, **kwargs):
        kept = labels != ignore_index
        return 0.5 * (logits.logsumexp(1) - logits.gather(
            1, labels.clamp(max=logits.shape[1] - 1)[:, None])[:, 0])[kept].mean()
'''


def test_a_loss_is_one_file(project):
    """Half of the cross entropy of labelled pixels, inside a head of ours."""
    base = dict(type='mmseg_wss.MixedDualHead', num_classes=3, feature_head=dict(
        type='mmseg.FCNHead', in_channels=4, in_index=0, channels=8, num_convs=1,
        concat_input=False))
    loss = project('house_loss', LOSS, "loss = dict(type='HouseHalfLoss')").loss
    values = []
    for option in loss, dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True):
        torch.manual_seed(0)
        head = MODELS.build(dict(base, loss_decode=option))
        losses = losses_of(head, ['pixel', 'box'])
        values.append(next(value for name, value in losses.items()
                           if name.startswith('strong.loss')))
    torch.testing.assert_close(2 * values[0], values[1])


def test_a_proposal_method_is_a_function_and_a_line(monkeypatch):
    def upper_half(image, boxes, labels, mcg_path):
        masks = np.zeros((len(boxes), *image.shape[:2]), bool)
        for mask, (x1, y1, x2, y2) in zip(masks, boxes.astype(int)):
            mask[y1:(y1 + y2) // 2, x1:x2] = True
        return masks
    monkeypatch.setitem(METHODS, 'upper_half', upper_half)
    mask = propose(np.zeros((8, 6, 3), np.uint8), np.array([[1., 2, 5, 6]]), np.array([3]),
                   'upper_half')
    expected = np.zeros((8, 6), np.uint8)
    expected[2:4, 1:5] = 3
    assert (mask == expected).all()
