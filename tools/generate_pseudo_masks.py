"""Make pseudo masks for the weak images of a config with a trained network.

    python tools/generate_pseudo_masks.py CONFIG CHECKPOINT --out DIR [--tau 0.9] [--tta]
        [--crf [PRESET]] [--tag-gate] [--box-gate] [--soft] [--seeds FG BG] [--ann-file LIST]
        [--allow-val] [--work-dir DIR] [--cfg-options KEY=VALUE ...]
        [--launcher none|pytorch|slurm|mpi]

A pixel gets the class with the largest probability if that is greater than tau, else 255. With
--seeds, it gets a class by the activation maps of the network's classifier (`cam_seeds`). Masks
that are in DIR already and were made in the same way are not made again.
"""
import argparse
import hashlib
import json
import math
import os
import os.path as osp
from typing import NamedTuple

from mmengine.config import Config, DictAction
from mmengine.dist import broadcast_object_list, init_dist, is_distributed, is_main_process
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing

from mmseg_wss import __version__
from mmseg_wss.engine.config_check import read_data_lists
from mmseg_wss.engine.config_sources import leaf_datasets
from mmseg_wss.engine.hooks import WholeNetworkHook
from mmseg_wss.engine.launch import init_cpu_processes
from mmseg_wss.engine.tta import enable_tta
from mmseg_wss.engine.weak_sources import image_pipeline, image_tags, weak_images
from mmseg_wss.errors import ConfigError, DataError
from mmseg_wss.evaluation.pseudo_mask_writer import MaskTarget, confidence_path
from mmseg_wss.labels.boxes import box_hash
from mmseg_wss.labels.checks.label_check import abridged, box_faults, tag_faults
from mmseg_wss.labels.formats.image_file import image_shape
from mmseg_wss.labels.objects import load_objects
from mmseg_wss.labels.stores.mask_folder import MaskFolder, read_manifest
from mmseg_wss.ops.crf_presets import CRF_PRESETS
from mmseg_wss.pseudo_labels.seeds import check_thresholds
from mmseg_wss.utils.fileio import file_sha256, remove_temporaries

TAU = 0.9


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='train config file path')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', required=True, help='the folder of the masks')
    parser.add_argument('--tau', type=float,
                        help=f'a label needs a larger probability (default: {TAU})')
    parser.add_argument('--tta', action='store_true',
                        help="average the probabilities over the config's tta_pipeline")
    parser.add_argument(
        '--crf', nargs='?', const='affinitynet', choices=CRF_PRESETS, metavar='PRESET',
        help='refine the probabilities with a dense CRF: '
             f'{", ".join(CRF_PRESETS)} (default: affinitynet)')
    parser.add_argument('--tag-gate', action='store_true',
                        help="only the image's own classes; the probability of the others is "
                             'shared out among them')
    parser.add_argument('--box-gate', action='store_true',
                        help='a class stays inside its boxes; elsewhere it becomes 255')
    parser.add_argument('--soft', action='store_true',
                        help='also write round(255 p) of the largest probability p, into '
                             'OUT_confidence')
    parser.add_argument(
        '--seeds', nargs=2, type=float, metavar=('FG', 'BG'),
        help="seeds of the image's own classes instead, for DSRG: objects where an activation map "
             "of RRMHead's classifier is above FG of its maximum (0.2), background where all are "
             'below BG of theirs (0.06)')
    parser.add_argument('--ann-file', help='this list instead of those of the weak sources')
    parser.add_argument('--allow-val', action='store_true',
                        help='make masks of val and test images too')
    parser.add_argument('--work-dir', help='the dir to save logs in')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction,
        help='override settings of the config: key=value pairs; lists as key="[a,b]" or key=a,b')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='job launcher')
    # torch.distributed.launch passes it; torchrun sets the environment instead
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args(argv)
    if args.seeds is not None:
        check_seeds(parser, args)
    elif args.tau is None:
        args.tau = TAU
    if args.tau is not None and not 0 <= args.tau <= 1:  # NaN too
        parser.error(f'--tau is a probability, 0 to 1; got {args.tau}')
    for path, kind in (args.config, 'config'), (args.checkpoint, 'checkpoint'):
        if not osp.isfile(path):
            parser.error(f'{path}: there is no such {kind}')
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def check_seeds(parser, args):
    for option in 'tau', 'tta', 'crf', 'tag_gate', 'box_gate', 'soft':
        value = getattr(args, option)
        if value is not None and value is not False:  # --tau 0 is an option, too
            parser.error(f'--{option.replace("_", "-")} is for predictions, not for --seeds')
    try:
        check_thresholds(*args.seeds)
    except ValueError as error:
        parser.error(f'--seeds: {error}')


