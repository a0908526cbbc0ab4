"""The judge on a tiny devkit: no label but strong masks is opened, and nothing is done twice."""
import json
import shutil
import sys

import pytest
from devkit import make_devkit
from mmengine.config import Config
from tiny_run import ROOT, load_script, one_thread
from warm_process import run_one_by_one

from mmseg_wss.errors import ConfigError
from mmseg_wss.pipeline.cross_fitting import CrossFitting

CONFIG = """
_base_ = [{base!r}]
lists = 'ImageSets/Segmentation/'
pipeline = [dict(type='LoadImageFromFile'), dict(type='mmseg_wss.LoadWeakLabels'),
            dict(type='Resize', scale=(32, 32), keep_ratio=True),
            dict(type='mmseg_wss.PackWeakSegInputs')]
data = dict(type='mmseg_wss.VOCWeakSegDataset', data_root={root!r}, pipeline=pipeline)
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(batch_size=2, source_ratio=[1]),
    dataset=dict(datasets=[dict(data, ann_file=lists + 'strong.txt')]))
test_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(
    data, _delete_=True, ann_file=lists + 'val.txt', test_mode=True))
val_dataloader = test_dataloader
model = dict(data_preprocessor=dict(test_cfg=dict(size_divisor=16)),
             decode_head=dict(num_classes=3))
train_cfg = dict(max_iters=2, val_interval=1)
"""


@pytest.fixture
def config(tmp_path):
    root = tmp_path / 'kit'
    make_devkit(root, strong=5, weak=1, val=1, size=(24, 32))
    for folder in ('Annotations', ):
        shutil.rmtree(root / folder)
    for name in (root / 'ImageSets/Segmentation/val.txt').read_text().split():
        (root / f'SegmentationClass/{name}.png').unlink()
    path = tmp_path / 'tiny.py'
    path.write_text(CONFIG.format(
        base=str(ROOT / 'configs/quickstart/single_strong_shapes.py'), root=str(root)))
    return path


@pytest.fixture(autouse=True)
def warm_trainings(monkeypatch):
    monkeypatch.setattr('mmseg_wss.pipeline.cross_fitting.run_side_by_side', run_one_by_one)


def test_a_judgement_of_two_folds(config, tmp_path, capfd):
    tool, out = load_script('tools/judge_masks.py'), tmp_path / 'judge'
    with one_thread():
        arguments = [str(config), '--out', str(out), '--taus', '0', '0.9']
        tool.run(tool.parse_args(arguments))
        table = capfd.readouterr().out
        assert 'Iter(train)' in table
        first = (out / 'judge.json').read_bytes()
        tool.run(tool.parse_args(arguments))
    assert (out / 'judge.json').read_bytes() == first
    assert 'rect' in table and 'teacher, tau 0.9' in table and ' *' in table
    content = json.loads(first)
    assert content['best'].keys() == {'none', 'image', 'box'} and content['images'] == 5
    assert [len(list(out.glob(f'fold{fold}/iter_2.pth'))) for fold in (0, 1)] == [1, 1]
    assert 'Iter(train)' not in capfd.readouterr().out  # the networks were there

    parts = CrossFitting(str(config), Config.fromfile(config), str(out)).parts
    names = [{image.name for image in part} for part in parts]
    assert sorted(map(len, names)) == [2, 3] and not names[0] & names[1]
    for fold, held_out in enumerate(names):
        trained = set((out / f'fold{fold}_train.txt').read_text().split())
        assert not trained & held_out and trained == names[1 - fold]


WEAK = """
_base_ = './tiny.py'
weak = dict(_base_.data, supervision='none', ann_file=_base_.lists + 'weak.txt',
            masks=dict(type='folder', path='x'))
train_dataloader = dict(sampler=dict(source_ratio=[1, 1]), dataset=dict(
    datasets=[_base_.train_dataloader.dataset.datasets[0], weak]))
"""


