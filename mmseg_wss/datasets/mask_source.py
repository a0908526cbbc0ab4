"""Where the mask of a weak image comes from, beside its label: ``masks=`` of a data set."""
import numpy as np
import torch

from mmseg_wss.datasets.transforms.pseudo_mask import rect_mask
from mmseg_wss.errors import ConfigError
from mmseg_wss.labels.kinds import KINDS, read_label
from mmseg_wss.pseudo_labels.gates import gate_labels, possible_classes


def _painted_boxes(label, info, classes, shape, backend_args):
    return rect_mask(label.fields['gt_bboxes'], label.fields['gt_bboxes_labels'], shape)


def _file_of_folder(label, info, classes, shape, backend_args):
    keys = 'img_path', 'pseudo_mask_path', 'mask_inputs'
    made = read_label(dict({key: info[key] for key in keys if key in info}, supervision='pseudo'),
                      classes, shape, backend_args)
    label.faults += made.faults
    label.seen |= made.seen
    return made.fields.get('gt_seg_map')


SOURCES = dict(rect=_painted_boxes, folder=_file_of_folder, auto=_file_of_folder)
_OPTIONS = dict(rect=set(), folder={'path', 'made_by'}, auto={'path'}, clicks=set())


def mask_source(masks, supervision):
    """Check the option `masks` of a data set.

    Args:
        masks (str | dict, optional): one of these, or a dict of it, as type, and its options:

            - 'rect': the boxes, painted (`rect_mask`),
            - 'clicks': the points or scribbles, as without `masks`,
            - 'folder': files of the folder ``path``, named like the images; ``made_by`` is the
              method that must have made them, by their records,
            - 'auto': files of the folder ``path``, each of the source that a judge chose, by its
              record.
        supervision (str): of the data set, a key of `KINDS`.

    Returns:
        dict: with the type; empty where the mask is the label's own.

    Raises:
        ConfigError: an unknown source or option, or images that such masks are not for.
    """
    if masks is None:
        return {}
    options = dict(type=masks) if isinstance(masks, str) else dict(masks)
    name = options.get('type')
    if name not in _OPTIONS:
        raise ConfigError(f'masks must have a type of {", ".join(_OPTIONS)}; got {masks!r}. A '
                          "folder of masks is dict(type='folder', path=FOLDER).")
    unknown = options.keys() - _OPTIONS[name] - {'type'}
    if unknown:
        raise ConfigError(f'masks of type {name!r} have no option {", ".join(sorted(unknown))}'
                          f' (they have {", ".join(sorted(_OPTIONS[name])) or "none"}).')
    if 'path' in _OPTIONS[name] and not options.get('path'):
        raise ConfigError(f'masks of type {name!r} need its path: dict(type={name!r}, '
                          'path=FOLDER).')
    if KINDS[supervision].is_truth or supervision == 'pseudo':
        raise ConfigError(f'masks={masks!r} is for weak images, but with supervision='
                          f'{supervision!r} the mask is the label: remove one of the two.')
    if name == 'rect' and 'gt_bboxes' not in KINDS[supervision].fields:
        raise ConfigError(f"masks='rect' paints boxes, but supervision={supervision!r} has none: "
                          "set supervision='box', or give a folder of masks.")
    if name == 'clicks':
        if not KINDS[supervision].is_partial:
            raise ConfigError("masks='clicks' are points or scribbles, but supervision="
                              f'{supervision!r} has none: give a folder of masks.')
        return {}
    return options


def read_training_label(info, classes, shape=None, backend_args=None):
    """Read the label of an image (`read_label`), and its mask from another source if it has one.

    What the image's own label excludes leaves that mask, and what it says for sure is set
    (`gate_labels`): no class outside the tags, none outside its boxes, background in no box and all
    over an image that is known to be empty, clicked pixels as they were clicked.

    Args:
        info (dict): an element of ``load_data_list()``; masks names the source, one of `SOURCES`.
        classes, shape, backend_args: see `read_label`; a source needs the shape.

    Returns:
        Label: with the mask as gt_seg_map.
    """
    label = read_label(info, classes, shape, backend_args)
    if 'masks' not in info or label.faults or shape is None:
        return label
    mask = SOURCES[info['masks']](label, info, classes, shape, backend_args)
    if not label.faults:
        gate = possible_classes(shape, len(classes), **_gates(label, info))
        label.fields['gt_seg_map'] = gate_labels(torch.from_numpy(mask), gate).numpy()
    return label


def _gates(label, info):
    """What `possible_classes` takes, of the fields of a label."""
    fields = dict(tags='gt_tags', boxes='gt_bboxes', box_labels='gt_bboxes_labels')
    if KINDS[info['supervision']].is_partial:
        fields['clicks'] = 'gt_seg_map'
    return {name: torch.from_numpy(np.ascontiguousarray(label.fields[key]))
            for name, key in fields.items() if key in label.fields}
