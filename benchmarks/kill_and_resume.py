"""Kill a training at random moments, resume it, and compare the end with an uninterrupted run.

    python benchmarks/kill_and_resume.py CONFIG [--times N] [--processes N] [--seed N]
                                                   [--work-dir DIR] [--cfg-options KEY=VALUE ...]

The training is run once without a stop; then N times it gets SIGKILL at a random moment after its
first checkpoint, is resumed with ``--resume auto``, and its last checkpoint is compared bit for
bit: parameters, buffers (the routing carry among them), optimiser, schedule and random states. The
exit code is 1 if any differs. With --processes it runs on that many, by torchrun.
"""
import argparse
import os
import os.path as osp
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

import torch
from mmengine.runner.checkpoint import _load_checkpoint, find_latest_checkpoint

TRAIN = osp.join(osp.dirname(osp.dirname(osp.abspath(__file__))), 'tools/train.py')
COMPARED = ('state_dict', 'optimizer', 'param_schedulers', 'random_states')


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='train config file path')
    parser.add_argument('--times', type=int, default=5, help='how often to kill')
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
    options = ['--cfg-options', *args.cfg_options] if args.cfg_options else []
    return [sys.executable, *launch, TRAIN, args.config, '--work-dir', work_dir, *launcher,
            *(['--resume', 'auto'] if resume else []), *options]


def start(command, log):
    """Start a command in a session of its own, so that a signal reaches all its processes."""
    with open(log, 'a') as file:
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT,
                                start_new_session=True)


def finish(process, log):
    if process.wait():
        raise SystemExit(f'the training failed with exit code {process.returncode}: see {log}')


def wait_for_checkpoint(process, work_dir):
    """Wait for the first checkpoint; return False when the run ends before."""
    while process.poll() is None:
        if osp.exists(osp.join(work_dir, 'last_checkpoint')):
            return True
        time.sleep(0.02)
    return False


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


def main():
    args = parse_args()
    rng = random.Random(args.seed)
    shutil.rmtree(args.work_dir, ignore_errors=True)
    os.makedirs(args.work_dir)

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
    truth = _load_checkpoint(find_latest_checkpoint(folder), map_location='cpu')
    print(f'uninterrupted: {truth["meta"]["iter"]} steps', flush=True)

    equal = 0
    for number in range(args.times):
        folder = osp.join(args.work_dir, f'killed_{number}')
        log = f'{folder}.log'
        process = start(train_command(args, folder), log)
        wait_for_checkpoint(process, folder)
        time.sleep(rng.uniform(0, 0.8 * rest))
        killed = process.poll() is None
        if killed:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        step = _load_checkpoint(find_latest_checkpoint(folder), map_location='cpu')['meta']['iter']
        finish(start(train_command(args, folder, resume=True), log), log)
        result = _load_checkpoint(find_latest_checkpoint(folder), map_location='cpu')
        different = [key for key in COMPARED if not same_bits(truth.get(key), result.get(key))]
        early = killed and step < truth['meta']['iter']
        equal += early and not different
        print(f'{number + 1}: {"killed" if early else "ended before it could be killed"}, resumed '
              f'from step {step}: {"different " + ", ".join(different) if different else "equal"}',
              flush=True)
    print(f'bit-equal after SIGKILL and resume: {equal} of {args.times}')
    sys.exit(equal != args.times)


if __name__ == '__main__':
    main()
