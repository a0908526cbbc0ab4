"""Runs in processes that kill themselves, resumed and compared with a run that nobody killed."""
import os
import random
import re
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.fileio import LocalBackend
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.runner import Runner
from warm_process import PROCESSES

from mmseg_wss.engine.hooks import ResumableCheckpointHook


class Numbers(torch.utils.data.Dataset):
    """Samples that draw from the global generators of python and numpy."""

    def __len__(self):
        return 12

    def __getitem__(self, index):
        noise = np.random.randn() + random.random()
        return dict(inputs=torch.full((4, ), index / 12) + noise, index=index)


class Net(BaseModel):
    """Dropout draws from torch's generator, in training; validation draws from all three."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5),
            torch.nn.Linear(8, 1))

    def forward(self, inputs, index, mode='tensor'):
        if mode == 'predict':
            return [random.random() + np.random.rand() + torch.rand(()).item()]
        return dict(loss=self.layers(inputs).square().mean())


class Iteration(BaseMetric):
    """A score that improves with every validation."""

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        iteration = MessageHub.get_current_instance().get_info('iter')
        return dict(acc=float(iteration), other_acc=float(iteration))


class Watch(Hook):
    """Notes the indices of every step, and kills the process after step `kill_after`."""

    priority = 'LOWEST'

    def __init__(self, kill_after):
        self.kill_after = kill_after
        self.indices = {}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.indices[runner.iter + 1] = data_batch['index'].tolist()
        if runner.iter + 1 == self.kill_after:
            os.kill(os.getpid(), signal.SIGKILL)


def arrange_kill(moment, name):
    """Kill this process when the file `name` is being written, renamed onto, or removed."""
    owner, function = dict(write=(LocalBackend, 'put'), rename=(os, 'replace'),
                           remove=(LocalBackend, 'remove'))[moment]
    original = getattr(owner, function)

    def deadly(*args):
        path = args[-1]
        if not re.search(name + '$', str(path)):
            return original(*args)
        if moment == 'write':
            Path(path).write_bytes(args[1][:len(args[1]) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, function, deadly)


def train(work_dir, *, by_epoch=False, kill=None, seed=0, steps=10, out, **options):
    """Train in this process; `kill` is a step, or a moment and a file for `arrange_kill`."""
    torch.set_num_threads(1)
    torch.manual_seed(0)  # the network is built ahead of the runner, which seeds
    np.random.seed()  # mmengine draws a missing seed here, and a fork inherits the state
    if isinstance(kill, tuple):
        arrange_kill(*kill)
    watch = Watch(None if isinstance(kill, tuple) else kill)
    loader = dict(dataset=Numbers(), batch_size=4, num_workers=0,
                  collate_fn=dict(type='default_collate'))
    sampler = 'DefaultSampler' if by_epoch else 'InfiniteSampler'
    hook = dict(type=ResumableCheckpointHook, interval=1 if by_epoch else 2, by_epoch=by_epoch,
                max_keep_ckpts=1, save_best='acc')
    hook.update(options.pop('hook', {}))
    runner = Runner(
        model=Net(), work_dir=str(work_dir), experiment_name='test',
        train_dataloader=dict(sampler=dict(type=sampler, shuffle=True), **loader),
        val_dataloader=dict(sampler=dict(type='DefaultSampler', shuffle=False), **loader),
        val_evaluator=dict(type=Iteration),
        train_cfg=(dict(by_epoch=True, max_epochs=4, val_interval=1) if by_epoch
                   else dict(by_epoch=False, max_iters=steps, val_interval=3)),
        val_cfg=dict(),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
        param_scheduler=dict(type='PolyLR', power=0.9, eta_min=1e-4, by_epoch=False, end=12),
        default_hooks=dict(checkpoint=hook, logger=dict(type='LoggerHook', interval=1)),
        custom_hooks=[watch], randomness=dict(seed=seed), log_level='WARNING', **options)
    runner.train()
    torch.save(dict(parameters=runner.model.state_dict(),
                    optimizer=runner.optim_wrapper.state_dict(),
                    indices=watch.indices), out)


def run(work_dir, **options):
    """Train in a process of its own; return the result, or None if it was killed."""
    result = work_dir / 'result.pt'
    process = PROCESSES.Process(
        target=train, args=(work_dir, ), kwargs=dict(options, out=result))
    process.start()
    process.join(300)
    if process.exitcode == -signal.SIGKILL:
        return None
    assert process.exitcode == 0
    return torch.load(result, weights_only=True)


def assert_same(resumed, whole):
    """The same bits, and the same samples in the steps that the resumed run took."""
    assert resumed['indices']
    assert resumed['indices'].items() <= whole['indices'].items()
    assert resumed['parameters'].keys() == whole['parameters'].keys()
    for name, value in whole['parameters'].items():
        assert torch.equal(resumed['parameters'][name], value), name
    momenta = [[state['momentum_buffer'] for state in result['optimizer']['state'].values()]
               for result in (resumed, whole)]
    assert len(momenta[0]) == len(momenta[1]) == 6
    assert all(map(torch.equal, *momenta))
    assert resumed['optimizer']['param_groups'] == whole['optimizer']['param_groups']


def last_checkpoint(work_dir):
    """The name that `last_checkpoint` points to, or None. All checkpoints there must be whole."""
    whole = {path: torch.load(path, weights_only=True)
             for path in work_dir.glob('*.pth') if not path.name.startswith('.')}
    if not (work_dir / 'last_checkpoint').exists():
        return None
    path = Path((work_dir / 'last_checkpoint').read_text())
    assert len(whole[path]['random_states']) == 1
    return path.name


def names(work_dir):
    return sorted(path.name for path in Path(work_dir).iterdir()
                  if path.is_file() and path.name not in ('result.pt', 'last_checkpoint'))


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The run that nobody kills; it leaves one checkpoint and one best checkpoint."""
    work_dir = tmp_path_factory.mktemp('whole')
    result = run(work_dir)
    assert sorted(result['indices']) == list(range(1, 11))
    assert [n for n in names(work_dir) if n.endswith('.pth')] == ['best_acc_iter_10.pth',
                                                                 'iter_10.pth']
    return result


