"""Runners that predict images of no list of the config."""
import hashlib
import json

from mmengine.config import Config

from mmseg_wss.engine.hooks import WholeNetworkHook
from mmseg_wss.engine.quiet_runner import QuietRunner
from mmseg_wss.ops.crf_presets import CRF_PRESETS
from mmseg_wss.utils.fileio import file_sha256
from mmseg_wss.version import __version__

_KEYS = ('model', 'work_dir', 'data_preprocessor', 'default_hooks', 'custom_hooks', 'launcher',
         'env_cfg', 'log_processor', 'log_level', 'visualizer', 'default_scope', 'randomness',
         'experiment_name')
_READ_LATER = ('model_wrapper_cfg', 'find_unused_parameters', 'sync_bn', 'compile',
               'efficient_conv_bn_eval')  # by the runner, from the whole config


def image_runner(cfg, checkpoint, dataset, evaluator, keep_config=True):
    """A runner whose ``test()`` predicts each image once, as ``Runner.from_cfg`` builds it.

    Args:
        cfg (mmengine.Config): with a test_dataloader, whose data set is not used.
        checkpoint (str, optional): of the network, whole (`WholeNetworkHook`); None: the model of
            the config loads its own (`EnsembleSegmentor`).
        dataset (Dataset): the images.
        evaluator (dict): config of an evaluator, or of a metric that writes the predictions.
        keep_config (bool): log the config and write it into the work dir, which takes seconds.

    Returns:
        QuietRunner
    """
    loader = {key: value for key, value in cfg.test_dataloader.items()
              if key not in ('dataset', 'sampler', 'batch_sampler')}
    # without round_up, since an image must not be written by two processes
    sampler = dict(type='DefaultSampler', shuffle=False, round_up=False)
    kept = cfg if keep_config else Config({key: cfg[key] for key in _READ_LATER if key in cfg})
    runner = QuietRunner(
        test_dataloader=dict(loader, dataset=dataset, sampler=sampler),
        test_cfg=cfg.get('test_cfg') or {}, test_evaluator=evaluator, load_from=checkpoint,
        cfg=kept, **{key: cfg[key] for key in _KEYS if key in cfg})
    if checkpoint is not None:
        runner.register_hook(WholeNetworkHook(checkpoint))
    return runner


def network_recipe(cfg, checkpoint, pipeline, tta, crf):
    """What predictions depend on, whatever is written of them: a part of a `MaskFolder`'s recipe.

    Args:
        cfg (mmengine.Config): the config of the network.
        checkpoint (str): its file.
        pipeline (Sequence[dict]): transforms that an image goes through.
        tta (bool): the config predicts with test-time augmentation.
        crf (str, optional): one of `CRF_PRESETS`.

    Returns:
        dict: version, tta, the options of the CRF, and SHA-256 of config and checkpoint.
    """
    settings = {key: cfg.get(key) for key in ('model', 'data_preprocessor', 'test_cfg')}
    text = json.dumps(dict(settings, pipeline=pipeline), sort_keys=True, default=str)
    return dict(version=__version__, config=hashlib.sha256(text.encode()).hexdigest(),
                checkpoint=file_sha256(checkpoint), tta=tta, crf=CRF_PRESETS.get(crf))
