"""From masks of single objects to the mask of an image: mixed-dual-head paper, section 3.1."""
import numpy as np

from mmseg_wss.labels.checks.label_check import IGNORE


def fuse_masks(sources):
    """Keep what all sources say of an object.

    Args:
        sources (Sequence[np.ndarray]): masks of the same M objects, each bool (M, H, W).

    Returns:
        np.ndarray: uint8 (M, H, W): 1 where all have foreground, 0 where all have background, and
        255 (ignored) elsewhere.

    Raises:
        ValueError: no source, or sources of different shapes.
    """
    sources = [np.asarray(source, bool) for source in sources]
    shapes = {source.shape for source in sources}
    if len(shapes) != 1:
        raise ValueError('fuse_masks needs one or more sources of one shape (M, H, W); got '
                         f'{[source.shape for source in sources]}.')
    every = np.logical_and.reduce(sources)
    some = np.logical_or.reduce(sources)
    return np.where(some & ~every, IGNORE, every).astype(np.uint8)


def paste_masks(objects, labels, shape):
    """Lay the masks of objects over one another.

    Foreground is painted in order of descending foreground area, so a smaller object covers a
    larger one (of equal ones, the later covers the earlier). Ignored pixels come last of all: they
    show only where no object has foreground. The rest is background.

    Args:
        objects (np.ndarray): uint8 (M, H, W) of 0, 1 and 255, as from `fuse_masks`.
        labels (np.ndarray): int (M,), class indices, 1..254.
        shape (tuple): (H, W).

    Returns:
        np.ndarray: uint8 (H, W), class indices and 255.

    Raises:
        ValueError: `objects` is not (M, H, W), or a label cannot be written into the mask.
    """
    objects, labels = np.asarray(objects), np.asarray(labels)
    if objects.shape != (len(labels), *shape):
        raise ValueError(f'objects must be (M, H, W) = {(len(labels), *shape)}; got shape '
                         f'{objects.shape}.')
    if ((labels < 1) | (labels >= IGNORE)).any():
        raise ValueError('labels of objects must be in 1..254 (0 is the background, 255 is '
                         f'ignored); got {labels.tolist()}.')
    foreground = objects == 1
    mask = np.where((objects == IGNORE).any(0), IGNORE, 0).astype(np.uint8)
    for i in np.argsort(-foreground.sum((1, 2)), kind='stable'):
        mask[foreground[i]] = labels[i]
    return mask