def load_config(args):
    cfg = Config.fromfile(args.config)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    if args.seeds is not None:
        cfg.model.type = 'mmseg_wss.CAMEncoderDecoder'
    # work_dir: command line, else config, else the name of the config
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('./work_dirs', osp.splitext(osp.basename(args.config))[0])
    cfg.launcher = args.launcher
    if not cfg.get('test_dataloader'):
        raise SystemExit(f'{args.config}: masks are made with the pipeline of test_dataloader, '
                         'but the config has none.')
    if args.tta:
        try:
            enable_tta(cfg, keep_probs=True)
        except ConfigError as error:
            raise SystemExit(f'--tta: {error}') from error
    return cfg


# ---- what is to be done

class Plan(NamedTuple):
    """What is to be done; the same in all processes."""
    recipe: dict
    targets: dict  # path of an image -> MaskTarget, of all images
    todo: list  # indices of the images without an up-to-date mask


def make_recipe(cfg, args, pipeline, classes):
    """All that a mask depends on besides its image, boxes and tags."""
    settings = {key: cfg.get(key) for key in ('model', 'data_preprocessor', 'test_cfg')}
    text = json.dumps(dict(settings, pipeline=pipeline), sort_keys=True, default=str)
    return dict(
        tool='generate_pseudo_masks', version=__version__, classes=list(classes),
        config=hashlib.sha256(text.encode()).hexdigest(), checkpoint=file_sha256(args.checkpoint),
        tau=args.tau, tta=args.tta, crf=CRF_PRESETS.get(args.crf), tag_gate=args.tag_gate,
        box_gate=args.box_gate, soft=args.soft,
        **({} if args.seeds is None else dict(seeds=args.seeds)))


def refuse_evaluation_images(cfg, images):
    """Pseudo masks of evaluation images would let a training see them.

    Raises:
        DataError: an image is in a val or test list of the config, or such a list is faulty.
    """
    paths = {osp.realpath(info['img_path']): info['img_path'] for info in images}
    for entry in read_data_lists(cfg):
        if entry.for_training:
            continue
        if entry.faults:
            raise DataError('\n'.join(entry.faults))
        shared = paths.keys() & {osp.realpath(info['img_path']) for info in entry.images}
        if shared:
            raise DataError(
                f'{entry.name} has {len(shared)} of the images: '
                f'{abridged(sorted(paths[path] for path in shared))}. Pseudo masks of them must '
                'not be trained with: remove them from the weak list, or pass --allow-val.')


def make_plan(cfg, args, pipeline, with_boxes):
    """Look what is done already; only the boxes and tags are read, where masks depend on them."""
    dataset = weak_images(cfg, args.out, with_boxes=with_boxes, ann_file=args.ann_file)
    images = [dataset.get_data_info(i) for i in range(len(dataset))]
    if not args.allow_val:
        refuse_evaluation_images(cfg, images)
    classes = dataset.metainfo['classes']
    recipe = make_recipe(cfg, args, pipeline, classes)
    with_tags = args.tag_gate or args.seeds is not None
    tags = image_tags(cfg, args.ann_file) if with_tags else {}
    targets = {info['img_path']: mask_target(info, classes, with_boxes, tags.get(info['img_path']))
               for info in images}
    with MaskFolder(args.out, recipe) as folder:
        remove_temporaries(confidence_path(args.out, '').parent)
        todo = [i for i, target in enumerate(targets.values())
                if not (folder.is_done(target.name, target.inputs, **target.facts)
                        and (not args.soft or confidence_path(args.out, target.name).is_file()))]
        folder.finish()
    return Plan(recipe, targets, todo)


