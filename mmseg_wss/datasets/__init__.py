from . import transforms
from .samplers import StrongWeakSampler
from .voc_weak_seg import VOCWeakSegDataset
from .weak_seg_dataset import WeakSegDataset

__all__ = ['StrongWeakSampler', 'VOCWeakSegDataset', 'WeakSegDataset', 'transforms']
