"""The table of results, from logs with known contents; and two short trainings."""
import json
from base64 import b64encode

import pytest
from tiny_run import load_script, write_config, write_log
from warm_process import run_one_by_one

from mmseg_wss.evaluation.run_results import read_results
from mmseg_wss.evaluation.val_curve import late_gain

TOOL = load_script('tools/analysis_tools/compare_runs.py')


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'tiny.py'
    path.write_text("train_cfg = dict(type='IterBasedTrainLoop', max_iters=20)\n")
    return path


def compare(monkeypatch, folder, *arguments):
    monkeypatch.setattr('sys.argv', [
        'compare_runs.py', *map(str, arguments), '--work-dirs', str(folder / 'runs'), '--out',
        str(folder / 'out')])
    TOOL.run(TOOL.parse_args())


def row_of(output, name):
    row = next(line for line in output.splitlines() if f' {name} ' in line)
    return [cell.strip() for cell in row.split('|')[2:-1]]


def test_the_late_gain_is_last_third_minus_the_third_before():
    curve = {step: dict(mIoU=value) for step, value in enumerate([0., 9., 10., 20., 30., 50.])}
    assert late_gain(curve, 'mIoU') == (30 + 50) / 2 - (10 + 20) / 2


def test_finished_runs_are_read_and_not_trained_again(config, tmp_path, capsys, monkeypatch):
    write_log(tmp_path / 'runs/tiny', '20260101_000000', [
        dict(step=10, mIoU=41.5, mAcc=50.),
        {'step': 20, 'mIoU': 40.25, 'mAcc': 55., 'IoU/cat & dog': 12.5}])
    monkeypatch.setattr('subprocess.Popen', lambda *_, **__: pytest.fail('it was trained again'))
    compare(monkeypatch, tmp_path, config, '--passage', '41', '42')
    cells = row_of(capsys.readouterr().out, 'tiny')
    assert cells[:5] == ['20', '40.25', '41.50', '10', '55.00'] and cells[6:8] == ['10', '-']
    assert [line['steps'] for line in read_results(tmp_path / 'out/results.jsonl')] == [20]
    curves = (tmp_path / 'out/val_curves.png').read_bytes()
    page = (tmp_path / 'out/runs.html').read_text()
    assert '40.25' in page and b64encode(curves).decode() in page
    assert 'cat &amp; dog' in page and '12.50' in page


def test_seeds_have_mean_and_spread_and_unfinished_ones_do_not_count(
        config, tmp_path, capsys, monkeypatch):
    for seed, step, score in ((0, 20, 60.), (1, 20, 64.), (2, 10, 10.)):
        write_log(tmp_path / f'runs/tiny_seed{seed}', 'a', [dict(step=step, mIoU=score)])
    compare(monkeypatch, tmp_path, config, '--seeds', 3, '--no-train')
    printed = capsys.readouterr().out
    assert 'tiny: 1 unfinished, left out' in printed
    cells = row_of(printed, 'tiny')
    assert cells[:4] == ['20', '2', '62.00 ± 2.83', '60.00 .. 64.00']
    with pytest.raises(ValueError, match='tiny_seed0: it has no mAP, but mIoU'):
        compare(monkeypatch, tmp_path, config, '--seeds', 3, '--no-train', '--metric', 'mAP')


def test_a_run_may_have_options_and_then_has_its_own_work_dir(config, tmp_path, monkeypatch):
    trainer = tmp_path / 'trainer.py'
    trainer.write_text(
        'import json, pathlib, sys\n'
        'steps = 30 if "train_cfg.max_iters=30" in sys.argv else 20\n'
        'folder = pathlib.Path(sys.argv[3], "a/vis_data")\n'
        'folder.mkdir(parents=True)\n'
        '(folder / "scalars.json").write_text(json.dumps(dict(step=steps, mIoU=1.)) + "\\n")\n'
        f'print(json.dumps(sys.argv[1:]), file=open({str(tmp_path / "calls")!r}, "a"))\n')
    monkeypatch.setattr(TOOL, 'TRAIN', str(trainer))
    compare(monkeypatch, tmp_path, config, f"{config} model.n=0 sampler.ratio='[2, 1]'",
            f'{config} train_cfg.max_iters=30', '--cfg-options', 'a.b=1')
    calls = [json.loads(line) for line in (tmp_path / 'calls').read_text().splitlines()]
    folders = ['tiny', 'tiny_n=0_ratio=-2-1', 'tiny_max_iters=30']
    assert [call[2] for call in calls] == [str(tmp_path / 'runs' / name) for name in folders]
    assert [call[5:] for call in calls] == [
        ['--cfg-options', 'a.b=1'], ['--cfg-options', 'a.b=1', 'model.n=0', 'sampler.ratio=[2, 1]'],
        ['--cfg-options', 'a.b=1', 'train_cfg.max_iters=30']]
    assert [(line['name'], line['steps']) for line in read_results(
        tmp_path / 'out/results.jsonl')] == list(zip(folders, (20, 20, 30)))


def test_two_seeds_of_a_training(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('mmseg_wss.pipeline.comparison.run_side_by_side', run_one_by_one)
    config = write_config(tmp_path, iterations=4, more="log_processor = dict(window_size=1)\n")
    compare(monkeypatch, tmp_path, config, '--seeds', 2)
    assert 'tiny_seed1: training' in capsys.readouterr().out
    lines = read_results(tmp_path / 'out/results.jsonl')
    assert sorted(line['seed'] for line in lines) == [0, 1]
    assert lines[0]['curve'] != lines[1]['curve']
    for line in lines:
        assert {'mIoU', 'mAcc', 'aAcc'} <= set(line['metrics']) and len(line['classes']) > 1
        assert 0 < line['seconds'] < line['wall_seconds']
    compare(monkeypatch, tmp_path, config, '--seeds', 2)
    again = capsys.readouterr().out
    assert 'training' not in again.partition('+--')[0] and '±' in again


@pytest.mark.parametrize('runs, said', [
    (['none.py'], 'none.py: there is no such config'), (['{} n'], 'n: an option of a run is'),
    (['{}', '{}'], 'share a work dir: tiny, tiny'),
    (['{} randomness.seed=3', '--seeds', '2'], 'randomness.seed: --seeds sets it')])
def test_bad_runs_are_named(config, monkeypatch, capsys, runs, said):
    monkeypatch.setattr('sys.argv', ['compare_runs.py', *(run.format(config) for run in runs)])
    with pytest.raises(SystemExit):
        TOOL.parse_args()
    assert said in capsys.readouterr().err
