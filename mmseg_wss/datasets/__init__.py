from . import transforms
from .coco_weak_seg import COCOWeakSegDataset
from .samplers import StrongWeakSampler
from .shapes_dataset import ShapesDataset
from .voc_weak_seg import VOCWeakSegDataset
from .weak_seg_dataset import WeakSegDataset

__all__ = [
    'COCOWeakSegDataset', 'ShapesDataset', 'StrongWeakSampler', 'VOCWeakSegDataset',
    'WeakSegDataset', 'transforms'
]
