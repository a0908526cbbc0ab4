from .efficientnet_lite0_init import EfficientNetLite0Init, load_efficientnet_lite0

__all__ = ['EfficientNetLite0Init', 'load_efficientnet_lite0']
