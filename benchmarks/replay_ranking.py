"""Replay on MSRC: does it pay to label what a network ranks first, instead of images by chance?

    python benchmarks/replay_ranking.py [--config CONFIG] [--work-dir DIR] [--rounds 3] [--step 10]
        [--seed 0] [--rank-options "--cost mask"] [--cfg-options KEY=VALUE ...]

Training starts with the masks of 30 images and the boxes of the other training images. In each of
3 rounds 10 of the latter get their masks: those that tools/rank_images.py puts first with the
network of the round before, or images by chance; then a network is trained anew. The first network
is the same for both. Every round has a folder with its lists, its training and, when it is
finished, result.json: killed and started again, the script goes on. The table of both curves is in
DIR/results.json. Hours on a CPU; for a trial: --cfg-options train_cfg.max_iters=4
train_cfg.val_interval=4.
"""
import argparse
import csv
import json
import shlex
from pathlib import Path

import numpy as np
from mmengine.config import Config
from prettytable import PrettyTable
from tool_calls import ROOT, call

from mmseg_wss.errors import ConfigError
from mmseg_wss.evaluation.val_curve import read_curve
from mmseg_wss.labels.formats.text_list import read_lines, write_lines
from mmseg_wss.utils.cli import natural_int, positive_int, run_tool
from mmseg_wss.utils.fileio import atomic_path

LISTS = 'ImageSets/Segmentation'


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--config', default=str(ROOT / 'configs/msrc/mixed_dual_efflite0_msrc.py'),
                        help='its sources are strong images, then weak ones, of one data_root')
    parser.add_argument('--work-dir', default='./work_dirs/replay_ranking')
    parser.add_argument('--start', default='train_strong30', help='list of the first masks')
    parser.add_argument('--pool', default='trainaug', help='list of all training images')
    parser.add_argument('--rounds', type=positive_int, default=3)
    parser.add_argument('--step', type=positive_int, default=10, help='images that a round adds')
    parser.add_argument('--seed', type=natural_int, default=0, help='of chance and of the training')
    parser.add_argument('--rank-options', default='', help='further options of rank_images.py')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
                        help='passed to every training')
    return parser.parse_args()


def train(args, folder, strong, pool):
    """Train with these masks, if it has not been done; returns what result.json holds."""
    result = folder / 'result.json'
    if result.is_file():
        return json.loads(result.read_text())
    weak = [name for name in pool if name not in set(strong)]
    for name, members in (('strong', strong), ('weak', weak)):
        write_lines(folder / f'{name}.txt', members)
    options = [f'train_dataloader.dataset.datasets.{number}.ann_file={(folder / name).resolve()}'
               for number, name in enumerate(('strong.txt', 'weak.txt'))]
    work_dir = folder / 'training'
    call('train.py', args.config, '--work-dir', work_dir, '--resume', 'auto', '--cfg-options',
         *options, f'randomness.seed={args.seed}', *args.cfg_options)
    curve = read_curve(str(work_dir))
    if not curve:
        raise ConfigError(f'{work_dir}: the training was never validated; set '
                          'train_cfg.val_interval.')
    content = dict(masks=len(strong), strong=strong, steps=max(curve),
                   mIoU=curve[max(curve)]['mIoU'],
                   checkpoint=(work_dir / 'last_checkpoint').read_text().strip())
    with atomic_path(result) as path:
        path.write_text(json.dumps(content, indent=1))
    return content


def ranked(args, folder, before, pool, seen):
    """The images of the pool, the next to be labelled first."""
    write_lines(folder / 'pool.txt', pool)
    write_lines(folder / 'labelled.txt', seen)
    call('rank_images.py', args.config, before['checkpoint'], '--ann-file', folder / 'pool.txt',
         '--labelled', folder / 'labelled.txt', '--out', folder / 'ranked.csv',
         *shlex.split(args.rank_options))
    with open(folder / 'ranked.csv', newline='', encoding='utf-8') as file:
        return [row['image'] for row in csv.DictReader(file)]


def by_chance(args, number, pool):
    return np.random.default_rng((args.seed, number)).permutation(sorted(pool)).tolist()


def run(args):
    config = Config.fromfile(args.config)
    root = Path(config.train_dataloader.dataset.datasets[0].data_root, LISTS)
    start, pool = (read_lines(root / f'{name}.txt') for name in (args.start, args.pool))
    base = Path(args.work_dir)
    first = train(args, base / 'start', start, pool)
    curves = dict(rank=[first], chance=[first])
    for number in range(1, args.rounds + 1):
        for arm, curve in curves.items():
            folder, seen = base / f'{arm}{number}', curve[-1]['strong']
            left = [name for name in pool if name not in set(seen)]
            if (folder / 'result.json').is_file():
                strong = []  # it is in the file
            elif arm == 'rank':
                strong = seen + ranked(args, folder, curve[-1], left, seen)[:args.step]
            else:
                strong = seen + by_chance(args, number, left)[:args.step]
            curve.append(train(args, folder, strong, pool))
    table = PrettyTable(['masks', 'mIoU by rank', 'mIoU by chance'])
    for one, other in zip(*curves.values()):
        table.add_row([one['masks'], f'{one["mIoU"]:.2f}', f'{other["mIoU"]:.2f}'])
    print(table)
    with atomic_path(base / 'results.json') as path:
        path.write_text(json.dumps(
            {arm: [[row['masks'], row['mIoU']] for row in rows] for arm, rows in curves.items()}))


if __name__ == '__main__':
    run_tool(run, parse_args())
