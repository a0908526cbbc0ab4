"""How many files each kind of extension touches: one, the example itself."""
import sys

import numpy as np
import pytest
import torch
from dataset_bench import WEAK_IDS, make_root, voc_config
from devkit import CLASSES
from head_bench import losses_of
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS, init_default_scope

from mmseg_wss.engine.config_check import check_sample
from mmseg_wss.errors import DataError
from mmseg_wss.labels.kinds import KINDS, is_weak
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


FEATURES = dict(type='mmseg.FCNHead', in_channels=4, in_index=0, channels=8, num_convs=1,
                concat_input=False)

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
    config = project('house_head', HEAD, f"""
head = dict(type='HouseTwoLinearHead', num_classes=3, feature_head={FEATURES})
""")
    head = MODELS.build(config.head)
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
    base = dict(type='mmseg_wss.MixedDualHead', num_classes=3, feature_head=FEATURES)
    loss = project('house_loss', LOSS, "loss = dict(type='HouseHalfLoss')").loss
    values = []
    for option in loss, dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True):
        torch.manual_seed(0)
        head = MODELS.build(dict(base, loss_decode=option))
        losses = losses_of(head, ['pixel', 'box'])
        values.append(next(value for name, value in losses.items()
                           if name.startswith('strong.loss')))
    torch.testing.assert_close(2 * values[0], values[1])


LABELS = '''
from mmseg_wss.labels.formats.text_list import read_lines
from mmseg_wss.labels.kinds import KINDS, LabelFile, LabelKind
from mmseg_wss.labels.readers import read_objects

def read_house_boxes(label, info, classes, shape, backend_args):
    """Lines of X1 Y1 X2 Y2 CLASS."""
    rows = [line.split() for line in read_lines(info['house_path'])]
    objects = dict(names=[row[4] for row in rows], bboxes=[row[:4] for row in rows])
    read_objects(label, dict(info, objects=objects), classes, shape, backend_args)

KINDS['house'] = LabelKind(
    read_house_boxes, ('gt_bboxes', 'gt_bboxes_labels', 'gt_tags'),
    LabelFile('house_path', 'house_path', 'HouseBoxes', '.txt'))
'''


def test_a_file_format_of_labels_is_one_file(project, tmp_path, monkeypatch):
    """It is loaded and checked as those of the package."""
    monkeypatch.setitem(KINDS, 'house', None)  # so that the entry goes with the test
    init_default_scope('mmseg')
    root = make_root(tmp_path / 'data')
    (root / 'HouseBoxes').mkdir()
    for name in WEAK_IDS:
        (root / f'HouseBoxes/{name}.txt').write_text('1 2 8.5 9 red\n0 3 4 5 green\n')
    (root / 'HouseBoxes/w2.txt').write_text('1 2 8 9 blue\n1 2 40 9 red\n')
    config = project('house_labels', LABELS, f'dataset = {voc_config(root, "house")}').dataset
    dataset = DATASETS.build(config)

    sample = dataset[0]['data_samples']
    assert sample.supervision == 'house' and is_weak(config)
    assert sample.gt_boxes.bboxes.tolist() == [[1, 2, 8.5, 9], [0, 3, 4, 5]]
    assert sample.gt_boxes.labels.tolist() == [1, 2] and sample.gt_tags.tolist() == [1, 1, 1]
    faults, _ = check_sample(dataset.get_data_info(2), CLASSES)
    assert len(faults) == 2 and "'blue'" in faults[0] and 'outside the image' in faults[1]
    with pytest.raises(DataError) as error:
        dataset[2]
    assert str(error.value).splitlines() == faults


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
