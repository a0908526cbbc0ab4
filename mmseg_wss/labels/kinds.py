"""The kinds of labels, one entry each. A new kind is one entry and one reader."""
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from mmseg_wss.errors import DataError
from mmseg_wss.labels.readers import (
    Label,
    read_nothing,
    read_objects,
    read_partial_mask,
    read_whole_mask,
)

_BOXES = 'ori_bboxes', 'ori_bboxes_labels'


class LabelFile(NamedTuple):
    """Where the label of an image is in a VOC devkit: DATA_ROOT/FOLDER/ID + SUFFIX."""
    key: str  # of its path in an element of a data list; ends in '_path'
    option: str  # key of ``data_prefix`` that names another folder
    folder: str
    suffix: str | None = None  # None: ``seg_map_suffix`` of the data set


@dataclass(frozen=True)
class LabelKind:
    """A kind of label, the `supervision` of a data set.

    Args:
        read (Callable): the reader, called with a `Label` to fill, an element of a data list, the
            class names, the shape of the image and backend_args (`read_label`). It adds the faults
            of the label, or raises DataError where it cannot go on.
        fields (tuple[str]): what a sample may get from the reader: gt_seg_map, gt_bboxes, ...
        file (LabelFile, optional): the file of an image's label; None where there is none.
        is_truth (bool): the label is a true mask. Without it, no path of a true mask is formed.
        is_partial (bool): the label is a mask of few pixels, which a person has drawn.
        may_have_boxes (bool): boxes may be given beside the label, ``with_boxes=True``.
        tag_file (str, optional): 'instead' where tags may come from a tag file instead of `file`,
            'beside' where they may come beside it.
        made_as (str, optional): ``--kind`` of tools/make_weak_labels.py that makes such labels.
    """
    read: Callable
    fields: tuple = ()
    file: LabelFile | None = None
    is_truth: bool = False
    is_partial: bool = False
    may_have_boxes: bool = False
    tag_file: str | None = None
    made_as: str | None = None


KINDS = dict(
    pixel=LabelKind(
        partial(read_whole_mask, 'seg_map_path'), ('gt_seg_map', *_BOXES),
        LabelFile('seg_map_path', 'seg_map_path', 'SegmentationClass'),
        is_truth=True, may_have_boxes=True),
    box=LabelKind(
        read_objects, ('gt_bboxes', 'gt_bboxes_labels', *_BOXES, 'gt_tags'),
        LabelFile('box_path', 'box_path', 'Annotations', '.xml'), made_as='boxes'),
    image=LabelKind(
        read_objects, ('gt_tags', ), LabelFile('box_path', 'box_path', 'Annotations', '.xml'),
        tag_file='instead', made_as='tags'),
    pseudo=LabelKind(
        partial(read_whole_mask, 'pseudo_mask_path'), ('gt_seg_map', *_BOXES),
        LabelFile('pseudo_mask_path', 'pseudo_mask', ''), may_have_boxes=True),
    point=LabelKind(
        read_partial_mask, ('gt_seg_map', 'gt_tags'),
        LabelFile('partial_mask_path', 'point_path', 'PointLabels'),
        is_partial=True, tag_file='beside', made_as='points'),
    scribble=LabelKind(
        read_partial_mask, ('gt_seg_map', 'gt_tags'),
        LabelFile('partial_mask_path', 'scribble_path', 'ScribbleLabels'),
        is_partial=True, tag_file='beside', made_as='scribbles'),
    none=LabelKind(read_nothing),
)


def is_truth(supervision):
    """Whether labels of this kind are true masks; not of a kind that is not in `KINDS`."""
    return supervision in KINDS and KINDS[supervision].is_truth


def is_partial(supervision):
    """Whether labels of this kind are drawn points or lines; not of a kind not in `KINDS`."""
    return supervision in KINDS and KINDS[supervision].is_partial


def is_weak(source):
    """Whether a data set has labels other than true masks.

    Args:
        source (dict): its config; without ``supervision`` it has true masks, as data sets of mmseg.
    """
    return not is_truth(source.get('supervision', 'pixel'))


def read_label(info, classes, shape=None, backend_args=None):
    """Read the label that an image's supervision allows, and list what is wrong with it.

    No other label of the image is opened.

    Args:
        info (dict): an element of ``load_data_list()``; without supervision, as in data sets of
            mmseg, its mask is the truth, and there may be none.
        classes (Sequence[str]): class names, background first; labels of masks are not checked
            where it is empty.
        shape (tuple, optional): (H, W) of the image; sizes are not checked without it.
        backend_args (dict, optional): of masks, see ``mmengine.fileio``.

    Returns:
        Label: with the fields of the kind that the image has.
    """
    kind = KINDS[info.get('supervision') or ('pixel' if 'seg_map_path' in info else 'none')]
    label = Label()
    try:
        kind.read(label, info, classes, shape, backend_args)
    except DataError as error:
        label.faults.append(str(error))
    label.fields = {key: label.fields[key] for key in kind.fields if key in label.fields}
    return label
