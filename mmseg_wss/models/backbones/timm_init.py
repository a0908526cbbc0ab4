"""Pretrained weights for a transformer of timm, when a training starts and not before."""
from mmengine.logging import print_log

from mmseg_wss.errors import ConfigError
from mmseg_wss.models.backbones.first_conv import widen_on_load
from mmseg_wss.registry import WEIGHT_INITIALIZERS


@WEIGHT_INITIALIZERS.register_module()
class TimmInit:
    """``init_cfg`` of a ``TIMMBackbone`` whose model is a vision transformer, as DINOv2's.

    ``pretrained=True`` of the backbone loads whenever a model is built, for a test too, where a
    checkpoint follows; and ``checkpoint_path`` does not fit a transformer that gives feature maps.

    Args:
        file (str, optional): weights in the form that timm takes for this model (.safetensors or
            .pth). Without it, those that timm names, from the Hugging Face hub or its cache.

    Calling it with a backbone loads them. Raises:
        ConfigError: there is no such file, no network, or the weights are for another model.
    """

    def __init__(self, file=None):
        self.file = file

    def __call__(self, module):
        import timm
        target = getattr(module.timm_model, 'model', None)
        if target is None:
            raise ConfigError('TimmInit is for transformers of TIMMBackbone with features_only; '
                              f'got {type(module.timm_model).__name__}: set pretrained=True '
                              'instead of this init_cfg.')
        name = target.pretrained_cfg['architecture']
        where = self.file or f'the Hugging Face hub, {target.pretrained_cfg["hf_hub_id"]}'
        try:
            source = timm.create_model(
                name, pretrained=True, num_classes=0,
                pretrained_cfg_overlay=dict(file=self.file) if self.file else None)
            weights = source.state_dict()
            widen_on_load(target)
            # the maps need no norm behind the last block, so the target may lack it
            target.load_state_dict({key: weights[key] for key in target.state_dict()})
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise ConfigError(
                f'the weights of {name} could not be loaded from {where} ({reason}). Without a '
                'network, copy the file from elsewhere, and set model.backbone.init_cfg.file to '
                'its path; to start from random weights, set model.backbone.init_cfg=None.'
            ) from error
        print_log(f'weights of {name} loaded from {where}', logger='current')
