"""What labels hold, in numbers."""
import os.path as osp
from dataclasses import dataclass, field

import numpy as np

from mmseg_wss.errors import DataError
from mmseg_wss.labels.checks.label_check import IGNORE, label_counts
from mmseg_wss.labels.checks.object_check import contradicts_objects
from mmseg_wss.labels.objects import load_objects


@dataclass(frozen=True)
class LabelFacts:
    """What the label of an image holds.

    Args:
        path (str): file of the mask, else of the image.
        seen (frozenset[str]): names of its classes.
        pixels (dict[int, int]): label -> its pixels in the mask, 255 included; empty where there is
            no mask, or one with faults.
        contradicts (bool, optional): see `contradicts_objects`; None where nothing was compared.
        known_empty (bool): the label says that the image has no object, or that of the boxes beside
            its mask.
        shape (tuple, optional): (H, W) of the image.
        object_sizes (tuple[float]): sqrt(area) of each box, or of the region of each class of a
            mask, in pixels of the file; empty for points and scribbles.
    """
    path: str
    seen: frozenset = frozenset()
    pixels: dict = field(default_factory=dict)
    contradicts: bool | None = None
    known_empty: bool = False
    shape: tuple | None = None
    object_sizes: tuple = ()

    @property
    def is_labelled(self):
        """Whether a pixel of the mask has a class."""
        return bool(self.pixels.keys() - {IGNORE})

    @property
    def has_objects(self):
        """Whether a pixel of the mask has a class other than the background."""
        return bool(self.pixels.keys() - {0, IGNORE})


def label_facts(label, info, classes, shape=None):
    """Count what a label holds; a mask is compared with the boxes of its image, where it has some.

    Args:
        label (Label): as `read_label` has read it.
        info (dict): an element of ``load_data_list()``; mask_inputs says where the boxes are:
            box_path or objects, see `load_objects`.
        classes (Sequence[str]): class names, background first.
        shape (tuple, optional): (H, W) of the image.

    Returns:
        LabelFacts: labels as a training has them, with label_map and reduce_zero_label applied.
    """
    pixels = label_pixels(label, info)
    if not pixels:
        return LabelFacts(
            info['img_path'], frozenset(label.seen), known_empty=label.empty and not label.faults,
            shape=shape, object_sizes=_object_sizes(label, pixels, info))
    seen = label.seen.union(classes[value] for value in pixels if value < len(classes))
    keys = 'seg_map_path', 'pseudo_mask_path', 'partial_mask_path', 'img_path'  # painted: the last
    path = next(info[key] for key in keys if key in info)
    objects = _objects_beside(info, classes)
    contradicts = objects and contradicts_objects(
        label.fields['gt_seg_map'], *objects, list(classes), is_truth='seg_map_path' in info)
    if 'seg_map_path' in info:
        is_empty = set(pixels) == {0}
    else:
        is_empty = info.get('tags') == [] or objects is not None and not objects[0]
    return LabelFacts(path, frozenset(seen), pixels, contradicts, is_empty, shape,
                      _object_sizes(label, pixels, info))


def _object_sizes(label, pixels, info):
    if 'partial_mask_path' in info or label.faults:
        return ()
    areas = [count for value, count in pixels.items() if value not in (0, IGNORE)]
    if not pixels and 'gt_bboxes' in label.fields:
        boxes = label.fields['gt_bboxes']
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(1).tolist()
    return tuple(area ** 0.5 for area in areas)


def label_pixels(label, info):
    """The pixels of each label of a mask, see `LabelFacts`; no other label is opened."""
    mask = label.fields.get('gt_seg_map')
    if mask is None or label.faults:
        return {}
    counts = label_counts(_trained_labels(mask, info))
    return {int(value): int(counts[value]) for value in np.flatnonzero(counts)}


def _trained_labels(mask, info):
    """The labels of a file as ``mmseg``'s LoadAnnotations changes them."""
    table = np.arange(256)
    if info.get('reduce_zero_label'):
        table = np.array([IGNORE, *range(IGNORE - 1), IGNORE])
    mapped = table.copy()
    for old, new in (info.get('label_map') or {}).items():
        mapped[table == old] = new
    return mapped.astype(np.uint8)[mask]


def _objects_beside(info, classes):
    """Names and boxes of the objects of an image with a mask; None where none can be read."""
    inputs = info.get('mask_inputs')
    if inputs is None or 'box_path' in inputs and not osp.isfile(inputs['box_path']):
        return None
    try:
        return load_objects(dict(inputs, img_path=info['img_path']), classes)[:2]
    except DataError:
        return None