def mask_target(info, classes, with_boxes, tags):
    if not with_boxes:
        return MaskTarget(info['mask_name'], tags=tags)
    names, boxes, path = load_objects(info, classes)
    shape = image_shape(info['img_path']) or (math.inf, math.inf)  # unreadable: loading says so
    faults = (box_faults(names, boxes, classes, shape) if names
              else [f'the image {fault}' for fault in tag_faults(names, classes)])
    if faults:
        raise DataError(f'{path}: {"; ".join(faults)}.')
    return MaskTarget(info['mask_name'], box_hash(names, boxes), boxes,
                      tuple(classes.index(name) for name in names), tags)


# ---- doing it

def start_processes(cfg):
    """Let the processes know each other as the runner would, but ahead of it: they share a plan."""
    init_cpu_processes(cfg, cfg.launcher)
    if cfg.launcher != 'none' and not is_distributed():
        env_cfg = cfg.get('env_cfg', {})
        set_multi_processing(**env_cfg.get('mp_cfg', {}), distributed=True)
        init_dist(cfg.launcher, **env_cfg.get('dist_cfg', {}))


def from_main_process(function, *args):
    """What `function` returns in the main process, or the end of all processes by its error."""
    outcome = [None, None]
    if is_main_process():
        try:
            outcome[0] = function(*args)
        except (ImportError, OSError, ValueError) as error:  # written for users
            outcome[1] = str(error)
    broadcast_object_list(outcome)
    if outcome[1] is not None:
        raise SystemExit(outcome[1] if is_main_process() else 1)
    return outcome[0]


def build_runner(cfg, args, dataset, plan):
    """As ``Runner.from_cfg``, for a data set that is none of the config."""
    loader = {key: value for key, value in cfg.test_dataloader.items()
              if key not in ('dataset', 'sampler', 'batch_sampler')}
    # without round_up, since an image must not be written by two processes
    sampler = dict(type='DefaultSampler', shuffle=False, round_up=False)
    writer = dict(out_dir=args.out, recipe=plan.recipe, targets=plan.targets)
    if args.seeds is None:
        writer.update(type='mmseg_wss.PseudoMaskWriter', tau=args.tau,
                      crf=CRF_PRESETS.get(args.crf), box_gate=args.box_gate, soft=args.soft)
    else:
        writer.update(type='mmseg_wss.SeedWriter', fg_threshold=args.seeds[0],
                      bg_threshold=args.seeds[1])
    keys = ('model', 'work_dir', 'data_preprocessor', 'default_hooks', 'custom_hooks', 'launcher',
            'env_cfg', 'log_processor', 'log_level', 'visualizer', 'default_scope', 'randomness',
            'experiment_name')
    runner = Runner(
        test_dataloader=dict(loader, dataset=dataset, sampler=sampler),
        test_cfg=cfg.get('test_cfg') or {}, test_evaluator=writer, load_from=args.checkpoint,
        cfg=cfg, **{key: cfg[key] for key in keys if key in cfg})
    runner.register_hook(WholeNetworkHook(args.checkpoint))
    return runner


def summary(args, plan):
    """One line about all masks of the weak images."""
    records = read_manifest(args.out)
    records = [records[target.name] for target in plan.targets.values()]
    kept, pixels = (sum(record[key] for record in records) for key in ('kept', 'pixels'))
    made = (f'{len(plan.todo)} of them written now' if plan.todo
            else 'nothing to do, all were there')
    return (f'{len(records)} pseudo masks ({made}), {kept / pixels:.1%} of the pixels labelled: '
            f"{args.out}. Next: train with supervision='pseudo', "
            f'pseudo_mask={osp.abspath(args.out)!r} in the weak source of a config.')


def main(argv=None):
    args = parse_args(argv)
    cfg = load_config(args)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    start_processes(cfg)
    pipeline, takes_boxes = image_pipeline(
        cfg.tta_pipeline if args.tta
        else next(leaf_datasets(cfg.test_dataloader.dataset))['pipeline'])
    with_boxes = takes_boxes or args.box_gate
    plan = from_main_process(make_plan, cfg, args, pipeline, with_boxes)
    if plan.todo:
        dataset = weak_images(cfg, args.out, pipeline, with_boxes, args.ann_file)
        dataset.get_subset_(plan.todo)
        runner = build_runner(cfg, args, dataset, plan)
        try:
            runner.test()
        except (DataError, OSError) as error:  # written for users; in any of the processes
            raise SystemExit(str(error)) from error
    if is_main_process():
        print(summary(args, plan))


if __name__ == '__main__':
    main()
