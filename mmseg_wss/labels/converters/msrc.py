"""Images and cleaned segmentations of MSRC_ObjCategImageDatabase_v2, in the layout of VOC."""
from pathlib import Path

import numpy as np
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.boxes import tight_box
from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.labels.formats.mask_file import write_mask
from mmseg_wss.labels.formats.mat_file import check_mat
from mmseg_wss.labels.formats.text_list import write_lines
from mmseg_wss.labels.formats.voc_xml import voc_xml
from mmseg_wss.utils.fileio import atomic_path

RELEASED = (  # in the order of the release; its 1-based numbers
    'building', 'grass', 'tree', 'cow', 'horse', 'sheep', 'sky', 'mountain', 'aeroplane', 'water',
    'face', 'car', 'bicycle', 'flower', 'sign', 'bird', 'book', 'chair', 'road', 'cat', 'dog',
    'body', 'boat')
STUFF = 'building', 'grass', 'tree', 'sky', 'mountain', 'water', 'road'
LEFT_OUT = 'horse'  # too few images
CLASSES = ('background', *sorted(set(RELEASED) - {*STUFF, LEFT_OUT}))
MIN_OBJECT = 64  # pixels; smaller segments of objects are ignored
REMEDY = 'Unpack the release again.'


def read_segments(path):
    """Read a file of newsegmentations_mats.

    Args:
        path (str | Path): ``ID_GT.mat``.

    Returns:
        tuple[np.ndarray, list[int]]: the segment of each pixel, int (H, W), from 1 on, 0: none;
        for each segment its class, 1-based in `RELEASED`, 0: none.

    Raises:
        DataError: the file is missing, no .mat file, or not laid out as the release is.
    """
    import scipy.io  # here: it takes long to load
    try:
        check_mat(path)
        content = scipy.io.loadmat(str(path), variable_names=['newseg', 'newlabels'])
        segments, labels = content['newseg'], content['newlabels']
    except FileNotFoundError as error:
        raise DataError(f'{path}: there is no such segmentation. {REMEDY}') from error
    except Exception as error:  # SciPy trips over a corrupt file in many ways and wraps none
        raise DataError(f'{path}: expected a .mat file with newseg and newlabels ({error!r}). '
                        f'{REMEDY}') from error
    if not (_whole(segments) and segments.ndim == 2 and _whole(labels)
            and segments.max() <= labels.size and labels.max() <= len(RELEASED)):
        raise DataError(f'{path}: newseg is no map of numbers of segments, or newlabels has not '
                        f'for each a class, 1 to {len(RELEASED)}, or 0. {REMEDY}')
    return segments.astype(int), labels.ravel().astype(int).tolist()


def _whole(array):
    """Whether these are whole numbers, not negative."""
    return (isinstance(array, np.ndarray) and array.dtype.kind in 'uif' and array.size > 0
            and bool((array >= 0).all() and (array == np.floor(array)).all()))


def objects_of(segments, labels):
    """The objects among the segments of an image.

    Args:
        segments, labels: see `read_segments`.

    Returns:
        tuple: class mask and instance mask, uint8 (H, W): 0 for stuff, 255 where nothing is
        labelled or the object is smaller than 64 pixels; instances count from 1. Names of the
        objects, and boxes (x1, y1, x2, y2), half-open, in the order of the instances. None for an
        image with a horse, or without any object.
    """
    names = [RELEASED[label - 1] if label else None for label in labels]
    present = set(np.unique(segments[segments > 0]) - 1)
    if any(names[index] == LEFT_OUT for index in present):
        return None
    mask = np.full(segments.shape, IGNORE, np.uint8)
    instances, found, boxes = mask.copy(), [], []
    for index in sorted(present):
        pixels = segments == index + 1
        if names[index] in STUFF:
            mask[pixels] = instances[pixels] = 0
        elif names[index] is not None and pixels.sum() >= MIN_OBJECT:
            found.append(names[index])
            mask[pixels], instances[pixels] = CLASSES.index(names[index]), len(found)
            boxes.append(tight_box(pixels))
    return (mask, instances, found, boxes) if found else None


def convert_image(name, release, out):
    """Write the files of an image, if it has objects.

    Args:
        name (str): such as '10_12_s'.
        release (str | Path): the folder with Images and newsegmentations_mats.
        out (str | Path): the devkit.

    Returns:
        list[str]: the names of its objects; empty, and nothing is written, for an image without
        any or with a horse.

    Raises:
        DataError: a file is missing, damaged, or image and segmentation differ in size.
        OSError: a file cannot be written.
    """
    release, out = Path(release), Path(out)
    source = release / 'Images' / f'{name}.bmp'
    mat = release / 'newsegmentations_mats' / f'{name}_GT.mat'
    objects = objects_of(*read_segments(mat))
    if objects is None:
        return []
    mask, instances, names, boxes = objects
    try:
        with Image.open(source, formats=['BMP']) as image:
            image = image.convert('RGB')
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f'{source}: no readable BMP image ({error}). {REMEDY}') from error
    if image.size != mask.shape[::-1]:
        raise DataError(f'{mat}: its {mask.shape[1]}x{mask.shape[0]} segmentation does not fit the '
                        f'{image.size[0]}x{image.size[1]} image {source}. {REMEDY}')
    with atomic_path(out / 'JPEGImages' / f'{name}.jpg') as path:
        image.save(path, quality=95)
    write_mask(out / 'SegmentationClass' / f'{name}.png', mask)
    write_mask(out / 'SegmentationObject' / f'{name}.png', instances)
    write_lines(out / 'Annotations' / f'{name}.xml',
                [voc_xml(f'{name}.jpg', mask.shape, names, boxes).rstrip()])
    return names
