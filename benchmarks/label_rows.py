"""What each kind of label is worth on MSRC: a table with a row for each mix of labels.

    python benchmarks/label_rows.py [--rows ROW ...] [--judge FILE | --tau 0.9] [--seeds N]
        [--jobs J] [--work-dir DIR] [--no-train] [--cfg-options KEY=VALUE ...]

    masks60 masks15       the masks alone, single branch
    boxes_painted points_alone scribbles_alone
                          60 masks and 225 images with painted boxes or clicks, dual branch
    boxes tags points scribbles
                          the same, but a network makes the masks of these images; with boxes the
                          training starts from its weights
    unlabelled            the same without a label, from its weights: three networks make the masks,
                          and these images are strongly augmented
    boxes15               15 masks and 270 boxed images, mixed dual head on fused proposals
    mix                   60 masks, and 75 images each with boxes, with tags and without a label,
                          masks of each kind as above, from its weights
    masks285              the masks of all images, single branch

The network that makes masks is that of masks60 with the same seed. It makes them as --judge says
(judge.json of tools/judge_masks.py, for boxes with --boxes grabcut+region), else with --gate and
--tau. Images without a label get theirs from its mean with the networks of the seeds 0, 1 and 2,
where that is above 0.8. Each row is a config in DIR/configs, and each training has a line in
DIR/results.jsonl: killed and started again, the script goes on, and a finished training is never
repeated. FS% is the share of the mIoU of masks285. Hours on a CPU; MSRC_SIDE=208 makes a step 0.4
times as long.
"""
import argparse
from pathlib import Path

import numpy as np
from mmengine.config import Config
from prettytable import PrettyTable
from tool_calls import ROOT, call

from mmseg_wss.engine.seeded_run import SeededRun
from mmseg_wss.engine.work_dir import latest_checkpoint
from mmseg_wss.evaluation.run_tables import mean_and_spread
from mmseg_wss.labels.formats.text_list import read_lines, write_lines
from mmseg_wss.pipeline.comparison import Comparison
from mmseg_wss.planning.rules import ENSEMBLE_TAU, MORE_TEACHERS
from mmseg_wss.utils.cli import positive_int, run_tool
from mmseg_wss.utils.fileio import atomic_path

LISTS = 'ImageSets/Segmentation'
FOLDER = "masks=dict(type='folder', path={masks!r})"
WEAK = "weak = dict(_base_.weak, {})\n" \
       'train_dataloader = dict(dataset=dict(datasets=[_base_.strong, weak]))\n'
OF_MEAN = "masks=dict(type='folder', path={mean!r})"
POINT = "supervision='point', data_prefix=dict(point_path={point!r})"
SCRIBBLE = "supervision='scribble', data_prefix=dict(scribble_path={scribble!r})"
MIX = """boxes = dict(_base_.weak, ann_file={lists[0]!r}, """ + FOLDER + """)
tags = dict(_base_.weak, ann_file={lists[1]!r}, supervision='image', """ + FOLDER + """)
unlabelled = dict(_base_.unlabelled, ann_file={lists[2]!r}, """ + OF_MEAN + """)
train_dataloader = dict(sampler=dict(source_ratio=[3, 1, 1, 1]), dataset=dict(
    datasets=[_base_.strong, boxes, tags, unlabelled]))
"""
FEW = """train_dataloader = dict(dataset=dict(datasets=[dict(
    _base_.strong, ann_file='ImageSets/Segmentation/train_strong15.txt')]))
"""
FUSED = 'train_dataloader = dict(dataset=dict(datasets=[_base_.strong, dict(\n' \
        '    _base_.weak, pseudo_mask={proposals!r})]))\n'
