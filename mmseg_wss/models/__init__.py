from .backbones import EfficientNetLite0Init
from .data_preprocessors import WeakSegDataPreprocessor
from .decode_heads import DualBranchHead, MixedDualHead, TwoBranchHead
from .segmentors import WeakEncoderDecoder

__all__ = [
    'DualBranchHead', 'EfficientNetLite0Init', 'MixedDualHead', 'TwoBranchHead',
    'WeakEncoderDecoder', 'WeakSegDataPreprocessor'
]
