# ruff: noqa: E402
from mmseg_wss.utils.quiet_libraries import import_quietly

import_quietly('mmseg.models')  # ahead of what imports it from here on

from .backbones import (
    EfficientNetLite0Init,
    EfficientNetLiteInit,
    ResNet38,
    TimmInit,
    VGG16LargeFOV,
)
from .data_preprocessors import WeakSegDataPreprocessor
from .decode_heads import (
    CrossJointHead,
    DeepLabV2Head,
    DenseEnergyHead,
    DPTMapsHead,
    DSRGHead,
    DualBranchHead,
    EMHead,
    MixedDualHead,
    RRMHead,
    TwoBranchHead,
)
from .losses import DenseEnergyLoss, FilteredCrossEntropyLoss
from .necks import LayerNormMaps
from .segmentors import EnsembleSegmentor, WeakEncoderDecoder

__all__ = [
    'CrossJointHead', 'DPTMapsHead', 'DSRGHead', 'DeepLabV2Head', 'DenseEnergyHead',
    'DenseEnergyLoss', 'DualBranchHead', 'EMHead', 'EfficientNetLite0Init', 'EfficientNetLiteInit',
    'EnsembleSegmentor', 'FilteredCrossEntropyLoss', 'LayerNormMaps', 'MixedDualHead', 'RRMHead',
    'ResNet38', 'TimmInit', 'TwoBranchHead', 'VGG16LargeFOV', 'WeakEncoderDecoder',
    'WeakSegDataPreprocessor'
]
