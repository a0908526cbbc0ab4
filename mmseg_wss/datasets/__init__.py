# ruff: noqa: E402
from mmseg_wss.utils.quiet_libraries import import_quietly

import_quietly('mmseg.datasets')  # ahead of what imports it from here on

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
