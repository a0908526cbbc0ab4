"""The objects of an image, from wherever its data set has them."""
import os.path as osp

import numpy as np

from mmseg_wss.errors import DataError
from mmseg_wss.labels.boxes import box_hash, tight_box
from mmseg_wss.labels.checks.label_check import IGNORE, label_values
from mmseg_wss.labels.formats.mask_file import read_mask, read_record
from mmseg_wss.labels.formats.voc_xml import read_voc_objects

OBJECT_KEYS = ('objects', 'instance_path', 'box_path')


def load_objects(info, classes):
    """Names and boxes of the objects of an image.

    Args:
        info (dict): an element of ``load_data_list()`` with one of `OBJECT_KEYS`: objects (a dict
            of names and bboxes, for lists that hold the boxes), instance_path (instance masks,
            which are truth, so for strong images only; beside seg_map_path) or box_path (VOC XML).
        classes (Sequence[str]): class names, background first.

    Returns:
        tuple: names, list of M str; boxes, float32 (M, 4), (x1, y1, x2, y2) in pixels of the file,
        half-open; and the file they are from, for messages.

    Raises:
        DataError: the file is missing, unreadable, or contradicts the class mask.
    """
    if 'objects' in info:
        objects = info['objects']
        boxes = np.array(objects['bboxes'], np.float32).reshape(-1, 4)
        return list(objects['names']), boxes, info['img_path']
    if 'instance_path' in info:
        path = info['instance_path']
        mask = read_mask(info['seg_map_path'])
        instances = read_instances(path, mask, info['seg_map_path'])
        labels, boxes = instance_boxes(instances, mask)
        strange = [label for label in labels if not 0 < label < len(classes)]
        if strange:
            raise DataError(
                f'{path}: it has instances of class {strange[0]} by the class mask '
                f'{info["seg_map_path"]}, but objects are of classes 1..{len(classes) - 1}: '
                'correct one of the masks.')
        return [classes[label] for label in labels], boxes, path
    return (*read_voc_objects(info['box_path']), info['box_path'])


def read_instances(path, mask, mask_path):
    """Read the instance mask, (H, W), that belongs to a class mask.

    Raises:
        DataError: the file is missing or unreadable, or of another size than the class mask.
    """
    instances = read_mask(path)
    if instances.shape != mask.shape:
        raise DataError(f'{path}: the instance mask has shape {instances.shape}, but the class '
                        f'mask {mask_path} has {mask.shape}: make them agree.')
    return instances


def stale_mask_faults(info, classes, objects=None):
    """Whether the pseudo mask of an image was made for other boxes than it has now.

    Args:
        info (dict): an element of ``load_data_list()``; mask_inputs says where the boxes of the
            image are now: box_path or objects, see `load_objects`.
        classes (Sequence[str]): class names, background first.
        objects (tuple, optional): what `load_objects` has returned. Without it, boxes are read if
            the record of the mask names some; there may be no XML file any more.

    Returns:
        list[str]: one sentence with the remedy, or none.

    Raises:
        DataError: see `load_objects` and `read_record`.
    """
    inputs = info.get('mask_inputs')
    if inputs is None or 'pseudo_mask_path' not in info:  # a person drew the mask
        return []
    if not osp.isfile(info['pseudo_mask_path']):  # of a backend: not looked into
        return []
    made_from = (read_record(info['pseudo_mask_path']) or {}).get('inputs')
    if not made_from:
        return []
    if objects is None:
        if 'box_path' in inputs and not osp.isfile(inputs['box_path']):
            return []
        objects = load_objects(dict(inputs, img_path=info['img_path']), classes)
    names, boxes, box_file = objects
    if made_from == box_hash(names, boxes):
        return []
    return [f'{info["pseudo_mask_path"]}: the mask was made for other boxes than {box_file} has '
            'now. Run the tool that made its folder again with the same options (it makes only '
            'what is out of date), choose another folder, or point the data set (box_path, '
            'ann_file) to the boxes that the mask was made for']


def instance_boxes(instances, mask):
    """Tight boxes of instances.

    Args:
        instances (np.ndarray): (H, W), an id for each object, 0 background, 255 void.
        mask (np.ndarray): uint8 (H, W), class indices, 255 ignored; an object has the class of most
            of its pixels, and one without any labelled pixel is left out.

    Returns:
        tuple: labels, list of M int; boxes, float32 (M, 4), half-open, by ascending id.
    """
    objects = list(labelled_instances(instances, mask))
    boxes = [tight_box(pixels) for _, pixels in objects]
    return [label for label, _ in objects], np.array(boxes, np.float32).reshape(-1, 4)


def labelled_instances(instances, mask):
    """Yield the class index and the pixels, bool (H, W), of each instance, see `instance_boxes`."""
    for number in label_values(instances):
        if number not in (0, IGNORE):
            pixels = instances == number
            counts = np.bincount(mask[pixels], minlength=256)
            counts[IGNORE] = 0
            if counts.any():
                yield int(counts.argmax()), pixels
