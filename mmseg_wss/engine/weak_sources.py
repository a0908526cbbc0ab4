"""The weak images of a config, for tools that make masks for them."""
import copy
import math
import os.path as osp

import numpy as np

from mmseg_wss.datasets.pipeline_facts import transform_name
from mmseg_wss.datasets.weak_seg_dataset import WeakSegDataset
from mmseg_wss.engine.config_sources import leaf_datasets
from mmseg_wss.errors import ConfigError, DataError
from mmseg_wss.labels.boxes import box_hash
from mmseg_wss.labels.checks.label_check import box_faults, tag_faults
from mmseg_wss.labels.formats.image_file import image_shape
from mmseg_wss.labels.kinds import is_weak, read_label
from mmseg_wss.labels.objects import OBJECT_KEYS, load_objects
from mmseg_wss.labels.stores.mask_target import MaskTarget
from mmseg_wss.registry import DATASETS


def weak_images(cfg, mask_dir, pipeline=(), with_boxes=False, ann_file=None, check_files=True):
    """The weak training images of a config as one data set, each with the name of its mask.

    A source says itself where it would look for the masks of a folder, so the names are those that
    a training with ``supervision='pseudo', pseudo_mask=mask_dir`` needs.

    Args:
        cfg (mmengine.Config): a config; wrappers around its training data sets are looked through.
        mask_dir (str): the folder that masks are made for; it need not exist.
        pipeline (Sequence[dict]): transforms.
        with_boxes (bool): the images have boxes, as with ``supervision='box'``. Otherwise they have
            no label at all, and no label file needs to exist.
        ann_file (str, optional): this list instead of those of the config, as one source.
        check_files (bool): see `WeakImages`.

    Returns:
        WeakImages: an element of its list also has mask_name, a path relative to `mask_dir` without
        its suffix.

    Raises:
        ValueError: the config has no training data, or none of them are weak; its weak sources
            differ in their classes, two images would have one mask, or a source does not look for
            PNG files.
        DataError: see `WeakSegDataset`.
    """
    mask_dir = osp.abspath(mask_dir)
    images, metainfo, lists = {}, None, []
    for leaf in _weak_leaves(cfg, ann_file):
        leaf.pop('tag_file', None)
        source = listed(dict(
            leaf, supervision='pseudo', pseudo_mask=mask_dir, with_boxes=with_boxes))
        lists.append(source.ann_file)
        metainfo = metainfo or source.metainfo
        if tuple(source.metainfo['classes']) != tuple(metainfo['classes']):
            raise ValueError(f'{lists[0]} and {lists[-1]} have different classes: give the weak '
                             'sources of a config the same metainfo.')
        for info in (source.get_data_info(i) for i in range(len(source))):
            info = _for_mask_making(info, mask_dir, with_boxes)
            other = images.setdefault(info['mask_name'], info)
            if other['img_path'] != info['img_path']:
                raise ValueError(f'{other["img_path"]} and {info["img_path"]} would have the same '
                                 f'mask, {info["mask_name"]}.png: rename one of the images.')
    return WeakImages(
        images.values(), check_files, ann_file=', '.join(lists), pipeline=list(pipeline),
        metainfo={key: metainfo[key] for key in ('classes', 'palette')},
        supervision='box' if with_boxes else 'none')


