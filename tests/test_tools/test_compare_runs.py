"""The table of results, from logs with known contents."""
import json
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest
from tiny_run import load_script, write_log

from mmseg_wss.evaluation.val_curve import late_gain

TOOL = load_script('tools/analysis_tools/compare_runs.py')


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'tiny.py'
    path.write_text("train_cfg = dict(type='IterBasedTrainLoop', max_iters=20)\n")
    return path


def test_the_late_gain_is_last_third_minus_the_third_before():
    curve = {step: dict(mIoU=value) for step, value in enumerate([0., 9., 10., 20., 30., 50.])}
    assert late_gain(curve, 'mIoU') == (30 + 50) / 2 - (10 + 20) / 2


def test_finished_runs_are_read_and_not_trained_again(config, tmp_path, capsys, monkeypatch):
    write_log(tmp_path / 'runs/tiny', '20260101_000000', [
        dict(step=10, mIoU=41.5, mAcc=50.), dict(step=20, mIoU=40.25, mAcc=55.)])
    monkeypatch.setattr('subprocess.run', lambda *_, **__: pytest.fail('it was trained again'))
    monkeypatch.setattr('sys.argv', ['compare_runs.py', str(config), '--work-dirs',
                                     str(tmp_path / 'runs'), '--out', str(tmp_path / 'out')])
    TOOL.run(TOOL.parse_args())
    row = next(line for line in capsys.readouterr().out.splitlines() if ' tiny ' in line)
    assert [cell.strip() for cell in row.split('|')[2:7]] == ['20', '40.25', '41.50', '10', '55.00']
    assert json.loads((tmp_path / 'out/runs.json').read_text())[0]['finished'] is True
    curves = (tmp_path / 'out/val_curves.png').read_bytes()
    page = (tmp_path / 'out/runs.html').read_text()
    assert '40.25' in page and b64encode(curves).decode() in page


def test_a_run_may_have_options_and_then_has_its_own_work_dir(config, tmp_path, monkeypatch):
    commands = []

    def train(command):
        commands.append(command[2:])
        steps = 30 if 'train_cfg.max_iters=30' in command else 20
        write_log(Path(command[command.index('--work-dir') + 1]), '20260101_000000', [
            dict(step=steps, mIoU=1.)])
        return subprocess.CompletedProcess(command, 0)
    monkeypatch.setattr('subprocess.run', train)
    monkeypatch.setattr('sys.argv', [
        'compare_runs.py', str(config), f"{config} model.n=0 sampler.ratio='[2, 1]'",
        f'{config} train_cfg.max_iters=30', '--work-dirs', str(tmp_path), '--out', str(tmp_path),
        '--cfg-options', 'a.b=1'])
    TOOL.run(TOOL.parse_args())
    assert [Path(command[2]).name for command in commands] == [
        'tiny', 'tiny_n=0_ratio=-2-1', 'tiny_max_iters=30']
    assert [command[5:] for command in commands] == [
        ['--cfg-options', 'a.b=1'], ['--cfg-options', 'a.b=1', 'model.n=0', 'sampler.ratio=[2, 1]'],
        ['--cfg-options', 'a.b=1', 'train_cfg.max_iters=30']]
    rows = json.loads((tmp_path / 'runs.json').read_text())
    assert [(row['steps'], row['finished']) for row in rows] == [(20, True), (20, True), (30, True)]


@pytest.mark.parametrize('runs, said', [
    (['none.py'], 'none.py: there is no such config'), (['{} n'], 'n: an option of a run is'),
    (['{}', '{}'], 'share a work dir: tiny, tiny')])
def test_bad_runs_are_named(config, monkeypatch, capsys, runs, said):
    monkeypatch.setattr('sys.argv', ['compare_runs.py', *(run.format(config) for run in runs)])
    with pytest.raises(SystemExit):
        TOOL.parse_args()
    assert said in capsys.readouterr().err
