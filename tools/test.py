"""Evaluate a checkpoint.

    python tools/test.py CONFIG CHECKPOINT [--work-dir DIR] [--out DIR] [--show-dir DIR] [--tta]
                         [--crf [PRESET]] [--crf-workers N]
                         [--ensemble CONFIG CHECKPOINT LAMBDA]
                         [--cfg-options KEY=VALUE ...] [--launcher none|pytorch|slurm|mpi]
"""
import argparse
import os.path as osp

from mmseg_wss.engine.inference_options import (
    enable_crf,
    enable_drawing,
    enable_ensemble,
    enable_tta,
    save_predictions,
)
from mmseg_wss.engine.launch import die_with_parent, init_cpu_processes
from mmseg_wss.engine.quiet_runner import QuietRunner
from mmseg_wss.engine.run_config import add_run_options
from mmseg_wss.engine.user_messages import run_with_messages
from mmseg_wss.engine.work_dir import own_work_dir
from mmseg_wss.ops.crf_presets import CRF_PRESETS


def parse_args():
    parser = argparse.ArgumentParser(description='Test (and evaluate) a model')
    parser.add_argument('config', help='train config file path')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--work-dir', help='the metrics are written into this dir as json')
    parser.add_argument('--out', help='the dir to save predictions (index PNGs) in')
    parser.add_argument('--show', action='store_true', help='show prediction results')
    parser.add_argument('--show-dir', help='the dir to save painted images in')
    parser.add_argument('--wait-time', type=float, default=2, help='the interval of show (s)')
    parser.add_argument('--tta', action='store_true', help='test time augmentation')
    parser.add_argument(
        '--crf', nargs='?', const='rrm', choices=CRF_PRESETS, metavar='PRESET',
        help=f'refine the predictions with a dense CRF: {", ".join(CRF_PRESETS)} (default: rrm)')
    parser.add_argument(
        '--crf-workers', type=int, metavar='N',
        help='processes for the CRF; 0: none, as on a GPU or with --show-dir (default: the CPUs)')
    parser.add_argument(
        '--ensemble', nargs=3, metavar=('CONFIG', 'CHECKPOINT', 'LAMBDA'),
        help='average with the probabilities of a second network, whose weight is LAMBDA in '
        '[0, 1]; max instead of LAMBDA: the larger probability of both')
    add_run_options(parser)
    args = parser.parse_args()
    if args.crf_workers is not None and (args.crf is None or args.crf_workers < 0):
        parser.error('--crf-workers is a number of processes, at least 0, and goes with --crf')
    return args


def change_config(cfg, args):
    draws = args.show or args.show_dir is not None
    if args.ensemble is not None:
        enable_ensemble(cfg, *args.ensemble)
    if draws:
        enable_drawing(cfg, args.show, args.wait_time, args.show_dir)
    if args.tta:
        enable_tta(cfg, keep_probs=args.crf is not None)
    if args.out is not None:
        save_predictions(cfg, args.out)
    if args.crf is not None:
        enable_crf(cfg, args.crf, args.crf_workers, draws)


def main():
    run_with_messages(run, parse_args())


def run(cfg, args):
    if cfg.launcher == 'pytorch':
        die_with_parent()
    if not osp.isfile(args.checkpoint):
        raise SystemExit(f'{args.checkpoint}: there is no such checkpoint.')
    cfg.load_from = args.checkpoint
    change_config(cfg, args)
    with own_work_dir(cfg.work_dir, 'test'):
        init_cpu_processes(cfg, cfg.launcher)
        QuietRunner.from_cfg(cfg).test()


if __name__ == '__main__':
    main()
