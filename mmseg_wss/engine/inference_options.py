"""What a test does besides the config's own: views, pictures, a CRF, a second network."""
import math
import os
import os.path as osp

import torch
from mmengine.registry import init_default_scope

from mmseg_wss.engine.config_sources import leaf_datasets
from mmseg_wss.engine.run_config import load_config
from mmseg_wss.errors import ConfigError
from mmseg_wss.ops.crf_presets import CRF_PRESETS
from mmseg_wss.registry import DATASETS


def enable_tta(cfg, keep_probs):
    """Let a config's model and test pipeline average over its tta_pipeline.

    Args:
        cfg (Config): changed in place.
        keep_probs (bool): the averaged probabilities are needed, not the labels alone
            (`ProbTTAModel`).

    Raises:
        ConfigError: no tta_pipeline or tta_model; one that averages otherwise.
    """
    if 'tta_pipeline' not in cfg or 'tta_model' not in cfg:
        raise ConfigError(
            'test-time augmentation needs tta_pipeline and tta_model in the config; '
            'configs/_base_/datasets/msrc.py has an example.')
    model = dict(cfg.tta_model, module=cfg.model)
    if keep_probs:
        if model['type'] not in ('SegTTAModel', 'mmseg.SegTTAModel', 'mmseg_wss.ProbTTAModel'):
            raise ConfigError(
                "probabilities are averaged as mmseg's SegTTAModel does, but the config has "
                f'tta_model.type={model["type"]!r}: set it to SegTTAModel.')
        model['type'] = 'mmseg_wss.ProbTTAModel'
    for leaf in leaf_datasets(cfg.test_dataloader.dataset):
        leaf['pipeline'] = cfg.tta_pipeline
    cfg.model = model


def enable_drawing(cfg, show=False, wait_time=2., show_dir=None):
    """Let mmseg's visualisation hook draw the predictions, with the background clear.

    A config's own kind of visualizer is left as it is; mmseg's becomes a `ClearVisualizer`.

    Args:
        cfg (Config): changed in place, here as below.
        show (bool): in a window, each for `wait_time` seconds.
        show_dir (str, optional): into this folder.

    Raises:
        ConfigError: the config has no such hook.
    """
    hook = cfg.default_hooks.get('visualization')
    if hook is None:
        raise ConfigError('--show and --show-dir need default_hooks.visualization in the config: '
                          "visualization=dict(type='SegVisualizationHook').")
    hook.draw = True
    hook.setdefault('interval', 1)  # else OpenMMLab's mmseg draws one image of 50
    if cfg.visualizer.type in ('SegLocalVisualizer', 'mmseg.SegLocalVisualizer'):
        cfg.visualizer.type = 'mmseg_wss.ClearVisualizer'
        cfg.visualizer.setdefault('alpha', 0.55)
    if show:
        hook.update(show=True, wait_time=wait_time)
    if show_dir:
        cfg.visualizer.save_dir = show_dir


def enable_crf(cfg, preset, workers=None, draws=False):
    """Refine the predictions with a dense CRF (`CRFEvaluator`).

    Args:
        preset (str): one of `CRF_PRESETS`.
        workers (int, optional): processes of the CRF; None: the CPUs of this process, and none
            where the predictions are drawn or a GPU computes them.
        draws (bool): the predictions are drawn.

    Raises:
        ConfigError: refined predictions cannot be drawn from other processes; the config has an
            evaluator of its own.
    """
    if draws:
        if workers:
            raise ConfigError('--show and --show-dir draw refined predictions with '
                              '--crf-workers 0.')
        workers = 0
    elif workers is None:
        shared_by = int(os.environ.get('LOCAL_WORLD_SIZE', 1))  # processes of torchrun
        workers = 0 if torch.cuda.is_available() else max(1, os.cpu_count() // shared_by)
    metrics = cfg.test_evaluator
    if isinstance(metrics, dict) and 'metrics' in metrics:
        raise ConfigError('--crf replaces the evaluator, but the config has its own, '
                          f'{metrics.type}: set test_evaluator to a metric or a list of metrics.')
    cfg.test_evaluator = dict(type='mmseg_wss.CRFEvaluator', metrics=metrics,
                              crf=CRF_PRESETS[preset], num_workers=workers)


def enable_ensemble(cfg, config, checkpoint, weight):
    """Combine the probabilities with those of a second network (`EnsembleSegmentor`).

    Args:
        config, checkpoint (str): of the second network; that of the first is ``cfg.load_from``.
        weight (str): of the second network in the mean, a number in [0, 1]; or 'max', for the
            larger of both probabilities.

    Raises:
        ConfigError: a file is missing, or the weight is none.
    """
    try:
        share = None if weight == 'max' else float(weight)
    except ValueError:
        share = math.nan
    if share is not None and not 0 <= share <= 1:
        raise ConfigError('--ensemble: LAMBDA is the weight of the second network, 0 to 1, or max; '
                          f'got {weight}.')
    for path in config, checkpoint:
        if not osp.isfile(path):
            raise ConfigError(f'--ensemble: there is no {path}.')
    members = [dict(model=cfg.model, checkpoint=cfg.load_from),
               dict(model=load_config(config).model, checkpoint=checkpoint)]
    if share is not None:
        members[0]['weight'], members[1]['weight'] = 1 - share, share
    cfg.model = dict(type='mmseg_wss.EnsembleSegmentor', members=members,
                     reduce='max' if share is None else 'mean')
    cfg.load_from = None  # each network loads its own


def save_predictions(cfg, out_dir):
    """Write the predictions into a folder (`PredictionWriter`), beside what is measured.

    Nothing is measured where the images have no labels: a data set with ``supervision='none'``.

    Args:
        cfg (Config): changed in place.
        out_dir (str): the folder.
    """
    metrics = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
    init_default_scope(cfg.get('default_scope', 'mmseg'))  # names of data sets
    if cfg.test_dataloader.dataset.get('supervision') == 'none':
        metrics = []
    cfg.test_evaluator = [*metrics, dict(
        type='mmseg_wss.PredictionWriter', out_dir=out_dir,
        image_dirs=[_image_dir(leaf) for leaf in leaf_datasets(cfg.test_dataloader.dataset)])]


def _image_dir(dataset):
    """The folder of a data set's images; its list is not read."""
    return DATASETS.build(dict(
        dataset, pipeline=[], lazy_init=True, test_mode=True)).data_prefix['img_path']
