"""Masks that boxes make, without a network or where a network is not sure."""
import numpy as np

from mmseg_wss.datasets.transforms import rect_mask
from mmseg_wss.evaluation.refine import read_predicted_image
from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.proposals import METHODS, parse_method, propose

_NEED_FILES = 'mcg', 'sam'


def check_box_method(method):
    """Check the name of a way to make masks from boxes and an image alone.

    Args:
        method (str): see `propose`.

    Returns:
        str: `method`.

    Raises:
        ImportError: a library that it needs is missing.
        ValueError: it is unknown, or needs files or weights of its own.
    """
    names = parse_method(method)
    if set(names) & set(_NEED_FILES):
        known = ', '.join(name for name in METHODS if name not in _NEED_FILES)
        raise ValueError(f'{method!r} needs files of its own: masks of boxes and the image alone '
                         f'are made by {known}, or several of them joined by "+".')
    propose(np.zeros((8, 8, 3), np.uint8), [[1, 1, 7, 7]], [1], method)  # are its libraries here?
    return method


def box_method(source):
    """What makes masks of boxes in a source of masks.

    Args:
        source (str): see `Candidate`.

    Returns:
        str or None: 'rect' of 'rect' and of 'teacher+rect'; None of 'teacher' and of 'clicks'.
    """
    return None if source in ('teacher', 'clicks') else source.removeprefix('teacher+')


def box_mask(method, path, boxes, labels, shape):
    """The mask of an image's boxes.

    Args:
        method (str): 'rect' paints them (`rect_mask`); else see `propose`.
        path (str): the image's file.
        boxes, labels: see `rect_mask`.
        shape (tuple[int, int]): of the image, (H, W).

    Returns:
        np.ndarray: uint8 (H, W), 255 ignored.

    Raises:
        DataError, ValueError: see `read_predicted_image`.
    """
    if method == 'rect':
        return rect_mask(boxes, labels, shape)
    return propose(read_predicted_image(path, shape), boxes, labels, method)


def fill_ignored(mask, other):
    """A mask whose ignored pixels are those of another; both uint8 (H, W), 255 ignored."""
    return np.where(mask == IGNORE, other, mask)
