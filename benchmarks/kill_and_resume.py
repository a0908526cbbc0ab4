"""Kill a training at random moments, resume it, and compare the end with an uninterrupted run.

    python benchmarks/kill_and_resume.py CONFIG [--times N] [--in-validation N] [--processes N]
                         [--seed N] [--work-dir DIR] [--cfg-options KEY=VALUE ...]

The training is run once without a stop; then N times it gets SIGKILL at a random moment after its
first checkpoint, and is resumed with ``--resume auto``. Its last checkpoint is compared bit for
bit: parameters, buffers (the routing carry among them), optimiser, schedule and random states; so
are the name and the parameters of its best one. The exit code is 1 if any differs. The first
kills, as many as --in-validation says, fall into a validation. With --processes the training runs
on that many, by torchrun.
"""
import argparse
import os.path as osp
import random
import re
import socket
import sys
import time
from pathlib import Path

import torch
from killed_processes import empty_folder, finish, kill, start
from mmengine.runner.checkpoint import _load_checkpoint, find_latest_checkpoint

TRAIN = osp.join(osp.dirname(osp.dirname(osp.abspath(__file__))), 'tools/train.py')
COMPARED = ('state_dict', 'optimizer', 'param_schedulers', 'random_states')


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='train config file path')
    parser.add_argument('--times', type=int, default=5, help='how often to kill')
    parser.add_argument('--in-validation', type=int, default=0, metavar='N',
                        help='how many of the kills fall into a validation')
    parser.add_argument('--processes', type=int, default=1, help='processes of a run')
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    parser.add_argument('--work-dir', default='./work_dirs/kill_and_resume')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
                        help='passed to every run; use it to make the run short')
    return parser.parse_args()


def train_command(args, work_dir, resume=False):
    launch, launcher = [], []
    if args.processes > 1:
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        launch = ['-m', 'torch.distributed.run', f'--nproc_per_node={args.processes}',
                  f'--master_port={port}']
        launcher = ['--launcher', 'pytorch']
    options = [*args.cfg_options]
    if args.in_validation:
        options.append('default_hooks.logger.interval=1')  # tells when a validation begins
    return [sys.executable, *launch, TRAIN, args.config, '--work-dir', work_dir, *launcher,
            *(['--resume', 'auto'] if resume else []),
            *(['--cfg-options', *options] if options else [])]


def wait_for_checkpoint(process, work_dir):
    """Wait for the first checkpoint; return False when the run ends before."""
    while process.poll() is None:
        if osp.exists(osp.join(work_dir, 'last_checkpoint')):
            return True
        time.sleep(0.02)
    return False


def validations(log):
    """How many validations a log shows the first batch of."""
    return len(re.findall(r'Iter\(val\) \[ *1/', Path(log).read_text()))


def wait_for_validation(process, log, number):
    """Wait until validation `number`, counted from 1, is under way, or the run ends."""
    while process.poll() is None and validations(log) < number:
        time.sleep(0.02)


def results(folder):
    """What is compared of a training: its last checkpoint and its best one."""
    last = _load_checkpoint(find_latest_checkpoint(folder), map_location='cpu')
    best = {path.name: _load_checkpoint(str(path), map_location='cpu')['state_dict']
            for path in Path(folder).glob('best_*.pth')}
    return dict({key: last.get(key) for key in COMPARED}, best=best)


def same_bits(first, second):
    """Compare nested dicts and lists of tensors and numbers, bit for bit."""
    if isinstance(first, dict):
        return (isinstance(second, dict) and first.keys() == second.keys()
                and all(same_bits(first[key], second[key]) for key in first))
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same_bits, first, second))
    if isinstance(first, torch.Tensor):
        return first.dtype == second.dtype and torch.equal(first, second)
    return first == second


def last_step(folder):
    """The step of a training's last checkpoint."""
    return _load_checkpoint(find_latest_checkpoint(folder), map_location='cpu')['meta']['iter']


def main():
    args = parse_args()
    rng = random.Random(args.seed)
    empty_folder(args.work_dir)

    folder, log = osp.join(args.work_dir, 'whole'), osp.join(args.work_dir, 'whole.log')
    process = start(train_command(args, folder), log)
    seen = wait_for_checkpoint(process, folder)
    begin = time.time()
    finish(process, log)
    if not seen:
        raise SystemExit('the run saved no checkpoint before its end: give it more steps, or set '
                         'default_hooks.checkpoint.interval.')
    # seconds from the first checkpoint to the last one: a kill behind it would prove nothing
    rest = osp.getmtime(osp.join(folder, 'last_checkpoint')) - begin
    truth, steps = results(folder), last_step(folder)
    print(f'uninterrupted: {steps} steps, best: {", ".join(truth["best"]) or "none"}', flush=True)

    equal = 0
    for number in range(args.times):
        folder = osp.join(args.work_dir, f'killed_{number}')
        log = f'{folder}.log'
        process = start(train_command(args, folder), log)
        wait_for_checkpoint(process, folder)
        if number < args.in_validation:
            # not the last one: the training has ended by then
            chosen = rng.randint(1, max(1, validations(f'{args.work_dir}/whole.log') - 1))
            wait_for_validation(process, log, chosen)
            place = f'killed in validation {chosen}'
        else:
            time.sleep(rng.uniform(0, 0.8 * rest))
            place = 'killed'
        killed = kill(process)
        step = last_step(folder)
        finish(start(train_command(args, folder, resume=True), log), log)
        result = results(folder)
        different = [key for key in truth if not same_bits(truth[key], result[key])]
        early = killed and step < steps
        equal += early and not different
        print(f'{number + 1}: {place if early else "ended before it could be killed"}, resumed '
              f'from step {step}: {"different " + ", ".join(different) if different else "equal"}',
              flush=True)
    print(f'bit-equal after SIGKILL and resume: {equal} of {args.times}')
    sys.exit(equal != args.times)


if __name__ == '__main__':
    main()
