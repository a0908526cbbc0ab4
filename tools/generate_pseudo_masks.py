"""Make pseudo masks for the weak images of a config with a trained network.

    python tools/generate_pseudo_masks.py CONFIG CHECKPOINT --out DIR [--tau 0.9] [--tta]
        [--crf [PRESET]] [--gate | --tag-gate --box-gate] [--soft] [--judge FILE] [--seeds FG BG]
        [--average-with CHECKPOINT ...] [--images-of CONFIG] [--ann-file LIST] [--allow-val]
        [--work-dir DIR] [--cfg-options KEY=VALUE ...]
        [--launcher none|pytorch|slurm|mpi]

A pixel gets the class with the largest probability if that is greater than tau, else 255. With
--average-with, the probabilities are the mean of several trainings of CONFIG, such as those of
other seeds: networks agree more often on what is right than on what is wrong. With --seeds, a pixel
gets a class by the activation maps of the network's classifier (`cam_seeds`). Masks that are in DIR
already and were made in the same way are not made again. Each file holds the record of how its mask
was made; its method is the config's key `method`, else the name of the config's file.
"""
import argparse
import os.path as osp

from mmseg_wss.utils.cli import allow_stop, run_tool

if __name__ == '__main__':
    allow_stop()

from mmengine.dist import is_main_process
from mmengine.registry import init_default_scope

from mmseg_wss.engine.inference_options import enable_tta
from mmseg_wss.engine.launch import from_main_process, start_processes
from mmseg_wss.engine.pseudo_masks import PseudoMasks
from mmseg_wss.engine.run_config import add_run_options, read_run_config
from mmseg_wss.engine.run_config import load_config as read_config_file
from mmseg_wss.errors import ConfigError
from mmseg_wss.evaluation.judgement import read_judgement
from mmseg_wss.ops.crf_presets import CRF_PRESETS
from mmseg_wss.pseudo_labels.seeds import check_thresholds

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
    parser.add_argument('--gate', action='store_true',
                        help="what an image's own labels exclude (tags, boxes, points, scribbles) "
                             'is impossible; what they name is somewhere in the image')
    parser.add_argument('--tag-gate', action='store_true',
                        help='tags, which every image must have, exclude what they do not name')
    parser.add_argument('--box-gate', action='store_true',
                        help='boxes, which every image must have, exclude a class outside them')
    parser.add_argument('--soft', action='store_true',
                        help='also write round(255 p) of the largest probability p, into '
                             'OUT_confidence')
    parser.add_argument(
        '--seeds', nargs=2, type=float, metavar=('FG', 'BG'),
        help="seeds of the image's own classes instead, for DSRG: objects where an activation map "
             "of RRMHead's classifier is above FG of its maximum (0.2), background where all are "
             'below BG of theirs (0.06)')
    parser.add_argument('--judge', metavar='FILE',
                        help='judge.json of tools/judge_masks.py: the masks that are best for the '
                        'kind of label of each image, in place of --tau, --crf and gates')
    parser.add_argument('--average-with', nargs='+', default=[], metavar='CHECKPOINT',
                        help='average the probabilities with those of other trainings of the '
                        'config')
    parser.add_argument('--images-of', metavar='CONFIG',
                        help='the weak images of this config instead: for a network that was '
                        'trained without them')
    parser.add_argument('--ann-file', help='this list instead of those of the weak sources')
    parser.add_argument('--allow-val', action='store_true',
                        help='make masks of val and test images too')
    parser.add_argument('--work-dir', help='the dir to save logs in')
    add_run_options(parser)
    args = parser.parse_args(argv)
    if args.judge is not None:
        check_alone(parser, args, '--judge', 'the judge has chosen these')
    if args.seeds is not None:
        check_seeds(parser, args)
    elif args.tau is None:
        args.tau = TAU
    if args.tau is not None and not 0 <= args.tau <= 1:  # NaN too
        parser.error(f'--tau is a probability, 0 to 1; got {args.tau}')
    if args.gate and (args.tag_gate or args.box_gate):
        parser.error('--gate has the tags and the boxes: give it alone')
    checkpoints = args.checkpoint, *args.average_with
    for path, kind in ((args.config, 'config'), (args.images_of, 'config'),
                       *((path, 'checkpoint') for path in checkpoints)):
        if path is not None and not osp.isfile(path):
            parser.error(f'{path}: there is no such {kind}')
    return args


def check_alone(parser, args, other, reason):
    for option in 'tau', 'tta', 'crf', 'gate', 'tag_gate', 'box_gate', 'soft':
        value = getattr(args, option)
        if value is not None and value is not False:  # --tau 0 is an option, too
            parser.error(f'--{option.replace("_", "-")} is not for {other}: {reason}')


def check_seeds(parser, args):
    check_alone(parser, args, '--seeds', 'it is for predictions')
    if args.average_with:
        parser.error('--average-with is not for --seeds: these are of one classifier')
    try:
        check_thresholds(*args.seeds)
    except ValueError as error:
        parser.error(f'--seeds: {error}')


def load_config(args):
    cfg = read_run_config(args)
    if args.images_of is not None:
        cfg.train_dataloader = read_config_file(args.images_of).train_dataloader
    if args.seeds is not None:
        cfg.model.type = 'mmseg_wss.CAMEncoderDecoder'
    if not cfg.get('test_dataloader'):
        raise ConfigError(f'{args.config}: masks are made with the pipeline of test_dataloader, '
                          'but the config has none.')
    if args.tta:
        try:
            enable_tta(cfg, keep_probs=True)
        except ConfigError as error:
            raise ConfigError(f'--tta: {error}') from error
    return cfg


def run(args):
    cfg = load_config(args)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    start_processes(cfg)
    method = cfg.get('method') or osp.splitext(osp.basename(args.config))[0]
    masks = PseudoMasks(
        cfg, (args.checkpoint, *args.average_with), args.out, method, args.tau, args.tta,
        args.crf, args.gate, args.tag_gate, args.box_gate,
        args.judge and read_judgement(args.judge), args.soft, args.seeds, args.ann_file,
        args.allow_val)
    plan = from_main_process(masks.plan)
    if plan.todo:
        masks.build_runner(plan).test()
    if is_main_process():
        made = (f'{len(plan.todo)} of them written now' if plan.todo
                else 'nothing to do, all were there')
        print(f'{len(plan.targets)} pseudo masks ({made}), {masks.coverage(plan):.1%} of the '
              f'pixels labelled: {args.out}. {next_step(args, method, masks.shortage(plan))}')


def next_step(args, method, shortage):
    """What to do with the masks, or about what they lack."""
    if shortage:
        remedy = 'lower --tau' if args.seeds is None else 'change --seeds'
        return (f'Warning: {shortage}, so a training with these masks would learn nothing. See '
                f'whether {args.checkpoint} is a trained network, or {remedy}.')
    if args.judge is not None:
        return (f"Next: train with masks=dict(type='auto', path={osp.abspath(args.out)!r}) in the "
                'weak source of a config.')
    return (f"Next: train with supervision='pseudo', pseudo_mask={osp.abspath(args.out)!r}, "
            f'made_by={method!r} in the weak source of a config.')


if __name__ == '__main__':
    run_tool(run, parse_args(), 'masks')