@pytest.mark.parametrize('kill, last', [
    (1, None),  # before the first checkpoint: the run starts anew
    (5, 'iter_4.pth'),
    (7, 'iter_6.pth'),  # written again, for the best score, in the middle of validation
    (('write', r'iter_8\.pth'), 'iter_6.pth'),
    (('rename', r'/iter_8\.pth'), 'iter_6.pth'),
    (('remove', r'/iter_6\.pth'), 'iter_8.pth'),
    (('remove', r'best_acc_iter_3\.pth'), 'iter_6.pth'),
    (('write', r'best_acc_iter_6\.pth'), 'iter_6.pth')])
def test_killed_and_resumed(tmp_path, whole, kill, last):
    assert run(tmp_path, kill=kill) is None
    assert last_checkpoint(tmp_path) == last
    assert_same(run(tmp_path, resume=True), whole)
    assert not list(tmp_path.glob('.tmp-*'))
    assert [n for n in names(tmp_path) if n.startswith('iter')] == ['iter_10.pth']


@pytest.mark.parametrize('by_epoch, best', [(False, 'iter_3.pth'), (True, 'epoch_1.pth')])
def test_a_validation_that_was_killed_is_repeated(tmp_path, by_epoch, best):
    """The first score is the best, and the kill comes between it and the best checkpoint."""
    options = dict(by_epoch=by_epoch, hook=dict(rule='less', interval=1 if by_epoch else 3))
    assert run(tmp_path, kill=('write', f'best_acc_{best}'), **options) is None
    assert last_checkpoint(tmp_path) == best
    run(tmp_path, resume=True, **options)
    assert [name for name in names(tmp_path) if name.startswith('best')] == [f'best_acc_{best}']


def test_last_checkpoint_is_whole_when_killed_before_it_moves(tmp_path, whole):
    """The new checkpoint is complete, the old one still there, and the pointer on the old one."""
    assert run(tmp_path, kill=('rename', '/last_checkpoint'), hook=dict(interval=9)) is None
    assert last_checkpoint(tmp_path) is None
    assert run(tmp_path, kill=5) is None
    assert last_checkpoint(tmp_path) == 'iter_4.pth'
    assert run(tmp_path, kill=('rename', '/last_checkpoint'), resume=True) is None
    assert last_checkpoint(tmp_path) == 'iter_4.pth'
    assert 'iter_6.pth' in names(tmp_path)
    assert_same(run(tmp_path, resume=True), whole)


