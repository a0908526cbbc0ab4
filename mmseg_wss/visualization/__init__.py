from .panels import colour_mask, draw_boxes, overlay_mask, save_panels

__all__ = ['colour_mask', 'draw_boxes', 'overlay_mask', 'save_panels']
