"""Runs are trained once and have a line each, with a trainer that only writes logs."""
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_run import ROOT, environment, kill_all, wait_for, write_log

from mmseg_wss.engine.seeded_run import SeededRun
from mmseg_wss.errors import ConfigError
from mmseg_wss.evaluation.run_results import read_results
from mmseg_wss.pipeline.comparison import Comparison

# validates every 10 steps from where it stopped, and ends or hangs where a file says so
TRAINER = """
import json, os, pathlib, sys, time
config, work_dir = sys.argv[1], pathlib.Path(sys.argv[3])
options = dict(option.split('=', 1) for option in sys.argv[7:])
seed, here = int(options.get('randomness.seed', 7)), pathlib.Path(__file__).parent
with open(here / 'calls', 'a') as file:
    print(work_dir.name, sys.argv[4:6], os.environ.get('OMP_NUM_THREADS'), file=file)
starts = len(list(work_dir.glob('*/vis_data')))
folder = work_dir / f'start{starts}' / 'vis_data'
folder.mkdir(parents=True)
(folder / 'config.py').write_text(
    pathlib.Path(config).read_text() + f'randomness = dict(seed={seed})\\nlauncher = "none"\\n'
    + f'work_dir = {str(work_dir)!r}\\nresume = {starts > 0}\\n')
done = sum(len(path.read_text().splitlines()) for path in work_dir.glob('*/vis_data/scalars.json'))
for step in range(10 * done + 10, 31, 10):
    with open(folder / 'scalars.json', 'a') as file:
        print(json.dumps({'mIoU': seed + step, 'IoU/cat': 2., 'step': step}), file=file)
    if step == 20 and (here / f'fail{seed}').exists():
        sys.exit(3)
    while step == 20 and (here / f'hang{seed}').exists():
        time.sleep(.01)
"""


@pytest.fixture
def bench(tmp_path):
    (tmp_path / 'tiny.py').write_text('train_cfg = dict(max_iters=30)\n')
    (tmp_path / 'trainer.py').write_text(TRAINER)
    return tmp_path


def comparison(bench):
    return Comparison(str(bench / 'runs'), str(bench / 'out/results.jsonl'))


def runs(bench, *seeds):
    return [SeededRun(str(bench / 'tiny.py'), seed=seed) for seed in seeds]


def calls(bench):
    return [line.split()[0] for line in (bench / 'calls').read_text().splitlines()]


def test_a_finished_run_has_a_line_and_is_never_repeated(bench):
    one = comparison(bench)
    one.train(runs(bench, 0, 1), str(bench / 'trainer.py'))
    one.train(runs(bench, 0, 1, 2), str(bench / 'trainer.py'))
    assert calls(bench) == ['tiny_seed0', 'tiny_seed1', 'tiny_seed2']
    lines = read_results(one.results)
    assert [(line['name'], line['seed'], line['options']) for line in lines] == [
        ('tiny', seed, [f'randomness.seed={seed}']) for seed in range(3)]
    assert [line['curve'] for line in lines] == [
        {step: dict(mIoU=seed + step) for step in (10, 20, 30)} for seed in range(3)]
    assert [(line['metrics'], line['classes']) for line in lines[:1]] == [
        (dict(mIoU=30), dict(cat=2.))]
    assert all(line['wall_seconds'] > 0 and line['memory_mb'] > 1 for line in lines)
    for path in (bench / 'runs').iterdir():
        path.rename(bench / path.name)  # the line is enough
    assert one.known(runs(bench, 1)[0]) == dict(lines[1], finished=True)


def test_a_run_without_a_line_is_read_from_its_work_dir(bench):
    one, run = comparison(bench), runs(bench, 0)[0]
    assert one.known(run) is None
    write_log(bench / 'runs/tiny_seed0', 'a', [dict(step=10, mIoU=1.)])
    assert one.known(run)['finished'] is False and read_results(one.results) == []
    write_log(bench / 'runs/tiny_seed0', 'b', [dict(step=30, mIoU=2.)])
    assert one.known(run)['finished'] is True
    assert read_results(one.results)[0]['metrics'] == dict(mIoU=2.)


def test_a_failed_training_is_named_and_goes_on_later(bench):
    one = comparison(bench)
    (bench / 'fail0').touch()
    with pytest.raises(ConfigError, match=r'tiny\.py: the training failed \(exit code 3\).*seed0'):
        one.train(runs(bench, 0, 1), str(bench / 'trainer.py'))
    assert calls(bench) == ['tiny_seed0'] and read_results(one.results) == []
    (bench / 'fail0').unlink()
    one.train(runs(bench, 0, 1), str(bench / 'trainer.py'))
    assert calls(bench) == ['tiny_seed0', 'tiny_seed0', 'tiny_seed1']
    first, second = read_results(one.results)
    assert list(first['curve']) == [10, 20, 30]
    assert first['wall_seconds'] is None and second['wall_seconds'] > 0  # it took two starts