def image_tags(cfg, ann_file=None):
    """The tags of the weak training images of a config, as a training would load them.

    Those of a source with pseudo masks are those it would have with ``supervision='image'``.

    Args:
        cfg (mmengine.Config): a config.
        ann_file (str, optional): this list instead of those of the config.

    Returns:
        dict[str, tuple]: img_path -> indices of the image's classes, ascending; 0, the background,
        is among them, and all of them where the image is known to be empty. Images that are
        unlabelled by their source's ``empty='unlabelled'`` are not in it, nor are those with points
        or scribbles on the background alone and no tag file.

    Raises:
        ValueError: see `weak_images`; or a source is unlabelled.
        DataError: see `read_label`.
    """
    tags = {}
    for leaf in _weak_leaves(cfg, ann_file):
        if leaf['supervision'] == 'pseudo':
            leaf['supervision'] = 'image'
        source = listed(leaf)
        if 'gt_tags' not in source.kind.fields:
            raise ValueError(f"{source.ann_file}: supervision='{source.supervision}' has no tags, "
                             "which are needed here. Label the images of this list "
                             "(supervision='image'), or leave its source out of the config.")
        for info in (source.get_data_info(i) for i in range(len(source))):
            path = info['img_path']
            # the shape of an unreadable image is unknown: loading it says so
            label = read_label(info, source.metainfo['classes'], image_shape(path))
            if 'gt_tags' in label.checked_fields():
                tags[path] = tuple(np.flatnonzero(label.fields['gt_tags']).tolist())
    return tags


def gate_targets(cfg, images, ann_file=None, choices=None):
    """The `MaskTarget` of each image, with all that its own labels say (`possible_classes`).

    Args:
        cfg (mmengine.Config): a config. Its sources may have different labels, each image those of
            its own; sources with pseudo masks and unlabelled ones have none.
        images (Sequence[dict]): elements of the list of `weak_images`.
        ann_file (str, optional): this list instead of those of the config.
        choices (dict[str, dict], optional): kind of label -> choice of a `MaskTarget`.

    Returns:
        dict[str, MaskTarget]: by img_path.

    Raises:
        DataError: a label is missing or wrong (`read_label`).
        ConfigError: no choice for a kind of label.
    """
    found = {}
    for leaf in _weak_leaves(cfg, ann_file):
        if leaf['supervision'] == 'pseudo':
            leaf['supervision'] = 'none'
        source = listed(leaf)
        classes = source.metainfo['classes']
        for info in (source.get_data_info(i) for i in range(len(source))):
            fields = read_label(info, classes, image_shape(info['img_path'])).checked_fields()
            own = found.setdefault(info['img_path'], {})
            if choices is not None:
                own['choice'] = _choice(choices, leaf['supervision'] if fields else 'none')
            if 'gt_tags' in fields:
                own['tags'] = tuple(np.flatnonzero(fields['gt_tags']).tolist())
            if 'gt_bboxes' in fields:
                labels = tuple(fields['gt_bboxes_labels'].tolist())
                own.update(boxes=fields['gt_bboxes'], box_labels=labels, inputs=box_hash(
                    [classes[label] for label in labels], fields['gt_bboxes']))
            if source.kind.is_partial:
                own['clicks'] = info['partial_mask_path']
    return {info['img_path']: MaskTarget(info['mask_name'], **found[info['img_path']])
            for info in images}


def _choice(choices, kind):
    if kind not in choices:
        raise ConfigError(f"The judge says nothing of images with supervision={kind!r}, only of "
                          f'{", ".join(map(repr, choices))}: run tools/judge_masks.py with --kinds '
                          f'{kind}, too.')
    return choices[kind]


def image_pipeline(pipeline):
    """A test pipeline for `weak_images`, and whether its network takes boxes.

    Labels are loaded only where `BoxPriors` makes boxes an input; mmseg's loader of masks is left
    out in any case.

    Args:
        pipeline (Sequence): transforms; those of ``TestTimeAug`` are looked through.

    Returns:
        tuple: transforms, list; and whether to call `weak_images` with boxes, bool.
    """
    takes_boxes = 'BoxPriors' in _transform_names(pipeline)
    labels = {'LoadAnnotations'} | (set() if takes_boxes else {'LoadWeakLabels'})
    return _without_transforms(pipeline, labels), takes_boxes