# row -> the config that it is based on, and what it changes
ROWS = dict(
    masks60=('single_strong', ''),
    boxes=('dual_branch', WEAK.format(FOLDER)),
    tags=('dual_branch', WEAK.format(f"supervision='image', {FOLDER}")),
    unlabelled=('dual_branch_unlabelled', f'unlabelled = dict(_base_.unlabelled, {OF_MEAN})\n'
                'train_dataloader = dict(dataset=dict(datasets=[_base_.strong, unlabelled]))\n'),
    masks285=('single_full', ''),
    boxes_painted=('dual_branch', ''),
    points=('dual_branch', WEAK.format(f'{POINT}, {FOLDER}')),
    points_alone=('dual_branch', WEAK.format(POINT)),
    scribbles=('dual_branch', WEAK.format(f'{SCRIBBLE}, {FOLDER}')),
    scribbles_alone=('dual_branch', WEAK.format(SCRIBBLE)),
    masks15=('single_strong', FEW),
    boxes15=('seg_net_15', FUSED),
    mix=('dual_branch_unlabelled', MIX))
TAUGHT = 'boxes', 'tags', 'unlabelled', 'points', 'scribbles', 'mix'
STARTED = 'boxes', 'unlabelled', 'mix'  # rows that start from the weights of the teacher
AVERAGED = 'unlabelled', 'mix'  # rows with images without a label; their teachers have these seeds
TEACHERS = 0, *MORE_TEACHERS


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rows', nargs='+', choices=ROWS, default=list(ROWS), metavar='ROW')
    parser.add_argument('--seeds', type=positive_int, default=1, metavar='N', help='0 .. N-1')
    parser.add_argument('--jobs', type=positive_int, default=1, metavar='J',
                        help='trainings at the same time')
    parser.add_argument('--work-dir', default='./work_dirs/label_rows', metavar='DIR')
    parser.add_argument('--judge', metavar='FILE')
    parser.add_argument('--tau', type=float, default=0.9)
    parser.add_argument('--no-train', action='store_true', help='show what there is')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
                        help='passed to every training')
    args = parser.parse_args()
    if set(TAUGHT) & set(args.rows) and 'masks60' not in args.rows:
        args.rows.insert(0, 'masks60')
    return args


def write_config(base, row, seed, start=None):
    config, text = ROWS[row]
    name = f'{row}_seed{seed}'
    text = (f'_base_ = {str(ROOT / f"configs/msrc/{config}_efflite0_msrc.py")!r}\n'
            f'randomness = dict(seed={seed})\nload_from = {start!r}\n{text}').format(
        masks=str(base / f'masks/{name}'), mean=str(base / f'masks/{name}_mean'),
        proposals=str(base / 'masks/boxes15'),
        point=str(base / 'PointLabels_v1_seed0'), scribble=str(base / 'ScribbleLabels_v1_seed0'),
        lists=[str(base / f'mix{number}.txt') for number in range(3)])
    with atomic_path(base / f'configs/{name}.py') as temporary:
        temporary.write_text(text)


def prepare(args, base):
    """What the rows read beside MSRC: clicks, proposals and the lists of the mix."""
    root = Path(Config.fromfile(
        str(ROOT / 'configs/msrc/dual_branch_efflite0_msrc.py')).strong.data_root)
    weak = f'{LISTS}/train_weak60.txt'
    names = read_lines(root / weak)
    for number in range(3):
        write_lines(base / f'mix{number}.txt', names[number::3])
    for kind in ('points', 'scribbles'):
        if {kind, f'{kind}_alone'} & set(args.rows):
            call('make_weak_labels.py', root, '--kind', kind, '--ann-file', weak, '--out', base)
    if 'boxes15' in args.rows:
        call('generate_proposals.py', ROOT / 'configs/msrc/seg_net_15_efflite0_msrc.py',
             '--method', 'grabcut+region', '--out', base / 'masks/boxes15')


def row_run(args, base, row, seed):
    return SeededRun(
        str(base / f'configs/{row}_seed{seed}.py'), common_options=tuple(args.cfg_options))


def write_configs(args, comparison, base, seed):
    """The configs of all rows; returns the checkpoint of the network that makes masks, or None."""
    teacher = None
    if 'masks60' in args.rows:
        write_config(base, 'masks60', seed)
        teacher = latest_checkpoint(comparison.folder(row_run(args, base, 'masks60', seed)))
    for row in args.rows:
        write_config(base, row, seed, teacher if row in STARTED else None)
    return teacher


