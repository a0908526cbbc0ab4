from .efficientnet_lite0_init import EfficientNetLite0Init, load_efficientnet_lite0
from .first_conv import widen_filters, widen_on_load
from .resnet38 import ResNet38
from .vgg16_large_fov import VGG16LargeFOV

__all__ = [
    'EfficientNetLite0Init', 'ResNet38', 'VGG16LargeFOV', 'load_efficientnet_lite0',
    'widen_filters', 'widen_on_load'
]
