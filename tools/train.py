"""Train a model of a config.

    python tools/train.py CONFIG [--work-dir DIR] [--resume [auto|CHECKPOINT]] [--amp]
                          [--cfg-options KEY=VALUE ...] [--launcher none|pytorch|slurm|mpi]
"""
import argparse
import os.path as osp

import torch
from mmengine.registry import RUNNERS

from mmseg_wss.engine.launch import die_with_parent, init_cpu_processes
from mmseg_wss.engine.quiet_runner import QuietRunner
from mmseg_wss.engine.run_config import add_run_options
from mmseg_wss.engine.user_messages import run_with_messages
from mmseg_wss.engine.work_dir import latest_checkpoint, own_work_dir
from mmseg_wss.utils.cli import unmasked_stop


def parse_args():
    parser = argparse.ArgumentParser(description='Train a segmentor')
    parser.add_argument('config', help='train config file path')
    parser.add_argument('--work-dir', help='the dir to save logs and models')
    parser.add_argument(
        '--resume', nargs='?', const='auto', metavar='auto|CHECKPOINT',
        help='continue a run: from the latest checkpoint in the work dir (--resume, --resume auto; '
        'from the start where there is none), or from this checkpoint')
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    add_run_options(parser)
    return parser.parse_args()


def enable_amp(cfg):
    if not torch.cuda.is_available():
        raise SystemExit('--amp needs a GPU, and torch finds none: train without --amp.')
    kind = cfg.optim_wrapper.type
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise SystemExit(f"--amp works with optim_wrapper.type='OptimWrapper', got {kind!r}.")
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def main():
    run_with_messages(run, parse_args())


def run(cfg, args):
    if cfg.launcher == 'pytorch':
        die_with_parent()
    if args.resume not in (None, 'auto') and not osp.isfile(args.resume):
        raise SystemExit(f'--resume {args.resume}: there is no such checkpoint.')
    try:
        with unmasked_stop(), own_work_dir(cfg.work_dir, 'training'):
            train(cfg, args)
    except KeyboardInterrupt:
        print(f'\nStopped. Go on from the last checkpoint with --resume --work-dir {cfg.work_dir}')
        raise SystemExit(130) from None


def train(cfg, args):
    if args.amp:
        enable_amp(cfg)
    cfg.resume = args.resume is not None
    if args.resume not in (None, 'auto'):
        cfg.load_from = args.resume
    elif args.resume == 'auto':
        latest = latest_checkpoint(cfg.work_dir)
        cfg.resume = latest is not None
        cfg.load_from = latest or cfg.load_from

    init_cpu_processes(cfg, cfg.launcher)
    runner = QuietRunner.from_cfg(cfg) if 'runner_type' not in cfg else RUNNERS.build(cfg)
    runner.train()


if __name__ == '__main__':
    main()
