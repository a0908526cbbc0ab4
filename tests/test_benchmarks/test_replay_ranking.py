"""The bookkeeping of the replay: which masks each round has, and that a start goes on."""
import argparse
import csv
import json
from pathlib import Path

import pytest
from tiny_run import load_script, write_log

CONFIG = """
data_root = {root!r}
train_dataloader = dict(dataset=dict(datasets=[dict(data_root=data_root), dict()]))
"""
NAMES = [f'i{number:02}' for number in range(40)]


@pytest.fixture
def replay(tmp_path, monkeypatch):
    """The script over 40 images, with trainings and rankings that do nothing but write files."""
    script, calls = load_script('benchmarks/replay_ranking.py'), []
    lists = tmp_path / 'data/ImageSets/Segmentation'
    lists.mkdir(parents=True)
    (lists / 'all.txt').write_text('\n'.join(NAMES))
    (lists / 'few.txt').write_text('\n'.join(NAMES[:6]))
    config = tmp_path / 'config.py'
    config.write_text(CONFIG.format(root=str(tmp_path / 'data')))

    def call(tool, *arguments):
        calls.append(tool)
        options = dict(zip(arguments, arguments[1:]))
        if tool == 'train.py':
            work_dir = Path(options['--work-dir'])
            write_log(work_dir, f'20260101_{len(calls):06}', [dict(mIoU=10. * len(calls), step=4)])
            (work_dir / 'last_checkpoint').write_text(str(work_dir / 'iter_4.pth'))
            return
        pool = options['--ann-file'].read_text().split()
        with open(options['--out'], 'w', newline='') as file:
            writer = csv.writer(file)
            writer.writerows([['rank', 'image'], *enumerate(reversed(pool), 1)])
    monkeypatch.setattr(script, 'call', call)

    def run():
        calls.clear()
        script.run(argparse.Namespace(
            config=str(config), work_dir=str(tmp_path / 'out'), start='few', pool='all', rounds=2,
            step=3, seed=0, rank_options='', cfg_options=[]))
        return list(calls)

    run.out = tmp_path / 'out'
    return run


def test_each_round_adds_what_is_ranked_first_or_by_chance(replay):
    calls = replay()
    assert calls.count('train.py') == 5 and calls.count('rank_images.py') == 2
    masks = {path.parent.name: json.loads(path.read_text())['strong']
             for path in replay.out.glob('*/result.json')}
    assert masks['start'] == NAMES[:6]
    assert masks['rank1'] == [*NAMES[:6], 'i39', 'i38', 'i37']
    assert masks['rank2'] == [*masks['rank1'], 'i36', 'i35', 'i34']
    assert masks['chance2'][:9] == masks['chance1'] and masks['chance1'][:6] == NAMES[:6]
    assert len(set(masks['chance2'])) == 12 and masks['chance2'] != masks['rank2']
    for name, strong in masks.items():
        weak = (replay.out / name / 'weak.txt').read_text().split()
        assert sorted(strong + weak) == NAMES
    curves = json.loads((replay.out / 'results.json').read_text())
    assert [row[0] for row in curves['rank']] == [row[0] for row in curves['chance']] == [6, 9, 12]
    assert curves['rank'][0] == curves['chance'][0]


def test_what_is_finished_is_not_done_again(replay):
    replay()
    before = (replay.out / 'results.json').read_text()
    assert replay() == []
    (replay.out / 'rank2/result.json').unlink()
    assert replay() == ['rank_images.py', 'train.py']
    after = (replay.out / 'results.json').read_text()
    assert json.loads(after)['chance'] == json.loads(before)['chance']