def test_several_at_a_time_share_the_cores(bench, monkeypatch):
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    monkeypatch.setattr('os.cpu_count', lambda: 7)
    (bench / 'hang0').touch()
    one = comparison(bench)
    with pytest.raises(ConfigError, match='exit code 3'):
        (bench / 'fail1').touch()
        # 1 fails while 0 waits for it; 2 is not started any more, and 0 is trained to its end
        monkeypatch.setattr(Comparison, 'folder', _unhang_after(bench, Comparison.folder))
        one.train(runs(bench, 0, 1, 2), str(bench / 'trainer.py'), at_a_time=2)
    assert sorted(calls(bench)) == ['tiny_seed0', 'tiny_seed1']
    assert {line.split()[-1] for line in (bench / 'calls').read_text().splitlines()} == {'3'}
    assert [line['seed'] for line in read_results(one.results)] == [0]
    assert (bench / 'runs/tiny_seed0/output.txt').exists()


def _unhang_after(bench, folder):
    """`Comparison.folder` that lets seed 0 go on when seed 1 has written its log of step 20."""
    def call(self, run):
        log = bench / 'runs/tiny_seed1/start0/vis_data/scalars.json'
        if log.exists() and len(log.read_text().splitlines()) == 2:
            (bench / 'hang0').unlink(missing_ok=True)
        return folder(self, run)
    return call


SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from mmseg_wss.engine.seeded_run import SeededRun
from mmseg_wss.pipeline.comparison import Comparison
Comparison({runs!r}, {results!r}).train(
    [SeededRun({config!r}, seed=seed) for seed in map(int, sys.argv[1:])], {trainer!r})
"""


def start(bench, *seeds):
    code = SCRIPT.format(root=str(ROOT), runs=str(bench / 'runs'), config=str(bench / 'tiny.py'),
                         results=str(bench / 'out/results.jsonl'),
                         trainer=str(bench / 'trainer.py'))
    return subprocess.Popen([sys.executable, '-c', code, *map(str, seeds)], env=environment())


def test_two_at_once_and_one_that_is_killed_lose_nothing(bench):
    (bench / 'hang2').touch()
    processes = [start(bench, 0, 2, 3), start(bench, 1)]
    try:
        log = bench / 'runs/tiny_seed2/start0/vis_data/scalars.json'
        wait_for(lambda: log.exists() and len(log.read_text().splitlines()) == 2)
        os.kill(processes[0].pid, signal.SIGKILL)
        processes[0].wait()
        assert processes[1].wait(240) == 0
        (bench / 'hang2').unlink()
    finally:
        for process in processes:
            kill_all(process)
    assert sorted(line['seed'] for line in read_results(bench / 'out/results.jsonl')) == [0, 1]
    comparison(bench).train(runs(bench, 0, 1, 2, 3), str(bench / 'trainer.py'))
    assert sorted(calls(bench)) == [f'tiny_seed{seed}' for seed in (0, 1, 2, 2, 3)]
    lines = {line['seed']: line for line in read_results(bench / 'out/results.jsonl')}
    assert sorted(lines) == [0, 1, 2, 3]
    assert lines[2]['curve'] == {step: dict(mIoU=2 + step) for step in (10, 20, 30)}


def test_another_config_is_not_taken_for_the_same_run(bench):
    one, config = comparison(bench), bench / 'tiny.py'
    one.train(runs(bench, 0), str(bench / 'trainer.py'))
    config.write_text('train_cfg = dict(max_iters=30)\nlr = 2.\n')
    with pytest.raises(ConfigError, match=r'results\.jsonl: the line of tiny, seed 0.*Remove'):
        one.train(runs(bench, 0), str(bench / 'trainer.py'))
    Path(one.results).unlink()
    with pytest.raises(ConfigError, match=r'another config.*lr: \(absent\) -> 2\.0.*Delete'):
        one.train(runs(bench, 0), str(bench / 'trainer.py'))
    assert calls(bench) == ['tiny_seed0']
    config.write_text('train_cfg = dict(max_iters=30)\nload_from = None  # says nothing new\n')
    one.train(runs(bench, 0), str(bench / 'trainer.py'))
    assert calls(bench) == ['tiny_seed0']
    assert [json.loads(line)['seed'] for line in open(one.results)] == [0]
