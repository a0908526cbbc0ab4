"""Whether a mask shows the objects that the boxes of its image say."""
import numpy as np

from mmseg_wss.labels.boxes import pixel_windows
from mmseg_wss.labels.checks.label_check import IGNORE, label_values


def contradicts_objects(mask, names, boxes, classes, is_truth):
    """Whether a mask is likely that of another image.

    It is where most of its object pixels lie outside the boxes of their class. A true mask must
    also show at least half of the classes; one that a program made may leave them out.

    Args:
        mask (np.ndarray): uint8 (H, W), class indices, 255 ignored.
        names (Sequence[str]): class names of M objects; unknown ones are left out.
        boxes (np.ndarray): (M, 4), (x1, y1, x2, y2) in pixels, half-open.
        classes (Sequence[str]): the known classes, background first.
        is_truth (bool): a person drew the whole mask.

    Returns:
        bool or None: None where there is nothing to compare.
    """
    known = [(classes.index(name), window)
             for name, window in zip(names, pixel_windows(boxes, mask.shape)) if name in classes]
    if names and not known:
        return None
    values = set(label_values(mask))
    drawn, boxed = values - {0, IGNORE}, {label for label, _ in known}
    if not drawn and not (is_truth and 0 in values):
        return None
    right = np.zeros(mask.shape, bool)
    for label, (x1, y1, x2, y2) in known:
        right[y1:y2, x1:x2] |= mask[y1:y2, x1:x2] == label
    num_objects = np.count_nonzero((mask != 0) & (mask != IGNORE))
    return bool(2 * np.count_nonzero(right) < num_objects
                or is_truth and 2 * len(boxed & drawn) < len(boxed))
