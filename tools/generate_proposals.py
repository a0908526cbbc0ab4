"""Make the proposal masks of weak images from their boxes.

    python tools/generate_proposals.py CONFIG --out DIR [--method grabcut+region] [--workers N]
    python tools/generate_proposals.py DEVKIT --ann-file LIST --out DIR [...]

For a config: the images of its weak training sources. For a folder in VOC layout: those of a list.
True masks are not opened. Stopped and started again it makes what is missing, and what was made
with another method, other options or other boxes; each file says itself how its mask was made.
The exit code is 1 if an image failed. A training reads the masks with ``supervision='pseudo'`` and
``pseudo_mask=DIR``.

Several machines share the work when each is started with --shard I/N (I from 0), by torchrun or by
srun, one process each, into the same DIR. While one of them is working, a start without shards is
refused.
"""
import argparse
import os
import os.path as osp

from mmseg_wss.utils.cli import add_workers, allow_stop, report_outcome, run_tool

if __name__ == '__main__':
    allow_stop()

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmseg_wss.engine.run_config import add_cfg_options, load_config
from mmseg_wss.engine.weak_sources import weak_images
from mmseg_wss.labels.stores.mask_folder import MaskFolder
from mmseg_wss.proposals import METHODS, parse_method
from mmseg_wss.proposals.jobs import (
    LOADING,
    Job,
    MakeProposal,
    find_stale,
    proposal_recipe,
    resolve_options,
)
from mmseg_wss.utils.jobs import run_jobs

LAUNCHERS = (('RANK', 'WORLD_SIZE'), ('SLURM_PROCID', 'SLURM_NTASKS'))


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('data', metavar='CONFIG|DEVKIT',
                        help='train config file path, or a folder in VOC layout')
    parser.add_argument('--out', required=True, metavar='DIR', help='the dir for ID.png')
    parser.add_argument('--method', default='grabcut+region',
                        help=f'one of {", ".join(METHODS)}, or several joined by "+": pixels that '
                        'they differ on are ignored (default: %(default)s)')
    parser.add_argument('--select', choices=['sel', 'strict'],
                        help='which region the method region takes for a box: by overlap and '
                        'contours, or by overlap alone, as the paper has it (default: sel)')
    parser.add_argument('--alpha', type=float,
                        help='the share of a box that is object for sure, for the method bbox_seg '
                        '(default: 0.2)')
    parser.add_argument('--mcg-dir', metavar='DIR',
                        help='MCG proposals made elsewhere, ID.mat, for the method mcg')
    parser.add_argument('--sam-model', metavar='NAME|DIR',
                        help='the segmenter of the method sam: a name of the Hugging Face hub, '
                        'such as facebook/sam-vit-base, or a folder with its files')
    parser.add_argument('--ann-file', metavar='LIST',
                        help='list of IDs, relative to the folder: needed for a DEVKIT; for a '
                        'config it replaces the lists of its weak sources')
    add_workers(parser)
    parser.add_argument('--shard', metavar='I/N', type=parse_shard,
                        help='make every N-th image, from image I on; I counts from 0 (default: '
                        'RANK/WORLD_SIZE of torchrun, else SLURM_PROCID/SLURM_NTASKS, else 0/1)')
    add_cfg_options(parser)
    args = parser.parse_args()
    try:
        args.shard = args.shard or launched_shard()
        check_args(args)
    except (argparse.ArgumentTypeError, ValueError) as error:
        parser.error(str(error))
    return args


def parse_shard(text):
    """(I, N) of 'I/N'."""
    try:
        index, count = map(int, text.split('/'))
    except ValueError:
        index, count = 0, 0
    if not 0 <= index < count:
        raise argparse.ArgumentTypeError(
            f'{text!r} is no shard: write I/N with I from 0 to N - 1, such as 0/2 and 1/2.')
    return index, count


def launched_shard():
    """The shard that torchrun or SLURM gives this process; (0, 1) without them."""
    for names in LAUNCHERS:
        if all(name in os.environ for name in names):
            return parse_shard('/'.join(os.environ[name] for name in names))
    return 0, 1


