"""Images per second and peak memory of coco_semantic.py, over files of several sizes.

    python benchmarks/benchmark_coco_semantic.py [--images 2000 20000] [--workers N]

The files are made up: small images (160x120 by default), 10 outlines each, most of them polygons of
24 corners, some run lengths, some crowds. The tool runs as a process of its own on each. "images/s"
is of the making of masks; "seconds" is of the whole command, with start and reading. Memory is
looked up once a second (Linux alone): the main process's peak, the largest worker's, and the
whole tree's, in which pages that processes share count once. All in MB; ratios are against the
first file.
"""
import argparse
import json
import os
import os.path as osp
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from prettytable import PrettyTable

TOOL = Path(__file__).parents[1] / 'tools/dataset_converters/coco_semantic.py'
CATEGORIES = 80
MADE = re.compile(r'(\d+) made in ([\d.]+) s')


class Measured(NamedTuple):
    """Of one run; memory in MB."""
    rate: float
    seconds: float
    main: float
    worker: float
    tree: float


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--images', type=int, nargs='+', default=[2000, 20000],
                        help='numbers of images (default: %(default)s)')
    parser.add_argument('--outlines', type=int, default=10,
                        help='of each image (default: %(default)s)')
    parser.add_argument('--size', type=int, nargs=2, default=[160, 120], metavar=('W', 'H'),
                        help='of the images (default: %(default)s)')
    parser.add_argument('--workers', type=int, default=os.cpu_count(),
                        help='processes (default: %(default)s)')
    args = parser.parse_args()
    if min(*args.images, args.outlines, *args.size, args.workers) < 1:
        parser.error('all numbers must be at least 1')
    if not osp.isdir('/proc/self/task'):
        parser.error('memory is measured through /proc, which this system does not have')
    return args


def make_up_outline(rng, width, height):
    """A segmentation: a polygon of 24 corners, or as every tenth, a rectangle as run lengths."""
    x, y = rng.uniform(0, (width, height))
    if rng.random() < 0.1:
        left, rows = int(x) // 2, 1 + int(y) // 2
        inside = [rows, height - rows] * (1 + width // 4)
        return dict(size=[height, width],
                    counts=[left * height, *inside, height * (width - left) - sum(inside)])
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radius = rng.uniform(0.5, 1, 24) * rng.uniform(2, height / 3)
    corners = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)
    return [corners.clip(0, (width, height)).round(2).ravel().tolist()]


def make_up_file(path, num_images, num_outlines, size):
    """Write a COCO file; an annotation at a time, so that this process stays small."""
    rng = np.random.default_rng(0)
    width, height = size
    images = [dict(id=i, file_name=f'{i:012}.jpg', width=width, height=height)
              for i in range(num_images)]
    categories = [dict(id=i, name=f'class {i}') for i in range(1, CATEGORIES + 1)]
    with open(path, 'w') as file:
        file.write(f'{{"images": {json.dumps(images)}, "categories": {json.dumps(categories)}, '
                   '"annotations": [')
        for i in range(num_images * num_outlines):
            outline = make_up_outline(rng, width, height)
            file.write(',\n' * (i > 0) + json.dumps(dict(
                id=i, image_id=i % num_images, category_id=int(rng.integers(1, CATEGORIES + 1)),
                iscrowd=int(isinstance(outline, dict) and rng.random() < 0.1), bbox=[0, 0, 1, 1],
                area=1., segmentation=outline)))
        file.write(']}')


def descendants(pid):
    """The processes that a process started, and those that these started: list of pid."""
    try:
        children = [int(child) for path in Path(f'/proc/{pid}/task').glob('*/children')
                    for child in path.read_text().split()]
    except OSError:  # it ended just now
        return []
    return children + [more for child in children for more in descendants(child)]


def memory(pid, file, key):
    """A line of a process's memory in MB; 0 where the process has ended."""
    try:
        return int(re.search(rf'^{key}:\s+(\d+) kB', Path(f'/proc/{pid}/{file}').read_text(),
                             re.M).group(1)) / 1024
    except (AttributeError, OSError):  # AttributeError: it ended, but nobody has looked yet
        return 0.


def measure(command):
    """Run the tool and watch its memory."""
    main = worker = tree = 0
    begin = time.perf_counter()
    with tempfile.TemporaryFile('w+') as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                children = descendants(process.pid)
                main = max(main, memory(process.pid, 'status', 'VmHWM'))
                worker = max([worker, *(memory(pid, 'status', 'VmHWM') for pid in children)])
                tree = max(tree, sum(memory(pid, 'smaps_rollup', 'Pss')
                                     for pid in (process.pid, *children)))
                time.sleep(1)
        finally:
            process.kill()  # where this process is stopped; its workers see it and leave
        seconds = time.perf_counter() - begin
        output.seek(0)
        text = output.read()
    made = MADE.search(text)
    if process.returncode or not made:
        sys.exit(f'{" ".join(command)} failed:\n{text}')
    return Measured(int(made.group(1)) / float(made.group(2)), seconds, main, worker, tree)


def main():
    args = parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as Ctrl-C does
    table = PrettyTable(['images', 'outlines', 'JSON', 'images/s', 'seconds', 'main', 'ratio',
                         'worker', 'ratio ', 'tree', 'ratio  '])
    first = None
    with tempfile.TemporaryDirectory() as folder:
        for number in args.images:
            path = osp.join(folder, f'{number}.json')
            make_up_file(path, number, args.outlines, args.size)
            run = measure([sys.executable, str(TOOL), path, '--out', osp.join(folder, str(number)),
                           '--workers', str(args.workers)])
            first = first or run
            table.add_row([
                number, number * args.outlines, f'{osp.getsize(path) / 2 ** 20:.0f}',
                f'{run.rate:.0f}', f'{run.seconds:.0f}',
                *(text for now, then in zip(run[2:], first[2:])
                  for text in (f'{now:.0f}', f'{now / then:.2f}'))])
            os.unlink(path)
    print(f'{args.size[0]}x{args.size[1]} pixels, {args.workers} workers, {os.cpu_count()} CPUs')
    print(table)


if __name__ == '__main__':
    main()
