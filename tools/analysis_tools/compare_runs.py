"""Train several configs, with several seeds, and print one table of their results.

    python tools/analysis_tools/compare_runs.py RUN [RUN ...] [--seeds N] [--jobs J]
        [--work-dirs DIR] [--out DIR] [--no-train] [--metric mIoU] [--passage VALUE ...]
        [--cfg-options KEY=VALUE ...]

A run is a config, or a config and options of its own between quotes, in a work dir of its own:

    configs/msrc/dual_branch_efflite0_msrc.py
    "configs/msrc/dual_branch_efflite0_msrc.py model.decode_head.num_shared_convs=0"

--out gets results.jsonl, a line for each finished run: config, options, seed, scores, IoU of each
class, validation curve, time and memory. A run that has a line there is never trained again, and an
unfinished one is resumed. From these lines come the table, the curves (val_curves.png) and one page
that needs no other file (runs.html), with the IoU of the classes.
"""
import argparse
import os.path as osp
from pathlib import Path

from mmseg_wss.engine.seeded_run import SEED, SeededRun, parse_run
from mmseg_wss.errors import ConfigError
from mmseg_wss.evaluation.run_tables import class_table, run_table
from mmseg_wss.evaluation.val_curve import plot_curves
from mmseg_wss.pipeline.comparison import Comparison
from mmseg_wss.utils.cli import positive_int, run_tool
from mmseg_wss.visualization.html_page import write_page

TRAIN = osp.join(osp.dirname(osp.dirname(osp.abspath(__file__))), 'train.py')


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('runs', nargs='+', metavar='RUN', type=parse_run,
                        help='config, or "CONFIG KEY=VALUE ..."')
    parser.add_argument('--seeds', type=positive_int, default=1, metavar='N',
                        help='train each run with the seeds 0 .. N-1 (1: with that of the config)')
    parser.add_argument('--jobs', type=positive_int, default=1, metavar='J',
                        help='trainings at the same time; they share the cores, unless '
                        'OMP_NUM_THREADS is set')
    parser.add_argument('--work-dirs', default='./work_dirs', help='each run gets a dir in it')
    parser.add_argument('--out', default='./work_dirs',
                        help='the dir for results.jsonl, the curves and the page')
    parser.add_argument('--no-train', action='store_true', help='read what there is')
    parser.add_argument('--metric', default='mIoU', help='the metric of the table')
    parser.add_argument('--passage', type=float, nargs='+', default=[], metavar='VALUE',
                        help='in the table: the first validation at or above this value')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
                        help='passed to every training')
    args = parser.parse_args()
    seeds = [None] if args.seeds == 1 else range(args.seeds)
    args.runs = [SeededRun(*run, tuple(args.cfg_options), seed)
                 for seed in seeds for run in args.runs]
    folders = [run.folder for run in args.runs]
    if len(set(folders)) < len(folders):
        parser.error(f'two runs would share a work dir: {", ".join(folders)}')
    if args.seeds > 1 and any(option.startswith(f'{SEED}=')
                              for run in args.runs for option in run.options[:-1]):
        parser.error(f'{SEED}: --seeds sets it')
    return args


def shown_results(runs, comparison):
    """Name of each run -> the results of its seeds; unfinished ones only where none is finished.

    Raises:
        ConfigError: a line of results has no such metric.
    """
    shown, metric = {}, comparison.metric
    for run in runs:
        result = comparison.known(run)
        if result is None:
            print(f'{run.config}: no validation result in {comparison.folder(run)}')
            continue
        curve = {step: scores for step, scores in result['curve'].items() if metric in scores}
        if not curve:
            raise ConfigError(f'{run.folder}: it has no {metric}, but '
                              f'{", ".join(result["metrics"])}. Name one of these as --metric.')
        shown.setdefault(run.name, []).append(dict(result, curve=curve))
    for name, seeds in shown.items():
        finished = [result for result in seeds if result['finished']]
        if finished and len(finished) < len(seeds):
            print(f'{name}: {len(seeds) - len(finished)} unfinished, left out')
        shown[name] = finished or seeds
    return shown


def run(args):
    comparison = Comparison(args.work_dirs, osp.join(args.out, 'results.jsonl'), args.metric)
    unfinished = [one for one in args.runs if not (comparison.known(one) or {}).get('finished')]
    if not args.no_train:
        comparison.train(unfinished, TRAIN, args.jobs)
    shown = shown_results(args.runs, comparison)
    table = run_table(shown, args.metric, args.passage)
    print(table)
    page, classes = [('Results', table)], class_table(shown)
    if classes is not None:
        page.append(('IoU of the classes, last validation', classes))
    if shown:
        picture = Path(args.out, 'val_curves.png')
        plot_curves(picture, {name: [result['curve'] for result in seeds]
                              for name, seeds in shown.items()}, args.metric)
        page.append((f'{args.metric} of the validations', picture))
    write_page(osp.join(args.out, 'runs.html'), 'Trainings', page)


if __name__ == '__main__':
    run_tool(run, parse_args(), made='runs')