def teach(args, comparison, base, seed):
    """Configs and masks of the rows that a network makes masks for, once it is trained."""
    checkpoint = write_configs(args, comparison, base, seed)
    others = [latest_checkpoint(comparison.folder(row_run(args, base, 'masks60', other)))
              for other in TEACHERS if other != seed]
    choice = ['--judge', args.judge] if args.judge else ['--gate', '--tau', args.tau]
    for row in TAUGHT:
        if row not in args.rows:
            continue
        name = f'{row}_seed{seed}'
        if row != 'unlabelled':
            images = part_of(base, name, '_base_.boxes, _base_.tags') if row == 'mix' else name
            make_masks(base, seed, checkpoint, images, name, choice)
        if row in AVERAGED:
            make_masks(base, seed, checkpoint, part_of(base, name, '_base_.unlabelled'),
                       f'{name}_mean', ['--tau', ENSEMBLE_TAU, '--average-with', *others])


def part_of(base, name, sources):
    """Write the config that has these sources of another one alone; returns its name."""
    part = f'{name}_{sources.rpartition(".")[2]}'
    with atomic_path(base / f'configs/{part}.py') as temporary:
        temporary.write_text(f'_base_ = {f"./{name}.py"!r}\ntrain_dataloader = dict('
                             f'dataset=dict(datasets=[{sources}]))\n')
    return part


def make_masks(base, seed, checkpoint, images, out, options):
    call('generate_pseudo_masks.py', base / f'configs/masks60_seed{seed}.py', checkpoint,
         '--images-of', base / f'configs/{images}.py', '--out', base / f'masks/{out}', *options)


def finished(args, comparison, base):
    """row -> {seed: last mIoU} of the trainings that have ended."""
    found = {}
    for row in args.rows:
        for seed in range(args.seeds):
            known = comparison.known(row_run(args, base, row, seed))
            if known and known['finished']:
                found.setdefault(row, {})[seed] = list(known['curve'].values())[-1]['mIoU']
    return found


def means(values, others):
    """The means of two rows over the seeds that both have; None where they share none."""
    shared = values.keys() & (others or {}).keys()
    return [np.mean([row[seed] for seed in shared]) for row in (values, others)] if shared else None


def label_table(found):
    """What there is (`finished`) as a table; rows are compared over the seeds that both have."""
    table = PrettyTable(['labels', 'mIoU', 'seeds', 'above the masks alone', 'FS%'])
    table.align = 'r'
    table.align['labels'] = 'l'
    for row, values in found.items():
        alone = means(values, found.get('masks15' if row == 'boxes15' else 'masks60'))
        full = means(values, found.get('masks285'))
        scores = list(values.values())
        table.add_row([
            row, mean_and_spread(scores), ' '.join(f'{score:.2f}' for score in scores),
            f'{alone[0] - alone[1]:+.2f}' if alone else '-',
            f'{100 * full[0] / full[1]:.1f}' if full else '-'])
    return table


def run(args):
    base = Path(args.work_dir).resolve()
    comparison = Comparison(str(base), str(base / 'results.jsonl'))
    for seed in range(args.seeds):
        write_configs(args, comparison, base, seed)
    if not args.no_train:
        prepare(args, base)
        for seed in range(args.seeds):
            plain = [row for row in args.rows if row not in TAUGHT]
            taught = [row for row in args.rows if row in TAUGHT]
            teachers = TEACHERS if set(AVERAGED) & set(taught) else ()
            for teacher in teachers:
                write_config(base, 'masks60', teacher)
            comparison.train([*(row_run(args, base, row, seed) for row in plain),
                              *(row_run(args, base, 'masks60', teacher) for teacher in teachers
                                if teacher != seed)],
                             str(ROOT / 'tools/train.py'), args.jobs)
            if taught:
                teach(args, comparison, base, seed)
            comparison.train([row_run(args, base, row, seed) for row in taught],
                             str(ROOT / 'tools/train.py'), args.jobs)
            print(label_table(finished(args, comparison, base)))
    else:
        print(label_table(finished(args, comparison, base)))


if __name__ == '__main__':
    run_tool(run, parse_args(), made='rows')
