from .labelled_boxes import draw_boxes
from .panels import colour_mask, overlay_mask, save_panels

__all__ = ['colour_mask', 'draw_boxes', 'overlay_mask', 'save_panels']