def test_a_second_round_against_the_first_networks(config, tmp_path, capfd):
    """Weak images stay in each training; a judge that does nothing new is worth nothing again.

    The checkpoint that the config starts from has seen the images of all folds: it is not loaded.
    """
    tool, second = load_script('tools/judge_masks.py'), tmp_path / 'second.py'
    second.write_text(f"{WEAK}load_from = 'of_all_masks.pth'\n")
    root = tmp_path / 'kit'
    (root / 'x').mkdir()
    shutil.copy(next((root / 'SegmentationClass').glob('s0.png')), root / 'x/w0.png')

    def judge(path, out, *options):
        with one_thread():
            tool.run(tool.parse_args([str(path), '--out', str(tmp_path / out), '--taus', '0',
                                      '--kinds', 'none', *options]))
        return json.loads((tmp_path / out / 'judge.json').read_text())

    first = judge(config, 'one')
    assert first['reference'] is None and first['rows'][0]['right_where_wrong'] == 0
    assert len(list((tmp_path / 'one/predictions').glob('*.png'))) == 5
    reference = '--reference', str(tmp_path / 'one')
    content = judge(second, 'two', *reference)
    assert 'not from of_all_masks.pth, which may have seen' in capfd.readouterr().out
    assert content['reference'] == reference[1] and content['rows'][0]['worth'] is not None
    logs = ''.join(path.read_text() for path in (tmp_path / 'two/fold0').rglob('*.log'))
    assert "weak.txt'" in logs and 'fold0_train.txt' in logs

    with pytest.raises(ConfigError, match='dealt them out to other folds than the 3 of'):
        judge(second, 'three', *reference, '--folds', '3')
    ids = root / 'ImageSets/Segmentation/strong.txt'
    ids.write_text('\n'.join(ids.read_text().split()[:4]))
    for folder, message in (('one', 'has judged other strong images'), ('none', 'no judge.json')):
        with pytest.raises(ConfigError, match=message):
            judge(second, 'four', '--reference', str(tmp_path / folder))
    assert not (tmp_path / 'four/fold0').exists()  # said before anything is trained


def test_a_start_that_is_given_to_the_judge_is_used():
    cfg = Config(dict(load_from='of_all_masks.pth'))
    assert CrossFitting('c.py', cfg, 'out').own_start == ('load_from=None', )
    given = CrossFitting('c.py', cfg, 'out', options=('load_from=elsewhere.pth', ))
    assert not given.own_start
    assert not CrossFitting('c.py', Config(dict()), 'out').own_start


def test_what_cannot_be_judged(config, tmp_path):
    cfg = Config.fromfile(config)
    with pytest.raises(ConfigError, match=r'6 folds of 5 strong image\(s\)'):
        assert CrossFitting(str(config), cfg, str(tmp_path), folds=6).parts
    cfg.train_dataloader.dataset.datasets *= 2
    with pytest.raises(ConfigError, match='expected one training source with true masks'):
        assert CrossFitting(str(config), cfg, str(tmp_path)).source


@pytest.mark.parametrize('options, message', [
    (['--folds', '1'], 'at least 2'), (['--taus', '1.2'], 'probabilities'),
    (['--kinds', 'pixel'], 'invalid choice'), (['--boxes', 'mgc'], "unknown proposal method 'mgc'"),
    (['--boxes', 'rect', 'rect+sam'], "'rect+sam' needs files of its own")])
def test_impossible_options(config, capsys, options, message):
    tool = load_script('tools/judge_masks.py')
    with pytest.raises(SystemExit):
        tool.parse_args([str(config), '--out', 'x', *options])
    assert message in capsys.readouterr().err


def test_a_missing_library_is_said_before_hours_of_training(config, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'higra', None)
    tool = load_script('tools/judge_masks.py')
    with pytest.raises(SystemExit):
        tool.parse_args([str(config), '--out', 'x', '--boxes', 'grabcut+region'])
    assert 'Region proposals need the library higra' in capsys.readouterr().err
