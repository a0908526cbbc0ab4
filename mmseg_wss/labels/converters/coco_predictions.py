"""Index masks as a file of COCO's format: one RLE for each class of each image."""
import json
from pathlib import Path

import numpy as np

from mmseg_wss.errors import ConfigError
from mmseg_wss.labels.checks.label_check import IGNORE, label_values
from mmseg_wss.labels.formats.mask_file import read_mask
from mmseg_wss.utils.fileio import atomic_path
from mmseg_wss.utils.progress import track


def encode_mask(mask):
    """The classes of a mask as run lengths.

    Args:
        mask (np.ndarray): uint8 (H, W), class indices, 255 ignored.

    Returns:
        list[dict]: category_id, segmentation (RLE of ``pycocotools``, size and counts), area in
        pixels, bbox (x, y, width, height); background and 255 are left out.
    """
    from pycocotools import mask as rle  # here: an optional library
    objects = []
    for label in label_values(mask):
        if label not in (0, IGNORE):
            code = rle.encode(np.asfortranarray(mask == label))
            objects.append(dict(
                category_id=label, area=int(rle.area(code)), bbox=rle.toBbox(code).tolist(),
                segmentation=dict(size=code['size'], counts=code['counts'].decode('ascii')),
                iscrowd=0))
    return objects


def check_library():
    """Raise a ConfigError where ``pycocotools`` is not installed."""
    try:
        import pycocotools.mask  # noqa: F401
    except ImportError as error:
        raise ConfigError(f'a COCO file needs pycocotools ({error}): pip install pycocotools, or '
                          'leave --coco out.') from error


def write_coco(path, masks, classes):
    """Write the file, with images, categories (1..K-1, without the background) and annotations.

    Args:
        path (str | Path): the JSON file; it is whole, or not there.
        masks (dict[str, Path]): what the file calls an image -> its mask.
        classes (Sequence[str]): class names, background first.

    Raises:
        DataError: a mask cannot be read.
        OSError: the file cannot be written.
    """
    images, annotations = [], []
    named = enumerate(masks.items(), 1)
    for number, (name, mask_path) in track(named, f'Writing {Path(path).name}', len(masks)):
        mask = read_mask(mask_path)
        images.append(dict(id=number, file_name=name, height=mask.shape[0], width=mask.shape[1]))
        annotations += [dict(item, id=len(annotations) + i, image_id=number)
                        for i, item in enumerate(encode_mask(mask), 1)]
    categories = [dict(id=k, name=name) for k, name in enumerate(classes) if k]
    with atomic_path(path) as temporary:
        Path(temporary).write_text(json.dumps(dict(
            images=images, categories=categories, annotations=annotations)), 'utf-8')
