"""Train several configs one after the other and print one table of their results.

    python tools/analysis_tools/compare_runs.py RUN [RUN ...] [--work-dirs DIR] [--out DIR]
                                                [--no-train] [--cfg-options KEY=VALUE ...]

A run is a config, or a config and options of its own between quotes, in a work dir of its own:

    configs/msrc/dual_branch_efflite0_msrc.py
    "configs/msrc/dual_branch_efflite0_msrc.py model.decode_head.num_shared_convs=0"

Stopped and started again it goes on where it was: finished runs are read, an unfinished one is
resumed. Writes the table (runs.json), the validation curves (val_curves.png), and both as one page
that needs no other file (runs.html) into --out.
"""
import argparse
import json
import os.path as osp
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from prettytable import PrettyTable

from mmseg_wss.engine.run_config import load_config
from mmseg_wss.errors import ConfigError
from mmseg_wss.evaluation.val_curve import late_gain, plot_curves, read_curve
from mmseg_wss.utils.cli import run_tool
from mmseg_wss.utils.fileio import atomic_path
from mmseg_wss.visualization.html_page import write_page

TRAIN = osp.join(osp.dirname(osp.dirname(osp.abspath(__file__))), 'train.py')


class Training(NamedTuple):
    config: str
    options: list  # of 'KEY=VALUE', as tools/train.py takes them

    @property
    def name(self):
        """Of the work dir: the config's, and the last words of the options."""
        stem = osp.splitext(osp.basename(self.config))[0]
        words = [option.split('=', 1)[0].split('.')[-1] + '=' + option.split('=', 1)[1]
                 for option in self.options]
        return '_'.join([stem, *(re.sub(r'[^\w=.-]+', '-', word).strip('-') for word in words)])


def parse_run(text):
    config, *options = shlex.split(text)
    if not osp.isfile(config):
        raise argparse.ArgumentTypeError(f'{config}: there is no such config')
    for option in options:
        if '=' not in option:
            raise argparse.ArgumentTypeError(f'{option}: an option of a run is KEY=VALUE')
    return Training(config, options)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('runs', nargs='+', metavar='RUN', type=parse_run,
                        help='config, or "CONFIG KEY=VALUE ..."')
    parser.add_argument('--work-dirs', default='./work_dirs', help='each run gets a dir in it')
    parser.add_argument('--out', default='./work_dirs', help='the dir for runs.json and the curves')
    parser.add_argument('--no-train', action='store_true', help='read what there is')
    parser.add_argument('--metric', default='mIoU', help='the metric of the table')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
                        help='passed to every training')
    args = parser.parse_args()
    names = [training.name for training in args.runs]
    if len(set(names)) < len(names):
        parser.error(f'two runs would share a work dir: {", ".join(names)}')
    return args


def run(args):
    rows, curves = [], {}
    for number, training in enumerate(args.runs, 1):
        path, name = training.config, training.name
        work_dir = osp.join(args.work_dirs, name)
        options = [*args.cfg_options, *training.options]
        config = load_config(path)
        config.merge_from_dict(dict(option.split('=', 1) for option in options
                                    if option.startswith('train_cfg.')))
        # iterations or epochs, whatever the loop counts
        steps = int(config.train_cfg.get('max_iters') or config.train_cfg.max_epochs)
        curve = read_curve(work_dir, args.metric)
        if steps not in curve and not args.no_train:
            print(f'[{number}/{len(args.runs)}] {name}: training', flush=True)
            done = subprocess.run([sys.executable, TRAIN, path, '--work-dir', work_dir, '--resume',
                                   'auto', *(['--cfg-options', *options] if options else [])])
            if done.returncode:
                raise ConfigError(f'{path}: the training failed (exit code {done.returncode}); its '
                                  f'log is in {work_dir}. Mend the cause and start again.')
            curve = read_curve(work_dir, args.metric)
        if not curve:
            print(f'{path}: no validation result in {work_dir}')
            continue
        curves[name] = curve
        last, best = max(curve), max(curve, key=lambda step: curve[step][args.metric])
        rows.append(dict(
            config=name, steps=last, finished=last >= steps, last=curve[last][args.metric],
            best=curve[best][args.metric], best_step=best, mAcc=curve[last].get('mAcc'),
            late_gain=late_gain(curve, args.metric)))

    table = PrettyTable(['training', 'steps', f'{args.metric} (last)', f'{args.metric} (best)',
                         'at step', 'mAcc (last)', 'gain of last third'])
    for row in rows:
        table.add_row([
            row['config'], f'{row["steps"]}{"" if row["finished"] else " (unfinished)"}',
            f'{row["last"]:.2f}', f'{row["best"]:.2f}', row['best_step'],
            '-' if row['mAcc'] is None else f'{row["mAcc"]:.2f}', f'{row["late_gain"]:+.2f}'])
    print(table)
    with atomic_path(osp.join(args.out, 'runs.json')) as temporary:
        temporary.write_text(json.dumps(rows, indent=1))
    page = [('Results', table)]
    if curves:
        picture = Path(args.out, 'val_curves.png')
        plot_curves(picture, curves, args.metric)
        page.append((f'{args.metric} of the validations', picture))
    write_page(osp.join(args.out, 'runs.html'), 'Trainings', page)


if __name__ == '__main__':
    run_tool(run, parse_args())
