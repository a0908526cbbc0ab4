"""Time ways to make a training step of a config faster on a CPU, against the step as it is.

    python benchmarks/benchmark_step.py [CONFIG] [--variants NAME ...] [--runs RUN ...] [--steps N]
                                        [--warmup N] [--minutes M]

    plain       as the config says; it is always measured
    again       the same once more: what differs by chance
    fused       the optimiser with fused=True
    foreach     the optimiser with foreach=True
    compile     torch.compile of the network
    bfloat16    the forward pass under torch.autocast
    channels    the network's weights and images with channels last
    jemalloc    memory from jemalloc, which keeps it, in huge pages
    threads2    two threads instead of one
    two_runs    two runs side by side, with one thread each; the time is half of that for both

With --runs, other trainings take the place of these variants: each RUN is a config, or a config and
options between quotes. Then a step loads its batch, too: what labels and masks cost.

A step is preprocessing, forward, backward and update, on batches that are loaded before. Each
variant is a process of its own, for its memory and its environment; they take turns, one step each,
in changing order, so that whatever else the machine does falls on all. The figures: the median over
the rounds of plain / variant (above 1 the variant is faster), with its quartiles, of the time that
the processor worked for the step (the one to read of one thread, on a busy machine) and of the time
that passed; the median times; the peak memory; and how far the parameters are from plain's at the
end: the distance over the way that plain's went from the start, and the largest difference.
"""
import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from mmengine.config import DictAction
from prettytable import PrettyTable

from mmseg_wss.engine.seeded_run import parse_run

JEMALLOC = '/usr/lib/x86_64-linux-gnu/libjemalloc.so.2'
ENVIRONMENTS = dict(
    jemalloc=dict(LD_PRELOAD=JEMALLOC,
                  MALLOC_CONF='dirty_decay_ms:-1,muzzy_decay_ms:-1,thp:always'),
    threads2=dict(OMP_NUM_THREADS='2'))
VARIANTS = ('plain', 'again', 'fused', 'foreach', 'compile', 'bfloat16', 'channels', *ENVIRONMENTS,
            'two_runs')


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', nargs='?', default='configs/msrc/dual_branch_efflite0_msrc.py')
    parser.add_argument('--variants', nargs='+', choices=VARIANTS, default=VARIANTS)
    parser.add_argument('--runs', nargs='+', type=parse_run, metavar='RUN',
                        help='config, or "CONFIG KEY=VALUE ...": trainings to compare with')
    parser.add_argument('--steps', type=int, default=30, help='rounds')
    parser.add_argument('--warmup', type=int, default=3, help='rounds that are not counted')
    parser.add_argument('--minutes', type=float, default=60., help='begin no round after these')
    parser.add_argument('--batches', type=int, default=4, help='batches that are used in turn')
    parser.add_argument('--child', help=argparse.SUPPRESS)
    parser.add_argument('--loading', action='store_true', help=argparse.SUPPRESS)
    parser.add_argument('--cfg-options', nargs='*', action=DictAction, default={},
                        help=argparse.SUPPRESS)
    return parser.parse_args()


# ---- one variant

def child(args):
    """Answer each line of stdin: 'step' with its times, a path with what came out."""
    import torch
    from mmengine.config import Config
    from mmengine.optim import build_optim_wrapper
    from mmengine.registry import init_default_scope
    from mmengine.runner import Runner
    from mmseg.registry import MODELS
    config = Config.fromfile(args.config)
    config.merge_from_dict(args.cfg_options)
    init_default_scope(config.get('default_scope', 'mmseg'))
    if args.child in ('fused', 'foreach'):
        config.optim_wrapper.optimizer[args.child] = True
    config.train_dataloader.update(num_workers=0, persistent_workers=False)
    loader = iter(Runner.build_dataloader(config.train_dataloader, seed=0))
    random.seed(0)
    np.random.seed(0)
    batches = [] if args.loading else [next(loader) for _ in range(args.batches)]
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    model.init_weights()
    model.train()
    if args.child == 'channels':
        model.to(memory_format=torch.channels_last)
    start = [parameter.detach().clone() for parameter in model.parameters()]
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    forward = torch.compile(model) if args.child == 'compile' else model
    torch.manual_seed(0)

    def step(batch):
        data = model.data_preprocessor(batch, True)
        if args.child == 'channels':
            data['inputs'] = data['inputs'].contiguous(memory_format=torch.channels_last)
        with torch.autocast('cpu', torch.bfloat16, enabled=args.child == 'bfloat16'):
            losses = forward(**data, mode='loss')
        wrapper.update_params(model.parse_losses(losses)[0])

    print('ready', flush=True)
    for number, line in enumerate(sys.stdin):
        if line.strip() != 'step':
            torch.save((start, [one.detach() for one in model.parameters()]), line.strip())
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
            return
        worked, begin = time.process_time(), time.perf_counter()
        step(next(loader) if args.loading else batches[number % len(batches)])
        print(time.process_time() - worked, time.perf_counter() - begin, flush=True)