def mask_target(info, classes, with_boxes, tags=None):
    """The `MaskTarget` of an image, with its boxes if they matter.

    Args:
        info (dict): an element of ``load_data_list()``, with mask_name.
        classes (Sequence[str]): class names, background first.
        with_boxes (bool): read and check the boxes.
        tags (tuple, optional): see `MaskTarget`.

    Raises:
        DataError: the boxes are missing or wrong.
    """
    if not with_boxes:
        return MaskTarget(info['mask_name'], tags=tags)
    names, boxes, path = load_objects(info, classes)
    shape = image_shape(info['img_path']) or (math.inf, math.inf)  # unreadable: loading says so
    faults = box_faults(names, boxes, classes, shape)
    if not names and 'empty' in info:  # its boxes do not say that there is no object
        faults = [f'the image {fault}' for fault in tag_faults(names, classes)]
    if faults:
        raise DataError(f'{path}: {"; ".join(faults)}.')
    return MaskTarget(info['mask_name'], box_hash(names, boxes), boxes,
                      tuple(classes.index(name) for name in names), tags)


class WeakImages(WeakSegDataset):
    """Images given one by one, in test mode: ``prepare_data`` never draws another image.

    Args:
        images (Iterable[dict]): what ``load_data_list()`` shall return.
        check_files (bool): without it, a missing file is no error of the whole list, but of its
            image alone, when that is read.
        **kwargs: see `WeakSegDataset`; ann_file is where the images are from, for messages.
    """

    def __init__(self, images, check_files=True, **kwargs):
        self._images = list(images)
        self._check_files = check_files
        super().__init__(test_mode=True, **kwargs)

    def scan_list(self):
        """The images as they were given."""
        return list(self._images), []

    def missing_files(self, data_list):
        """See `WeakSegDataset`; none where they are not to be checked."""
        return super().missing_files(data_list) if self._check_files else []


def listed(leaf):
    """The data set of a config with its list; the files of its images need not exist."""
    source = DATASETS.build(dict(
        leaf, pipeline=[], test_mode=True, lazy_init=True, serialize_data=False))
    super(WeakSegDataset, source).full_init()  # its own wants all files
    return source


def _weak_leaves(cfg, ann_file):
    """Configs of the weak training sources, without the masks that they may have."""
    if not cfg.get('train_dataloader'):
        raise ValueError(f'{getattr(cfg, "filename", None) or "the config"} has no '
                         'train_dataloader: name the config of a training; that of a pipeline '
                         'names two.')
    leaves = [leaf for leaf in leaf_datasets(cfg['train_dataloader']['dataset']) if is_weak(leaf)]
    if not leaves:
        raise ValueError('no training source of the config has weak images (supervision other than '
                         "'pixel'): name a config that trains with them.")
    if ann_file is not None:
        leaves = [dict(leaves[0], ann_file=ann_file)]
    leaves = [copy.deepcopy(dict(leaf)) for leaf in leaves]
    for leaf in leaves:
        for key in ('pseudo_mask', 'made_by', 'masks', 'with_boxes', 'box_source'):
            leaf.pop(key, None)
    return leaves


def _for_mask_making(info, mask_dir, with_boxes):
    """An element of the list of a 'pseudo' source, for an image whose mask is still to be made."""
    info = dict(info, supervision='box' if with_boxes else 'none')
    info.pop('mask_inputs', None)  # no mask is read
    name, suffix = osp.splitext(osp.relpath(info.pop('pseudo_mask_path'), mask_dir))
    if suffix != '.png':
        raise ValueError(f'{info["img_path"]}: its source looks for {name}{suffix}, but masks '
                         "are written as PNG: set seg_map_suffix to end in '.png'.")
    if not with_boxes:
        for key in OBJECT_KEYS:
            info.pop(key, None)
    return dict(info, mask_name=name)


def _transform_names(pipeline):
    names = set()
    for step in pipeline:
        if isinstance(step, (list, tuple)):
            names |= _transform_names(step)
        else:
            names |= {transform_name(step)} | _transform_names(step.get('transforms', ()))
    return names


def _without_transforms(pipeline, names):
    kept = []
    for step in pipeline:
        if isinstance(step, (list, tuple)):
            inner = _without_transforms(step, names)
            kept += [inner] if inner else []  # no alternative left: TestTimeAug would have no view
        elif transform_name(step) not in names:
            inner = ({'transforms': _without_transforms(step['transforms'], names)}
                     if 'transforms' in step else {})
            kept.append({**step, **inner})
    return kept