def check_args(args):
    """Set `args.options`.

    Raises:
        ValueError: an unknown method, or an argument that is missing or would be ignored.
    """
    names = parse_method(args.method)
    if args.select and 'region' not in names:
        raise ValueError(f'--select is for the method region, got --method {args.method}.')
    if args.alpha is not None and not ('bbox_seg' in names and 0 < args.alpha < 1):
        raise ValueError('--alpha is a share between 0 and 1, for the method bbox_seg; got '
                         f'{args.alpha} and --method {args.method}.')
    if ('mcg' in names) != (args.mcg_dir is not None):
        raise ValueError(f'--mcg-dir and the method mcg need each other, got --method {args.method}'
                         f' and --mcg-dir {args.mcg_dir}.')
    if args.mcg_dir is not None and not osp.isdir(args.mcg_dir):
        raise ValueError(f'--mcg-dir {args.mcg_dir}: there is no such folder.')
    if ('sam' in names) != (args.sam_model is not None):
        raise ValueError('--sam-model and the method sam need each other, got --method '
                         f'{args.method} and --sam-model {args.sam_model}.')
    if osp.isdir(args.data):
        if args.ann_file is None:
            raise ValueError(f'{args.data} is a folder: name the list of images too, such as '
                             '--ann-file ImageSets/Segmentation/train_weak.txt.')
        if args.cfg_options is not None:
            raise ValueError(f'--cfg-options is for a config, but {args.data} is a folder.')
    elif not osp.isfile(args.data):
        raise ValueError(f'{args.data}: there is no such config and no such folder.')
    args.options = dict(region=dict(select=args.select or 'sel')) if 'region' in names else {}
    if args.alpha is not None:
        args.options['bbox_seg'] = dict(alpha=args.alpha)
    if args.sam_model is not None:
        args.options['sam'] = dict(model=args.sam_model)


def build_dataset(args):
    """The images that get masks, each with the name of its mask; it reads images and boxes."""
    if osp.isdir(args.data):
        source = dict(type='mmseg_wss.VOCWeakSegDataset', data_root=args.data, supervision='box')
        cfg = Config(dict(train_dataloader=dict(dataset=source)))
    else:
        cfg = load_config(args.data)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    return weak_images(cfg, args.out, LOADING, with_boxes=True, ann_file=args.ann_file,
                       check_files=False)  # what is missing fails its own image


def run(args):
    """Returns the number of images that failed."""
    dataset = build_dataset(args)
    classes = dataset.metainfo['classes']
    index, count = args.shard
    infos = {i: dataset.get_data_info(i) for i in range(index, len(dataset), count)}
    images = {Job(i, info['mask_name']): info for i, info in infos.items()}
    options, recorded = resolve_options(args.options)
    recipe = proposal_recipe(args.method, recorded, classes)
    with MaskFolder(args.out, recipe, args.shard) as folder:
        stale, failures = find_stale(images, classes, folder, args.mcg_dir)
        shard = f' (shard {index}/{count})' if count > 1 else ''
        up_to_date = len(images) - len(stale) - len(failures)
        print(f'{len(images)} images{shard}: {up_to_date} up to date, {len(stale)} to make',
              flush=True)
        outcome = run_jobs(
            MakeProposal(dataset, args.method, options, args.mcg_dir), stale, len(stale),
            args.workers, preload=['mmseg_wss.datasets'],
            write=lambda job, mask: folder.write(job.name, mask, **stale[job]))

    outcome.failures.update(failures)
    failed = report_outcome(outcome, up_to_date, args.out)
    print_next_step(args, failed > 0)
    return failed


def print_next_step(args, some_failed):
    if args.shard[1] > 1:
        print('Only shard {}/{} is made; the others make the rest.'.format(*args.shard))
    elif not some_failed:
        print("Train with them: supervision='pseudo', pseudo_mask="
              f'{osp.abspath(args.out)!r}, made_by={args.method!r} in the weak source of the '
              'config.')


if __name__ == '__main__':
    run_tool(run, parse_args(), 'masks')
