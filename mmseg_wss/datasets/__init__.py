from . import transforms
from .samplers import StrongWeakSampler
from .shapes_dataset import ShapesDataset
from .voc_weak_seg import VOCWeakSegDataset
from .weak_seg_dataset import WeakSegDataset

__all__ = [
    'ShapesDataset', 'StrongWeakSampler', 'VOCWeakSegDataset', 'WeakSegDataset', 'transforms'
]
