"""Readers of labels: what a label says, and what is wrong with it.

Their arguments are those that `LabelKind` names. All raise DataError where a file is missing or
unreadable.
"""
import math
from dataclasses import dataclass, field

import numpy as np

from mmseg_wss.errors import DataError
from mmseg_wss.labels.checks.label_check import (
    box_faults,
    labelled_names,
    mask_faults,
    partial_mask_faults,
    tag_faults,
    untagged_faults,
)
from mmseg_wss.labels.formats.mask_file import read_mask
from mmseg_wss.labels.objects import OBJECT_KEYS, load_objects, stale_mask_faults


@dataclass
class Label:
    """The label of an image.

    fields (dict): what a sample gets, by name; of use only if there are no faults:

    - gt_seg_map: uint8 (H, W), class indices, 255 ignored
    - gt_bboxes, ori_bboxes: float32 (M, 4), (x1, y1, x2, y2) in pixels of the file, half-open
    - gt_bboxes_labels, ori_bboxes_labels: int64 (M,)
    - gt_tags: uint8 (K,), 1 for a class that is in the image, and for the background

    faults (list[str]): one line a fault, "FILE: what; remedy."
    seen (set[str]): names of the classes that the label has
    empty (bool): it says that the image has no object
    """
    fields: dict = field(default_factory=dict)
    faults: list = field(default_factory=list)
    seen: set = field(default_factory=set)
    empty: bool = False

    def blame(self, what, faults):
        """Add faults; `what`, which begins with the file, is the subject of their sentences."""
        self.faults += [f'{what} {fault}.' for fault in faults]

    def set_tags(self, names, classes):
        """Add the field of the tags; unknown names are faults and not in it."""
        self.seen.update(set(names) & set(classes))
        tags = np.zeros(len(classes), np.uint8)
        tags[[0, *_indices(names, classes)]] = 1
        self.fields['gt_tags'] = tags

    def add_names(self, what, names, classes, info):
        """Add the class names of the objects of an image, perhaps none; unknown ones are faults.

        Args:
            what (str): see `blame`.
            names, classes: see `tag_faults`.
            info (dict): an element of ``load_data_list()``: empty says what no name means
                (`WeakSegDataset`).
        """
        self.empty = not names
        if names or info.get('empty') == 'error':
            self.blame(what, tag_faults(names, classes))

    def checked_fields(self):
        """The fields.

        Raises:
            DataError: the label has faults; all are named.
        """
        if self.faults:
            raise DataError('\n'.join(self.faults))
        return self.fields


def read_nothing(label, info, classes, shape, backend_args):
    """Leave the label of an unlabelled image empty."""


def read_whole_mask(key, label, info, classes, shape, backend_args):
    """Read a mask of the whole image, and its boxes where the data set gives them too.

    `key` is that of the mask's path in `info`: 'seg_map_path' for a true one.
    """
    is_truth = key == 'seg_map_path'
    # data sets of mmseg may map the labels of the file, or have no names for them
    num_labels = len(info.get('label_map') or classes) + bool(info.get('reduce_zero_label'))
    mask = read_mask(info[key], backend_args)
    label.blame(f'{info[key]}: the mask', mask_faults(
        mask, num_labels or 256, shape or mask.shape[:2], is_truth and not info.get('has_crowd')))
    label.fields['gt_seg_map'] = mask.astype(np.uint8)
    if mask.ndim == 2 and not info.get('label_map') and not info.get('reduce_zero_label'):
        label.seen.update(labelled_names(mask, classes))
    objects = None
    if any(name in info for name in OBJECT_KEYS):
        objects = _add_objects(label, info, classes, shape, is_truth)
    # where the record of a mask has boxes, they are compared in any case
    label.faults += [f'{fault}.' for fault in stale_mask_faults(info, classes, objects)]


def read_partial_mask(label, info, classes, shape, backend_args):
    """Read a mask of points or scribbles, and the tags: the list's, or the classes of the mask.

    What is drawn on the background alone says nothing of the rest, so there are no tags then.
    """
    path = info['partial_mask_path']
    mask = read_mask(path, backend_args)
    faults = partial_mask_faults(mask, len(classes), shape or mask.shape[:2])
    drawn = [] if mask.ndim != 2 else labelled_names(mask, classes)
    names = info.get('tags', drawn)
    label.blame(f'{path}: the mask', faults or untagged_faults(mask, names, classes))
    if names:
        label.blame(f'{info["img_path"]}: by its tags, the image', tag_faults(names, classes))
    label.fields['gt_seg_map'] = mask.astype(np.uint8)
    if names or 'tags' in info:
        label.set_tags(names, classes)
    label.seen.update(drawn)


def read_objects(label, info, classes, shape, backend_args):
    """Read boxes, and tags from them; or the tags alone, where the list has them.

    An image without an object is background all over; with ``empty='unlabelled'`` it has no label.
    """
    if 'tags' in info:
        names = info['tags']
        label.add_names(f'{info["img_path"]}: by its tags, the image', names, classes, info)
    elif any(key in info for key in OBJECT_KEYS):
        names, boxes, _ = _add_objects(label, info, classes, shape)
        label.fields.update(gt_bboxes=boxes, gt_bboxes_labels=label.fields['ori_bboxes_labels'])
    else:  # no line in the tag file: a fault of the list, not of the image
        return
    if label.empty and info.get('empty') == 'unlabelled':
        label.fields.clear()
        return
    label.set_tags(names, classes)
    if label.seen or label.empty:  # there is background around every object
        label.seen.add(classes[0])


def _add_objects(label, info, classes, shape, is_truth=False):
    names, boxes, path = objects = load_objects(info, classes)
    label.blame(f'{path}:', box_faults(names, boxes, classes, shape or (math.inf, math.inf)))
    if not names and not is_truth:
        label.add_names(f'{path}: the weak image', names, classes, info)
    label.seen.update(set(names) & set(classes))
    label.fields.update(ori_bboxes=boxes, ori_bboxes_labels=np.array(
        _indices(names, classes), np.int64))
    return objects


def _indices(names, classes):
    return [classes.index(name) for name in names if name in classes]
