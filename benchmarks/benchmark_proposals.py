"""Images per second of the proposal methods, with several numbers of worker processes.

    python benchmarks/benchmark_proposals.py DEVKIT --ann-file LIST
        [--methods rect grabcut region ...] [--workers 1 2 ...] [--images N] [--rounds N]

Loading is part of it, writing is not. All processes are started and warm before the clock runs;
then the combinations take turns over the same images, in several rounds and in changing order, so
that whatever else the machine does falls on all alike. The ratio is against the first number of
workers: the median of the rounds' ratios.
"""
import argparse
import itertools
import os
import os.path as osp
import time
from contextlib import ExitStack

import numpy as np
from mmengine.registry import init_default_scope
from prettytable import PrettyTable
from rich.console import Console
from rich.progress import track

from mmseg_wss.datasets import VOCWeakSegDataset
from mmseg_wss.proposals import METHODS, parse_method
from mmseg_wss.proposals.jobs import LOADING, MakeProposal
from mmseg_wss.utils.worker_pool import Failure, WorkerPool


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('devkit', help='a folder in VOC layout')
    parser.add_argument('--ann-file', required=True, metavar='LIST',
                        help='list of IDs, relative to the folder')
    parser.add_argument('--methods', nargs='+', default=['rect', 'grabcut', 'region'],
                        help=f'of {", ".join(METHODS)}, and several joined by "+" '
                        '(default: %(default)s)')
    parser.add_argument('--mcg-dir', metavar='DIR', help='MCG proposals, ID.mat, for mcg')
    parser.add_argument('--workers', nargs='+', type=int, default=[1, os.cpu_count()],
                        help='numbers of processes, with one thread each (default: %(default)s)')
    parser.add_argument('--images', type=int, default=24,
                        help='images of a round, the first of the list (default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=3, help='(default: %(default)s)')
    args = parser.parse_args()
    if min(args.images, args.rounds, *args.workers) < 1:
        parser.error('--images, --rounds and --workers must be at least 1')
    try:
        names = {name for method in args.methods for name in parse_method(method)}
    except ValueError as error:
        parser.error(str(error))
    if 'mcg' in names and args.mcg_dir is None:
        parser.error('the method mcg needs --mcg-dir')
    return args


def seconds_of(pool, jobs):
    """How long a pool takes for the jobs, one at least for each of its processes."""
    begin = time.perf_counter()
    for job, result in pool.run(jobs):
        if isinstance(result, Failure):
            raise SystemExit(f'{job[1]}: {result.message}')
    return time.perf_counter() - begin


def measure(functions, workers, jobs, rounds):
    """Time all combinations of functions and numbers of workers in turn.

    Returns:
        np.ndarray: seconds (rounds, len(functions), len(workers)).
    """
    with ExitStack() as stack:
        pools = [[stack.enter_context(WorkerPool(function, number, ['mmseg_wss.datasets']))
                  for number in workers] for function in functions]
        combinations = list(itertools.product(range(len(functions)), range(len(workers))))
        for row, column in combinations:
            seconds_of(pools[row][column], jobs[:1] * workers[column])
        seconds = np.zeros((rounds, len(functions), len(workers)))
        turns = [(number, which) for number in range(rounds)
                 for which in combinations[::(-1) ** number]]
        for number, (row, column) in track(turns, 'Timing', console=Console(stderr=True)):
            seconds[number, row, column] = seconds_of(pools[row][column], jobs)
    return seconds


def main():
    args = parse_args()
    init_default_scope('mmseg')
    dataset = VOCWeakSegDataset(
        data_root=args.devkit, ann_file=args.ann_file, supervision='box', pipeline=list(LOADING),
        test_mode=True)
    jobs = [(index, osp.splitext(osp.basename(dataset.get_data_info(index)['img_path']))[0])
            for index in range(min(args.images, len(dataset)))]
    functions = [MakeProposal(dataset, method, mcg_dir=args.mcg_dir if 'mcg' in method else None)
                 for method in args.methods]
    seconds = measure(functions, args.workers, jobs, args.rounds)

    table = PrettyTable(['method', 'workers', 'images/s', f'ratio to {args.workers[0]}'])
    for row, method in enumerate(args.methods):
        for column, number in enumerate(args.workers):
            times = seconds[:, row, column]
            ratio = np.median(seconds[:, row, 0] / times)
            table.add_row([method, number, f'{len(jobs) / np.median(times):.2f}', f'{ratio:.2f}'])
    print(f'{len(jobs)} images, {args.rounds} rounds, {os.cpu_count()} CPUs')
    print(table)


if __name__ == '__main__':
    main()