# ---- all of them

class Variant:
    """The process, or the two processes, of a variant or of another training (`run`)."""

    def __init__(self, name, args, run=None):
        self.name = name
        environment = {'OMP_NUM_THREADS': '1', **os.environ, **ENVIRONMENTS.get(name, {})}
        config, options = run or (args.config, ())
        command = [sys.executable, __file__, config, '--batches', str(args.batches), '--child',
                   'plain' if run else name, *(['--loading'] if args.runs else []),
                   '--cfg-options', *options]
        self.processes = [
            subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE) for _ in range(1 + (name == 'two_runs'))]
        for process in self.processes:
            self._read_until(process, 'ready')

    def step(self):
        """Take a step; returns the seconds that the processor worked, and those that passed."""
        begin = time.perf_counter()
        answers = self._ask('step')
        passed = (time.perf_counter() - begin) / len(answers)
        return np.mean([worked for worked, _ in answers]), passed

    def finish(self):
        """Peak memory in megabytes of all processes; the parameters of one, before and after."""
        import torch
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder, 'parameters.pth'))
            memory = sum(megabytes for megabytes, in self._ask(path))
            return memory, torch.load(path)

    def _ask(self, text):
        for process in self.processes:
            process.stdin.write(f'{text}\n')
            process.stdin.flush()
        return [[float(word) for word in self._read_until(process).split()]
                for process in self.processes]

    def _read_until(self, process, word=None):
        for line in process.stdout:
            if word is None or line.strip() == word:
                return line
        raise SystemExit(f'{self.name}: it ended with code {process.wait()}; the reason is above.')


def difference(one, other, start):
    """How far two lists of tensors are from one another, as text; see the head of this file."""
    def length(first, second):
        return sum(float(((a - b) ** 2).sum()) for a, b in zip(first, second)) ** 0.5
    largest = max(float((a - b).abs().max()) for a, b in zip(one, other))
    return f'{length(one, other) / length(other, start):.1e}, {largest:.1e}'


def ratio(plain, variant):
    low, median, high = np.quantile(plain / variant, [.25, .5, .75])
    return f'{median:.3f} ({low:.3f} .. {high:.3f})'


def main():
    args = parse_args()
    if args.child:
        child(args)
        return
    names = dict.fromkeys(('plain', *(args.variants if not args.runs else ['again'])))
    names.update({' '.join([config, *options]): (config, options)
                  for config, options in args.runs or ()})
    if 'jemalloc' in names and not Path(JEMALLOC).exists():
        del names['jemalloc']
        print(f'jemalloc: {JEMALLOC} does not exist')
    variants = []
    for name, run in names.items():
        try:
            variants.append(Variant(name, args, run))
        except SystemExit as fault:
            print(fault)
    times, order, end = [], list(range(len(variants))), time.monotonic() + 60 * args.minutes
    for number in range(args.warmup + args.steps):
        if number > args.warmup and time.monotonic() > end:
            break
        random.Random(number).shuffle(order)
        row = np.zeros((len(order), 2))
        for which in order:
            row[which] = variants[which].step()
        times.append(row)
    times = np.array(times[args.warmup:])  # (rounds, variants, 2)
    outcomes = [variant.finish() for variant in variants]
    start, plain = outcomes[0][1]
    table = PrettyTable(['variant', 'plain / variant, worked', 'plain / variant, passed',
                         'ms worked', 'ms passed', 'peak MB', 'parameters differ'])
    for number, (variant, (memory, parameters)) in enumerate(zip(variants, outcomes)):
        worked, passed = times[:, number].T
        table.add_row([
            variant.name, ratio(times[:, 0, 0], worked), ratio(times[:, 0, 1], passed),
            f'{1000 * np.median(worked):.0f}', f'{1000 * np.median(passed):.0f}', f'{memory:.0f}',
            '-' if args.runs else difference(parameters[1], plain, start)])
    load = os.getloadavg()[0] - 1
    print(f'{args.config}: {len(times)} rounds after {args.warmup}; {os.cpu_count()} cores, '
          f'load of others {max(0., load):.1f}')
    print(table)


if __name__ == '__main__':
    main()
