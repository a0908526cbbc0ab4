"""tools/train.py from the command line: killed, resumed, started otherwise; the same bits."""
import random
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mmseg
import pytest
from tiny_run import (
    NO_WORKERS,
    ROOT,
    kill_in_training,
    last_checkpoint,
    launch,
    same,
    train,
    weights,
    write_config,
)

MMSEG_TRAIN = Path(mmseg.__file__).parent / '.mim/tools/train.py'
LEARNING_RATE = 'optim_wrapper.optimizer.lr=1e30'


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp('data'))


@pytest.fixture(scope='module')
def runs(config, tmp_path_factory):
    """Futures of the runs by name, two at a time: what they printed; and where they worked."""
    folder = tmp_path_factory.mktemp('work')

    def killed():
        rng = random.Random(0)
        process = launch(sys.executable, ROOT / 'tools/train.py', config, '--work-dir',
                         folder / 'killed')
        kill_in_training(process, rng.randint(3, 8), rng.uniform(0, 0.05))
        shutil.copytree(folder / 'killed', folder / 'kept')
        return last_checkpoint(folder / 'killed').name

    def resumed():
        killed_run.result()
        return train(config, folder / 'killed', '--resume', 'auto', '--cfg-options', *NO_WORKERS)

    def resumed_from_path():
        path = folder / 'kept' / killed_run.result()
        return train(config, folder / 'path', '--resume', path)

    def without_weak_masks():
        copy = write_config(tmp_path_factory.mktemp('no_masks'))
        shapes = copy.parent / 'shapes'
        for name in (shapes / 'ImageSets/Segmentation/train_weak.txt').read_text().split():
            (shapes / f'SegmentationClass/{name}.png').unlink()
        return train(copy, folder / 'no_masks', '--cfg-options', *NO_WORKERS)

    with ThreadPoolExecutor(2) as pool:
        killed_run = pool.submit(killed)
        futures = dict(
            folder=folder, killed=killed_run,
            whole=pool.submit(train, config, folder / 'whole', '--resume', 'auto'),
            resumed=pool.submit(resumed), path=pool.submit(resumed_from_path),
            no_masks=pool.submit(without_weak_masks),
            mmseg=pool.submit(train, config, folder / 'mmseg', script=MMSEG_TRAIN),
            diverged=pool.submit(train, config, folder / 'diverged', '--cfg-options',
                                 LEARNING_RATE, *NO_WORKERS, fails=True))
        yield futures


@pytest.fixture(scope='module')
def whole(runs):
    printed = runs['whole'].result()
    assert len(re.findall(r'Iter\(train\)', printed)) == 12
    assert len(re.findall(r'Iter\(val\).*mIoU', printed)) == 3
    return weights(runs['folder'] / 'whole', 12)


def test_the_run_that_others_are_compared_with_has_learned(whole):
    """24 strong images at 7 : 1 let 3 weak ones through; 3 sevenths of one are still owed."""
    assert whole['state_dict']['decode_head.mix_carry'] == 24 * 1 % 7
    moments = [state['exp_avg'] for state in whole['optimizer']['state'].values()]
    assert sum(moment.abs().sum() > 0 for moment in moments) > 10


def test_killed_and_resumed_without_workers(runs, whole):
    assert runs['killed'].result() in ('iter_2.pth', 'iter_4.pth', 'iter_6.pth', 'iter_8.pth')
    printed = runs['resumed'].result()
    first = int(re.search(r'\d+', runs['killed'].result())[0]) + 1
    assert re.search(r'Iter\(train\) \[ *(\d+)/12\]', printed)[1] == str(first)
    assert same(weights(runs['folder'] / 'killed', 12), whole)


def test_resumed_from_a_path(runs, whole):
    printed = runs['path'].result()
    assert f'{runs["folder"] / "kept" / runs["killed"].result()}' in printed
    assert 'Iter(train) [ 1/12]' not in printed
    assert same(weights(runs['folder'] / 'path', 12), whole)


def test_resume_auto_starts_from_load_from_where_nothing_is(runs, whole, config):
    """Its weights, not its step: a run that is always started with --resume must not lose them."""
    path, work_dir = last_checkpoint(runs['folder'] / 'whole'), runs['folder'] / 'loaded'
    options = ('--resume', '--cfg-options', *NO_WORKERS, f'load_from={path}',
               'optim_wrapper.optimizer.lr=0.', 'optim_wrapper.optimizer.weight_decay=0.',
               'default_hooks.checkpoint.interval=1')
    assert 'Iter(train) [1/1]' in train(config, work_dir, *options, 'train_cfg.max_iters=1')
    key = 'decode_head.strong_branch.conv_seg.weight'
    assert same(weights(work_dir, 1)['state_dict'][key], whole['state_dict'][key])
    assert 'Iter(train) [1/2]' not in train(config, work_dir, *options, 'train_cfg.max_iters=2')


def test_resume_from_a_path_that_is_not_there(config, tmp_path):
    printed = train(config, tmp_path / 'work', '--resume', tmp_path / 'no.pth', fails=True)
    assert printed.splitlines()[-1] == f'--resume {tmp_path}/no.pth: there is no such checkpoint.'
    assert not (tmp_path / 'work').exists()


def test_the_same_bits_without_the_masks_of_weak_images_and_without_workers(runs, whole):
    runs['no_masks'].result()
    assert same(weights(runs['folder'] / 'no_masks', 12), whole)


def test_the_same_bits_with_the_tool_of_mmseg(runs, whole):
    runs['mmseg'].result()
    assert same(weights(runs['folder'] / 'mmseg', 12), whole)


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_images(runs, config):
    printed = runs['diverged'].result()
    error = printed[printed.index('FloatingPointError: '):]
    assert 0 < int(re.search(r'not finite at iteration (\d+);', error)[1]) <= 12
    named = re.findall(r'^  (\S+)\.jpg$', error, re.MULTILINE)
    lists = [(config.parent / f'shapes/ImageSets/Segmentation/{name}.txt').read_text().split()
             for name in ('train_strong', 'train_weak')]
    assert [sum(Path(name).name in entries for name in named) for entries in lists] == [2, 2]
    assert 'learning rate' in error
