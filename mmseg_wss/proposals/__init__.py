from .bbox_seg import bbox_seg_masks, bbox_seg_probs
from .fusion import fuse_masks, paste_masks
from .grabcut import grabcut_masks
from .propose import METHODS, parse_method, propose
from .rect import rect_masks

__all__ = [
    'METHODS', 'bbox_seg_masks', 'bbox_seg_probs', 'fuse_masks', 'grabcut_masks', 'paste_masks',
    'parse_method', 'propose', 'rect_masks'
]
