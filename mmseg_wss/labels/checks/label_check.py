"""What can be wrong with a mask or with boxes: used by the loader and by tools/check_data.py."""
import numpy as np

IGNORE = 255


def mask_faults(mask, num_classes, image_shape, is_truth=True):
    """List what is wrong with an index mask.

    Args:
        mask (np.ndarray): as decoded from its file, (H, W) if it is right.
        num_classes (int): K; allowed labels are 0..K-1 and 255.
        image_shape (tuple): (H, W) of its image.
        is_truth (bool): a person drew the mask, and the image has no crowd. Then 0 and 255 alone
            are a fault: the 255 is meant as an object. Elsewhere they may be right.

    Returns:
        list[str]: one sentence a fault, with the remedy; empty for a good mask.
    """
    if mask.ndim != 2:
        return [f'is a colour picture of shape {mask.shape}, not a map of class indices: convert '
                'each colour to its class index and save one channel']
    faults = []
    if mask.shape != tuple(image_shape):
        faults.append(f'is {mask.shape[1]}x{mask.shape[0]} (width x height) but its image is '
                      f'{image_shape[1]}x{image_shape[0]}: make the mask at the size of the image')
    labels = label_values(mask)
    strange = [v for v in labels if v != IGNORE and not 0 <= v < num_classes]
    if strange:
        faults.append(
            f'has labels {strange[:8]}, but there are {num_classes} classes: allowed are '
            f'0..{num_classes - 1} and 255 (ignored). Map the labels, or complete the class names')
    elif is_truth and labels == [0, IGNORE]:
        faults.append('has only the values 0 and 255, and 255 means "ignored" here: write the '
                      'class index where the object is (and 0 everywhere if there is none)')
    return faults


def partial_mask_faults(mask, num_classes, image_shape):
    """List what is wrong with a mask of points or scribbles: 255 but for the pixels they cover.

    Args:
        mask, num_classes, image_shape: see `mask_faults`.

    Returns:
        list[str]: one sentence a fault, with the remedy; empty for a good mask.
    """
    faults = mask_faults(mask, num_classes, image_shape, is_truth=False)
    if faults:
        return faults
    num_unlabelled = np.count_nonzero(mask == IGNORE)
    if num_unlabelled == mask.size:
        return ['has no labelled pixel, so it teaches nothing: label some, or remove the image '
                'from the list']
    if not num_unlabelled:
        return ['has no pixel of the value 255, which means "unlabelled"; 0 means background: '
                'write 255 where nothing is drawn. (A whole mask that a program made belongs to '
                "supervision='pseudo'.)"]
    return []


def untagged_faults(mask, names, classes):
    """List the classes that a mask of points or scribbles labels, but the tags do not have.

    Args:
        mask (np.ndarray): integer (H, W), without faults (`partial_mask_faults`).
        names (Sequence[str]): the image's tags.
        classes (Sequence[str]): the known classes, background first.

    Returns:
        list[str]: one sentence with the remedy, or none.
    """
    missing = [name for name in labelled_names(mask, classes) if name not in names]
    if not missing:
        return []
    return [f'labels {", ".join(missing)}, but the tags of its image are '
            f'{", ".join(names) or "none"}: correct one of them']


def labelled_names(mask, classes):
    """Names of the classes, without the background, that have a pixel in an index mask."""
    return [classes[label] for label in label_values(mask) if 0 < label < len(classes)]


def label_counts(mask):
    """Pixels of each label of a uint8 (H, W) array, float32 (256,): 20 times faster than unique."""
    import cv2  # here: tools that count no pixels start without it
    # (256, 1) in OpenCV 4, (256,) in OpenCV 5
    return cv2.calcHist([mask], [0], None, [256], [0, 256]).ravel()


def label_values(mask):
    """The values of an integer (H, W) array, sorted, as a list."""
    if mask.dtype == np.uint8:
        return np.flatnonzero(label_counts(mask)).tolist()
    return np.unique(mask).tolist()


def tag_faults(names, classes):
    """List what is wrong with the class names of a weak image.

    Args:
        names (Sequence[str]): class names of its objects.
        classes (Sequence[str]): the known classes, background first.

    Returns:
        list[str]: one sentence a fault, with the remedy; empty where all is well.
    """
    if not names:
        return ['has no object: label its objects or remove the image from the list, or set '
                "empty='background' in the data set if it is known that there is none"]
    return [_unknown_class(name, classes)
            for name in dict.fromkeys(names) if name not in classes[1:]]


def _unknown_class(name, classes):
    is_part = any(name in label.split()[:-1] or name in label.split()[1:] for label in classes)
    hint = ' (in a tag file, a name with blanks stands in double quotes)' if is_part else ''
    return (f'has the unknown class {name!r}; the classes are {", ".join(classes[1:])}: correct '
            f'the name{hint} or add the class')


def box_faults(names, boxes, classes, image_shape):
    """List what is wrong with the boxes of an image.

    Args:
        names (Sequence[str]): class names of M objects.
        boxes (np.ndarray): (M, 4), (x1, y1, x2, y2) in pixels, half-open.
        classes (Sequence[str]): the known classes, background first.
        image_shape (tuple): (H, W) of the image.

    Returns:
        list[str]: one sentence a fault, with the remedy; empty where all is well.
    """
    height, width = image_shape
    faults = []
    for number, (name, (x1, y1, x2, y2)) in enumerate(zip(names, boxes), 1):
        what = f'object {number} ({name}), box {x1:g} {y1:g} {x2:g} {y2:g}'
        if name not in classes[1:]:
            faults.append(f'object {number} {_unknown_class(name, classes)}')
        if not (np.isfinite((x1, y1, x2, y2)).all() and x1 < x2 and y1 < y2):
            faults.append(f'{what}: has no area; correct or remove it')
        elif x1 < 0 or y1 < 0 or x2 > width or y2 > height:
            faults.append(
                f'{what}: reaches outside the image of {width}x{height} pixels; correct it (VOC '
                'files count pixels from 1, and xmax, ymax are the last pixels inside)')
    return faults
