"""Choose by the strong images where the masks of weak images shall come from.

    python tools/judge_masks.py CONFIG --out DIR [--kinds box image ...] [--folds 2]
        [--taus 0 0.5 0.7 0.9 0.95] [--crf [PRESET]] [--boxes rect grabcut+region ...]
        [--reference DIR] [--jobs J] [--cfg-options KEY=VALUE ...]

CONFIG is a training with masks, such as configs/msrc/single_strong_efflite0_msrc.py. Its strong
images are dealt out to folds, and a network is trained without each fold. For the images of the
fold, the boxes, tags, points or scribbles that they would have follow from their masks; each
candidate (painted boxes, the network's masks at several thresholds, ...) makes masks of them, and
is scored by what it knows that the network does not (`worth_scores`; +/- is the standard error over
the images). Of those that are worth the same, but for chance, the most precise one is chosen
(`best_of`). No label of a weak image is opened, nor a val image. Prints the table; DIR/judge.json
has it, and the choice for each kind of label: tools/generate_pseudo_masks.py --judge
DIR/judge.json makes such masks. Stopped and started again, it goes on where it was.

CONFIG may train with weak images, too: these stay in each training. If their masks are from a
folder, the network that made them saw all strong images, so a little of what is held out leaks
through. A load_from of CONFIG is left out for the same reason; where its network saw other images,
give it with --cfg-options. With --reference, the DIR of a judge of the same images (that of the
first networks, of masks alone), a candidate is scored by what it knows that those networks do not,
so that the figures of one round can be compared with those of another.
"""
import argparse
import math
import os.path as osp

from mmseg_wss.utils.cli import allow_stop, run_tool

if __name__ == '__main__':
    allow_stop()

from mmengine.registry import init_default_scope
from prettytable import PrettyTable

from mmseg_wss.engine.run_config import add_trust_option, read_config, trust_checkpoints
from mmseg_wss.evaluation.box_masks import check_box_method
from mmseg_wss.evaluation.judgement import write_judgement
from mmseg_wss.evaluation.mask_judge import TAUS, best_of, candidates_of
from mmseg_wss.ops.crf_presets import CRF_PRESETS
from mmseg_wss.pipeline.cross_fitting import CrossFitting
from mmseg_wss.pipeline.pipeline_file import parse_options
from mmseg_wss.utils.cli import positive_int

KINDS = 'none', 'image', 'box', 'point', 'scribble'
TRAIN = osp.join(osp.dirname(osp.abspath(__file__)), 'train.py')
COLUMNS = dict(
    worth='worth', worth_se='+/-', worth_pixels='of all pixels',
    right_where_wrong='mended of its errors',
    wrong_where_right='broken of the rest', miou='mIoU (kept)', precision='fg precision',
    recall='fg recall', coverage='coverage', boundary_miou='boundary mIoU')


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='train config file path')
    parser.add_argument('--out', required=True, metavar='DIR',
                        help='the dir for judge.json and the trainings')
    parser.add_argument('--kinds', nargs='+', choices=KINDS, default=['none', 'image', 'box'],
                        metavar='KIND', help=f'of labels: {", ".join(KINDS)} (default: the first '
                        'three)')
    parser.add_argument('--folds', type=int, default=2, metavar='K',
                        help='networks that are trained (default: %(default)s)')
    parser.add_argument('--taus', nargs='+', type=float, default=TAUS, metavar='TAU',
                        help='thresholds of a network (default: %(default)s)')
    parser.add_argument('--crf', nargs='?', const='affinitynet', choices=CRF_PRESETS,
                        metavar='PRESET', help='judge masks behind a dense CRF, too: '
                        f'{", ".join(CRF_PRESETS)} (default: affinitynet)')
    parser.add_argument('--boxes', nargs='+', default=['rect'], metavar='METHOD',
                        help='masks of boxes without a network: methods of '
                        'tools/generate_proposals.py; also where a network is not sure (default: '
                        'rect)')
    parser.add_argument('--reference', metavar='DIR',
                        help='--out of a judge of the same images: count what masks know that its '
                        'networks do not')
    parser.add_argument('--jobs', type=positive_int, default=1, metavar='J',
                        help='networks that are trained side by side (default: %(default)s)')
    add_trust_option(parser)
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
                        help='of the trainings')
    args = parser.parse_args(argv)
    if args.folds < 2:
        parser.error(f'--folds must be at least 2, got {args.folds}: a network does not judge '
                     'images that it was trained with')
    for method in args.boxes:
        try:
            check_box_method(method)
        except (ImportError, ValueError) as error:
            parser.error(f'--boxes: {error}')
    for tau in args.taus:
        if not 0 <= tau <= 1:  # NaN too
            parser.error(f'--taus are probabilities, 0 to 1; got {tau}')
    return args


def judge_table(rows):
    """The rows of `judge_rows` as a table, in percent; * is the choice of its kind (`best_of`)."""
    best = best_of(rows).values()
    table = PrettyTable(['labels', 'masks', *COLUMNS.values()])
    table.align = 'r'
    table.align['labels'] = table.align['masks'] = 'l'
    for row in rows:
        name = row['source'] if row['tau'] is None else f'teacher, tau {row["tau"]:g}'
        name += f', CRF {row["crf"]}' * (row['crf'] is not None)
        name += row['source'].replace('teacher+', ', else ') * row['source'].startswith('teacher+')
        table.add_row([row['kind'], f'{name} *' if row in best else name, *(
            '-' if math.isnan(row[key]) else f'{100 * row[key]:.2f}' for key in COLUMNS)])
    return table


def run(args):
    trust_checkpoints(args)
    cfg = read_config(argparse.Namespace(
        config=args.config, cfg_options=parse_options(args.cfg_options)))
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    fitting = CrossFitting(args.config, cfg, args.out, args.folds, tuple(args.cfg_options),
                           args.reference)
    fitting.check_reference()
    if fitting.own_start:
        print(f'The networks of the folds start anew, not from {cfg.load_from}, which may have '
              'seen the masks that they judge. If it has not: --cfg-options '
              f'load_from={cfg.load_from}')
    fitting.train(TRAIN, args.jobs)
    rows = fitting.judge(candidates_of(
        args.kinds, args.taus, (None, args.crf) if args.crf else (None, ), args.boxes))
    print(judge_table(rows))
    for kind, row in best_of(rows).items():
        if row['tau_classes']:
            print(f'{kind}: thresholds of their own for '
                  + ', '.join(f'{name} {tau:g}' for name, tau in row['tau_classes'].items()))
    path = osp.join(args.out, 'judge.json')
    write_judgement(path, rows, config=args.config, options=args.cfg_options, folds=args.folds,
                    images=len(fitting.images), reference=args.reference)
    print(f'{path} written. Next: tools/generate_pseudo_masks.py CONFIG CHECKPOINT --judge {path} '
          '--out MASKS, with a network that was trained with all masks.')


if __name__ == '__main__':
    run_tool(run, parse_args())
