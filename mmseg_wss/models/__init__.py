from .backbones import EfficientNetLite0Init, ResNet38, VGG16LargeFOV
from .data_preprocessors import WeakSegDataPreprocessor
from .decode_heads import (
    DeepLabV2Head,
    DenseEnergyHead,
    DualBranchHead,
    MixedDualHead,
    RRMHead,
    TwoBranchHead,
)
from .losses import DenseEnergyLoss, FilteredCrossEntropyLoss
from .segmentors import WeakEncoderDecoder

__all__ = [
    'DeepLabV2Head', 'DenseEnergyHead', 'DenseEnergyLoss', 'DualBranchHead',
    'EfficientNetLite0Init', 'FilteredCrossEntropyLoss', 'MixedDualHead', 'RRMHead', 'ResNet38',
    'TwoBranchHead', 'VGG16LargeFOV', 'WeakEncoderDecoder', 'WeakSegDataPreprocessor'
]
