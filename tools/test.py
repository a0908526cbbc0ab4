"""Evaluate a checkpoint.

    python tools/test.py CONFIG CHECKPOINT [--work-dir DIR] [--out DIR] [--show-dir DIR] [--tta]
                         [--crf [PRESET]] [--crf-workers N]
                         [--ensemble CONFIG CHECKPOINT LAMBDA]
                         [--cfg-options KEY=VALUE ...] [--launcher none|pytorch|slurm|mpi]
"""
import argparse
import os
import os.path as osp

import torch
from mmengine.config import Config, DictAction
from mmengine.runner import Runner

from mmseg_wss.engine.launch import init_cpu_processes
from mmseg_wss.engine.tta import enable_tta
from mmseg_wss.errors import ConfigError
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
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction,
        help='override settings of the config: key=value pairs; lists as key="[a,b]" or key=a,b')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='job launcher')
    parser.add_argument('--tta', action='store_true', help='test time augmentation')
    parser.add_argument(
        '--crf', nargs='?', const='rrm', choices=CRF_PRESETS, metavar='PRESET',
        help=f'refine the predictions with a dense CRF: {", ".join(CRF_PRESETS)} (default: rrm)')
    parser.add_argument(
        '--crf-workers', type=int, metavar='N',
        help='processes for the CRF; 0: none, as on a GPU or with --show-dir (default: the CPUs)')
    parser.add_argument(
        '--ensemble', nargs=3, metavar=('CONFIG', 'CHECKPOINT', 'LAMBDA'),
        help='average with the probabilities of a second network, whose weight is LAMBDA in [0, 1]')
    # torch.distributed.launch passes it; torchrun sets the environment instead
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    if args.crf_workers is not None and (args.crf is None or args.crf_workers < 0):
        parser.error('--crf-workers is a number of processes, at least 0, and goes with --crf')
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def enable_drawing(cfg, args):
    hook = cfg.default_hooks.get('visualization')
    if hook is None:
        raise SystemExit('--show and --show-dir need default_hooks.visualization in the config: '
                         "visualization=dict(type='SegVisualizationHook').")
    hook.draw = True
    if args.show:
        hook.update(show=True, wait_time=args.wait_time)
    if args.show_dir:
        cfg.visualizer.save_dir = args.show_dir


def enable_crf(cfg, args):
    workers = args.crf_workers
    if args.show or args.show_dir:
        if workers:
            raise SystemExit('--show and --show-dir draw refined predictions with --crf-workers 0.')
        workers = 0
    elif workers is None:
        shared_by = int(os.environ.get('LOCAL_WORLD_SIZE', 1))  # processes of torchrun
        workers = 0 if torch.cuda.is_available() else max(1, os.cpu_count() // shared_by)
    metrics = cfg.test_evaluator
    if isinstance(metrics, dict) and 'metrics' in metrics:
        raise SystemExit(f'--crf replaces the evaluator, but the config has its own, '
                         f'{metrics.type}: set test_evaluator to a metric or a list of metrics.')
    cfg.test_evaluator = dict(type='mmseg_wss.CRFEvaluator', metrics=metrics,
                              crf=CRF_PRESETS[args.crf], num_workers=workers)


def enable_ensemble(cfg, args):
    config, checkpoint, weight = args.ensemble
    try:
        weight = float(weight)
    except ValueError:
        weight = float('nan')
    if not 0 <= weight <= 1:
        raise SystemExit(f'--ensemble: LAMBDA is the weight of the second network, 0 to 1; got '
                         f'{args.ensemble[2]}.')
    for path in config, checkpoint:
        if not osp.isfile(path):
            raise SystemExit(f'--ensemble: there is no {path}.')
    cfg.model = dict(type='mmseg_wss.EnsembleSegmentor', members=[
        dict(model=cfg.model, checkpoint=args.checkpoint, weight=1 - weight),
        dict(model=Config.fromfile(config).model, checkpoint=checkpoint, weight=weight)])
    cfg.load_from = None  # each network loads its own


def save_predictions(cfg, out_dir):
    metrics = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
    for metric in metrics:
        if metric.type in ('IoUMetric', 'mmseg.IoUMetric'):
            metric.update(output_dir=out_dir, keep_results=True)
            return
    raise SystemExit('--out needs an IoUMetric in test_evaluator, which writes the predictions.')


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
    if not osp.isfile(args.checkpoint):
        raise SystemExit(f'{args.checkpoint}: there is no such checkpoint.')
    cfg.load_from = args.checkpoint
    if args.ensemble is not None:
        enable_ensemble(cfg, args)
    if args.show or args.show_dir:
        enable_drawing(cfg, args)
    if args.tta:
        try:
            enable_tta(cfg, keep_probs=args.crf is not None)
        except ConfigError as error:
            raise SystemExit(f'--tta: {error}') from error
    if args.out is not None:
        save_predictions(cfg, args.out)
    if args.crf is not None:
        enable_crf(cfg, args)

    init_cpu_processes(cfg, cfg.launcher)
    Runner.from_cfg(cfg).test()


if __name__ == '__main__':
    main()
