from .efficientnet_lite0_init import EfficientNetLite0Init, load_efficientnet_lite0
from .first_conv import widen_filters, widen_on_load

__all__ = ['EfficientNetLite0Init', 'load_efficientnet_lite0', 'widen_filters', 'widen_on_load']
