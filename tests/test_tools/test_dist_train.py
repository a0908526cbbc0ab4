"""Two processes over gloo, from the command line: what each saw, killed, resumed, evaluated."""
import json
import random
import sys
from pathlib import Path

import pytest
from tiny_run import (
    NO_WORKERS,
    ROOT,
    descendants,
    finish,
    free_port,
    kill_in_training,
    last_checkpoint,
    launch,
    records,
    same,
    wait_for_the_end_of,
    weights,
    write_config,
)

RECORD = """custom_imports = dict(imports=['tiny_run'])
custom_hooks = [*_base_.custom_hooks, dict(type='Recorder')]
"""


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp('data'), iterations=6, more=RECORD)


@pytest.fixture(scope='module')
def options():
    return ['--cfg-options', *NO_WORKERS]


@pytest.fixture(scope='module')
def whole(config, options, tmp_path_factory):
    """The work folder of the run that nobody kills."""
    folder = tmp_path_factory.mktemp('whole')
    printed = finish('bash', ROOT / 'tools/dist_train.sh', config, 2, '--work-dir', folder,
                     *options, PORT=free_port())
    assert printed.count('Iter(train)') == 6  # one of the processes writes the log
    assert 'Iter(val) [3/3]' in printed and 'mIoU' in printed  # 5 images for 2 processes
    return folder


def test_ranks_take_the_exact_ratio_and_never_the_same_image(whole):
    ranks = records(whole)
    assert [len(steps) for steps in ranks] == [6, 6]
    for number, step in enumerate(zip(*ranks), 1):
        paths = [path for rank in step for path in rank['paths']]
        assert len(set(paths)) == 8
        for rank in step:
            assert rank['iteration'] == number
            assert rank['supervisions'] == ['pixel', 'pixel', 'box', 'box']


def kill_launcher(process):
    """SIGKILL to torchrun alone: it cannot end the processes that it started."""
    ranks = descendants(process.pid)[1:]
    process.kill()
    wait_for_the_end_of(ranks, 10)  # left alone, they train on for a minute


def test_killed_and_resumed(config, options, whole, tmp_path):
    """What is owed to the strong branch is counted by each rank, and rank 0's is saved."""
    rng = random.Random(1)
    command = ['bash', ROOT / 'tools/dist_train.sh', config, 2, '--work-dir', tmp_path]
    process = launch(*command, *options, PORT=free_port())
    kill_in_training(process, 3, rng.uniform(0, 0.05), kill_launcher)
    assert last_checkpoint(tmp_path).name in ('iter_2.pth', 'iter_4.pth')
    finish(*command, '--resume', 'auto', *options, PORT=free_port())
    assert weights(whole, 6)['state_dict']['decode_head.mix_carry'] == 12 % 7
    assert same(weights(tmp_path, 6), weights(whole, 6))
    for resumed, expected in zip(records(tmp_path), records(whole)):
        assert resumed[-1] == expected[-1]
        assert all(step in expected for step in resumed)


def test_two_processes_evaluate_as_one(config, options, whole, tmp_path):
    """Five images: the sampler gives one of the two processes an image twice."""
    checkpoint = last_checkpoint(whole)
    finish('bash', ROOT / 'tools/dist_test.sh', config, checkpoint, 2, '--work-dir',
           tmp_path / 'two', *options, PORT=free_port())
    finish(sys.executable, ROOT / 'tools/test.py', config, checkpoint, '--work-dir',
           tmp_path / 'one', *options)
    two, one = (json.loads(next(Path(tmp_path, name).glob('*/*.json')).read_text())
                for name in ('two', 'one'))
    assert one['mIoU'] == two['mIoU'] > 0
    assert one['aAcc'] == two['aAcc']
