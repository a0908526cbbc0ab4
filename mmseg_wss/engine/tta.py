"""Test-time augmentation, as a config names it."""
from mmseg_wss.errors import ConfigError


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
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    cfg.model = model
