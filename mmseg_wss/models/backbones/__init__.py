from .efficientnet_lite_init import (
    EfficientNetLite0Init,
    EfficientNetLiteInit,
    load_efficientnet_lite,
)
from .first_conv import widen_filters, widen_on_load
from .resnet38 import ResNet38
from .timm_init import TimmInit
from .vgg16_large_fov import VGG16LargeFOV

__all__ = [
    'EfficientNetLite0Init', 'EfficientNetLiteInit', 'ResNet38', 'TimmInit', 'VGG16LargeFOV',
    'load_efficientnet_lite', 'widen_filters', 'widen_on_load'
]
