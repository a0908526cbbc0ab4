from .em_labels import adaptive_bias_labels, box_bias_labels, fixed_bias_labels
from .gates import gate_labels, gate_probabilities, label_gates, possible_classes
from .region_growing import grow_seeds
from .reliable_labels import cam_labels, mine_labels, reliable_labels
from .seeds import cam_seeds

__all__ = [
    'adaptive_bias_labels', 'box_bias_labels', 'cam_labels', 'cam_seeds', 'fixed_bias_labels',
    'gate_labels', 'gate_probabilities', 'grow_seeds', 'label_gates', 'mine_labels',
    'possible_classes', 'reliable_labels'
]
