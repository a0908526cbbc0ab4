"""Train a model of a config.

    python tools/train.py CONFIG [--work-dir DIR] [--resume [auto|CHECKPOINT]] [--amp]
                          [--cfg-options KEY=VALUE ...] [--launcher none|pytorch|slurm|mpi]
"""
import argparse
import os
import os.path as osp

import torch
from mmengine.config import Config, DictAction
from mmengine.registry import RUNNERS
from mmengine.runner import Runner, find_latest_checkpoint

from mmseg_wss.engine.launch import init_cpu_processes


def parse_args():
    parser = argparse.ArgumentParser(description='Train a segmentor')
    parser.add_argument('config', help='train config file path')
    parser.add_argument('--work-dir', help='the dir to save logs and models')
    parser.add_argument(
        '--resume', nargs='?', const='auto', metavar='auto|CHECKPOINT',
        help='continue a run: from the latest checkpoint in the work dir (--resume, --resume auto; '
        'from the start where there is none), or from this checkpoint')
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction,
        help='override settings of the config: key=value pairs; lists as key="[a,b]" or key=a,b')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='job launcher')
    # torch.distributed.launch passes it; torchrun sets the environment instead
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def enable_amp(cfg):
    if not torch.cuda.is_available():
        raise SystemExit('--amp needs a GPU, and torch finds none: train without --amp.')
    kind = cfg.optim_wrapper.type
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise SystemExit(f"--amp works with optim_wrapper.type='OptimWrapper', got {kind!r}.")
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def main():
    args = parse_args()
    cfg = Config.fromfile(args.config)
    cfg.launcher = args.launcher
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    # work_dir: command line, else config, else the name of the config
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('./work_dirs', osp.splitext(osp.basename(args.config))[0])
    if args.amp:
        enable_amp(cfg)
    cfg.resume = args.resume is not None
    if args.resume not in (None, 'auto'):
        if not osp.isfile(args.resume):
            raise SystemExit(f'--resume {args.resume}: there is no such checkpoint.')
        cfg.load_from = args.resume
    elif args.resume == 'auto':  # where it has both, mmengine would resume from load_from
        if find_latest_checkpoint(cfg.work_dir) is None:
            cfg.resume = False
        else:
            cfg.load_from = None

    init_cpu_processes(cfg, cfg.launcher)
    runner = Runner.from_cfg(cfg) if 'runner_type' not in cfg else RUNNERS.build(cfg)
    runner.train()


if __name__ == '__main__':
    main()
