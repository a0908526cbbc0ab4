from .em_labels import adaptive_bias_labels, box_bias_labels, fixed_bias_labels
from .reliable_labels import cam_labels, mine_labels, reliable_labels

__all__ = [
    'adaptive_bias_labels', 'box_bias_labels', 'cam_labels', 'fixed_bias_labels', 'mine_labels',
    'reliable_labels'
]
