from .box_priors import BoxPriors, box_priors
from .load_weak_labels import LoadWeakLabels
from .pack_weak_seg_inputs import PackWeakSegInputs
from .pseudo_mask import PseudoMask, rect_mask
from .random_crop import RandomCrop, crop_boxes
from .random_scale import RandomScale

__all__ = [
    'BoxPriors', 'LoadWeakLabels', 'PackWeakSegInputs', 'PseudoMask', 'RandomCrop', 'RandomScale',
    'box_priors', 'crop_boxes', 'rect_mask'
]