def test_killed_twice_with_two_best_scores(tmp_path, whole):
    hook = dict(save_best=['acc', 'other_acc'], rule='greater', max_keep_ckpts=2)
    assert run(tmp_path, kill=5, hook=hook) is None
    assert run(tmp_path, kill=('remove', r'best_other_acc_iter_3\.pth'), hook=hook,
               resume=True) is None
    best = [name for name in names(tmp_path) if name.startswith('best_other')]
    assert best == ['best_other_acc_iter_3.pth', 'best_other_acc_iter_6.pth']
    assert_same(run(tmp_path, hook=hook, resume=True), whole)
    assert [name for name in names(tmp_path) if name.endswith('.pth')] == [
        'best_acc_iter_10.pth', 'best_other_acc_iter_10.pth',
        'best_other_acc_iter_3.pth',  # the one whose removal was killed stays: nothing is lost
        'iter_10.pth', 'iter_9.pth']


@pytest.mark.parametrize('kill', [8, ('write', r'epoch_3\.pth')])
def test_epochs(tmp_path, kill):
    expected = run(tmp_path / 'whole', by_epoch=True)
    assert run(tmp_path / 'killed', by_epoch=True, kill=kill) is None
    assert last_checkpoint(tmp_path / 'killed') == 'epoch_2.pth'
    assert_same(run(tmp_path / 'killed', by_epoch=True, resume=True), expected)


def test_without_a_seed_in_the_config(tmp_path):
    """The sampler is built before the checkpoint is read, with a seed of the new process."""
    assert run(tmp_path / 'killed', seed=None, kill=5) is None
    seed = torch.load(tmp_path / 'killed/iter_4.pth', weights_only=True)['meta']['seed']
    expected = run(tmp_path / 'whole', seed=seed)
    assert_same(run(tmp_path / 'killed', seed=None, resume=True), expected)


def test_load_from_restores_nothing(tmp_path, whole):
    run(tmp_path / 'first', steps=4)
    path = tmp_path / 'first/iter_4.pth'
    result = run(tmp_path / 'with', steps=2, load_from=str(path))
    checkpoint = torch.load(path, weights_only=True)
    assert len(checkpoint.pop('random_states')) == 1
    del checkpoint['meta']['checksum']
    torch.save(checkpoint, path)
    assert_same(result, run(tmp_path / 'without', steps=2, load_from=str(path)))


@pytest.mark.parametrize('processes, said', [(2, r'holds those of 2 process'), (0, 'holds none')])
def test_other_world_size_is_said(tmp_path, whole, processes, said):
    assert run(tmp_path, kill=5) is None
    path = tmp_path / 'iter_4.pth'
    checkpoint = torch.load(path, weights_only=True)
    checkpoint['random_states'] *= processes
    del checkpoint['meta']['checksum']
    if not processes:
        del checkpoint['random_states']
    torch.save(checkpoint, path)
    result = run(tmp_path, resume=True)
    log = ''.join(file.read_text() for file in tmp_path.rglob('*.log'))
    assert re.search(f'random states cannot be restored: .*{said}', log)
    assert result['indices'].items() <= whole['indices'].items()
    assert not torch.equal(result['parameters']['layers.0.weight'],
                           whole['parameters']['layers.0.weight'])


def test_best_checkpoints_hold_no_random_states(tmp_path):
    run(tmp_path, steps=3)
    assert 'random_states' not in torch.load(tmp_path / 'best_acc_iter_3.pth', weights_only=True)


def test_seed_of_the_workers_depends_on_the_epoch_alone():
    def seed(hook, epoch):
        hook.before_train_epoch(SimpleNamespace(seed=5, epoch=epoch))
        return torch.empty((), dtype=torch.int64).random_(generator=hook._generator).item()
    whole, resumed = ResumableCheckpointHook(), ResumableCheckpointHook()
    assert [seed(whole, epoch) for epoch in (0, 1, 2)][2] == seed(resumed, 2) != seed(resumed, 0)


def test_another_run_keeps_its_files(tmp_path):
    """B goes on from A's checkpoint and finds better scores at once: A's best file is A's."""
    run(tmp_path / 'a', steps=6)
    before = names(tmp_path / 'a')
    assert 'best_acc_iter_6.pth' in before
    run(tmp_path / 'b', resume=True, load_from=str(tmp_path / 'a/iter_6.pth'))
    assert names(tmp_path / 'a') == before
    assert 'best_acc_iter_10.pth' in names(tmp_path / 'b')


def test_the_checkpoint_that_a_run_goes_on_from_stays(tmp_path):
    run(tmp_path, steps=6)
    run(tmp_path, resume=True, load_from=str(tmp_path / 'best_acc_iter_6.pth'))
    assert {'best_acc_iter_6.pth', 'best_acc_iter_10.pth'} <= set(names(tmp_path))
