"""The tool's order on drawn images; what it keeps; that it opens no label."""
import csv
import json
import shutil

import numpy as np
import pytest
import torch
from devkit import make_devkit
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image
from tiny_run import ROOT

from mmseg_wss.models.converters import publish_strong
from mmseg_wss.pseudo_labels.ranking import diverse_order
from mmseg_wss.registry import MODELS

CONFIG = f"""
_base_ = {str(ROOT / 'configs/quickstart/mixed_dual_shapes.py')!r}
test_dataloader = dict(dataset=dict(
    type='mmseg_wss.VOCWeakSegDataset', data_root='devkit',
    ann_file='ImageSets/Segmentation/val.txt'))
model = dict(decode_head=dict(num_classes=3))
"""
LIST = 'devkit/ImageSets/Segmentation/{}.txt'


@pytest.fixture
def rank(tmp_path, monkeypatch, run_tool):
    """A function that ranks the 6 weak images of a devkit without labels; returns the table."""
    monkeypatch.chdir(tmp_path)
    make_devkit('devkit', weak=6, size=(20, 24))
    for folder in 'SegmentationClass', 'Annotations':
        shutil.rmtree(tmp_path / 'devkit' / folder)
    (tmp_path / 'own.py').write_text(CONFIG)
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile('own.py').model)
    for name, tensor in model.state_dict().items():
        if 'conv_seg.weight' in name:
            tensor.normal_()
    torch.save(dict(state_dict=model.state_dict()), 'trained.pth')

    def run(*options, code=0):
        found, printed = run_tool('rank_images.py', 'own.py', 'trained.pth', '--ann-file',
                                  LIST.format('weak'), '--out', 'ranked.csv', *options)
        assert found == code, printed
        if code:
            return printed
        with open('ranked.csv', newline='') as file:
            return list(csv.DictReader(file))

    return run


def kept():
    lines = open('ranked.csv.scores.jsonl').read().splitlines()[1:]
    return {entry['image'].split('/')[-1][:-4]: entry for entry in map(json.loads, lines)}


def test_orders(rank):
    table = rank('--no-diversity')
    assert sorted(row['image'] for row in table) == [f'w{i}' for i in range(6)]
    values = [float(row['disagreement']) for row in table]
    assert values == sorted(values, reverse=True) and values[0] > values[-1] > 0
    assert np.array(Image.open('ranked.csv.png')).std() > 10
    values = [float(row['entropy']) for row in rank('--no-diversity', '--by', 'entropy')]
    assert values == sorted(values, reverse=True)
    table = rank('--no-diversity', '--by', 'nothing', '--cost', 'box')
    objects = [int(row['objects']) for row in table]
    assert objects == sorted(objects)
    assert [float(row['seconds']) for row in table] == [round(10 + 34.5 * n) for n in objects]

    table = rank('--by', 'nothing', '--labelled', LIST.format('strong'))
    entries = kept()
    names = [f'w{i}' for i in range(6)]
    features, labelled = (np.array([entries[name]['features'] for name in group])
                          for group in (names, ['s0', 's1']))
    assert [row['image'] for row in table] == [
        names[i] for i in diverse_order(features, labelled=labelled)]


def test_it_goes_on_where_it_was_killed(rank, monkeypatch):
    table = rank()
    lines = open('ranked.csv.scores.jsonl', 'rb').read().split(b'\n')
    with open('ranked.csv.scores.jsonl', 'wb') as file:
        file.write(b'\n'.join(lines[:4]) + b'\n' + lines[4][:20])
    scored = []
    from mmseg_wss.engine.image_ranking import ImageScorer
    facts = ImageScorer.facts
    monkeypatch.setattr(ImageScorer, 'facts',
                        lambda self, sample: scored.append(1) or facts(self, sample))
    assert rank() == table and len(scored) == 3
    with open('ranked.csv.scores.jsonl', 'ab') as file:
        file.write(b'{}\n')
    assert 'ranked.csv.scores.jsonl: line 8' in rank(code=1)
    torch.save(dict(torch.load('trained.pth'), meta=dict(iter=2)), 'trained.pth')  # another file
    assert rank() == table and len(scored) == 9


def test_without_a_weak_branch(rank):
    options = '--cfg-options', 'model.decode_head.weak_branch=False'
    assert '--by entropy' in rank('--by', 'disagreement', *options, code=1)
    assert rank(*options)[0]['disagreement'] == ''


def test_a_published_checkpoint(rank):
    """It has no weak branch, and the strong one is as unsure as before."""
    options = '--by', 'entropy', '--no-diversity'
    before = rank(*options)
    publish_strong(Config.fromfile('own.py'), 'trained.pth', 'trained.pth')
    assert [dict(row, disagreement='') for row in before] == rank(*options)
