"""Predict images that need no labels: a folder, an image or a list.

    python tools/predict.py CONFIG CHECKPOINT FOLDER|IMAGE|LIST --out DIR [--image-dir DIR] [--soft]
        [--no-overlays] [--coco] [--voc-results] [--tta] [--crf [PRESET]] [--boxes DIR]
        [--workers N] [--work-dir DIR] [--cfg-options KEY=VALUE ...] [--trust-checkpoint]
        [--launcher none|pytorch|slurm|mpi]

Masks go to DIR/masks, as PNGs of class indices in VOC's colours, and the objects over the images to
DIR/overlays. Images whose files are there already are not predicted again. docs/inference.md says
more.
"""
import argparse
import os.path as osp

from mmseg_wss.utils.cli import add_workers, allow_stop, run_tool

if __name__ == '__main__':
    allow_stop()

from mmengine.dist import is_main_process

from mmseg_wss.engine.inference_options import enable_tta
from mmseg_wss.engine.launch import from_main_process, start_processes
from mmseg_wss.engine.prediction import Prediction
from mmseg_wss.engine.run_config import add_run_options, read_run_config
from mmseg_wss.engine.trained_network import prepare_network
from mmseg_wss.errors import ConfigError, abridged
from mmseg_wss.labels.converters.coco_predictions import check_library
from mmseg_wss.ops.crf_presets import CRF_PRESETS


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='train config file path')
    parser.add_argument('checkpoint', help='checkpoint file, of a training or published')
    parser.add_argument('source', help='a folder of images, with its sub folders; an image; or a '
                        'text file with a path or an ID a line')
    parser.add_argument('--out', required=True, help='the folder of the predictions')
    parser.add_argument('--image-dir', help='the folder that the lines of a list start from '
                        "(default: the list's own)")
    parser.add_argument('--soft', action='store_true',
                        help='also write round(255 p) of the largest probability p of each pixel')
    parser.add_argument('--no-overlays', dest='overlays', action='store_false',
                        help='masks alone')
    parser.add_argument('--coco', action='store_true',
                        help="also write coco.json: each image's classes as RLE")
    parser.add_argument('--voc-results', action='store_true',
                        help="masks in the folders that VOC's server takes")
    parser.add_argument('--tta', action='store_true',
                        help="average the probabilities over the config's tta_pipeline")
    parser.add_argument(
        '--crf', nargs='?', const='rrm', choices=CRF_PRESETS, metavar='PRESET',
        help=f'refine the predictions with a dense CRF: {", ".join(CRF_PRESETS)} (default: rrm)')
    parser.add_argument('--boxes', metavar='DIR', help='VOC XML files, ID.xml, for a network that '
                        'sees boxes beside the image (AnnNet)')
    add_workers(parser, 'threads that write; processes of the CRF without a GPU')
    parser.add_argument('--work-dir', help='the dir to save logs in')
    add_run_options(parser)
    args = parser.parse_args(argv)
    for path, kind in (args.config, 'config'), (args.checkpoint, 'checkpoint'):
        if not osp.isfile(path):
            parser.error(f'{path}: there is no such {kind}')
    return args


def make_prediction(args):
    cfg = read_run_config(args)
    if not cfg.get('test_dataloader') and cfg.get('test_pipeline'):  # nothing to validate with
        cfg.test_dataloader = dict(batch_size=1, num_workers=1,
                                   dataset=dict(pipeline=cfg.test_pipeline))
    if not cfg.get('test_dataloader'):
        raise ConfigError(f'{args.config}: images are predicted with the pipeline of '
                          'test_dataloader, or with test_pipeline, but the config has neither.')
    if args.coco:
        check_library()
    network = prepare_network(cfg, args.checkpoint)
    if args.tta:
        enable_tta(cfg, keep_probs=args.soft or args.crf is not None)
    start_processes(cfg)
    return Prediction(
        cfg, args.checkpoint, args.source, args.out, network.classes, network.palette,
        args.image_dir, args.tta, args.crf, args.soft, args.overlays, args.voc_results, args.boxes,
        args.workers, network.seen_images)


def run(args):
    prediction = make_prediction(args)
    plan = from_main_process(prediction.plan)
    if plan.size_warning and is_main_process():
        print(f'warning: {args.source}: {plan.size_warning}')
    if plan.todo:
        prediction.build_runner(plan).test()
    if is_main_process():
        report(prediction, plan, args)
    return len(plan.faults)


def report(prediction, plan, args):
    print(*plan.faults, sep='\n', end='\n' if plan.faults else '')
    if plan.passed_over:
        print(f'{len(plan.passed_over)} files are no images and were passed over: '
              f'{abridged(plan.passed_over, 3)}')
    if args.coco and plan.targets:
        print(f'COCO: {prediction.write_coco(plan)}')
    made = (f'{len(plan.todo)} of them written now' if plan.todo
            else 'nothing to do, all were there')
    print(f'{len(plan.targets)} images predicted ({made}), {len(plan.faults)} unreadable: '
          f'{prediction.mask_dir}')


if __name__ == '__main__':
    run_tool(run, parse_args(), 'predictions')
