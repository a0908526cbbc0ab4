from .reliable_labels import cam_labels, mine_labels, reliable_labels

__all__ = ['cam_labels', 'mine_labels', 'reliable_labels']
