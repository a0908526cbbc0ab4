"""All faults in the data sets of a config, without stopping at the first one.

`LoadWeakLabels` and `SetupCheckHook` look for the same faults during a training, one at a time.
"""
import os.path as osp
from dataclasses import dataclass, field

from mmseg_wss.engine.config_sources import leaf_datasets
from mmseg_wss.errors import DataError
from mmseg_wss.labels.checks.label_check import (
    MASK_KEYS,
    abridged,
    box_faults,
    label_values,
    mask_faults,
    partial_mask_faults,
    tag_faults,
    untagged_faults,
)
from mmseg_wss.labels.formats.image_file import decode_fault, image_shape
from mmseg_wss.labels.formats.mask_file import read_mask
from mmseg_wss.labels.objects import OBJECT_KEYS, load_objects, stale_mask_faults
from mmseg_wss.registry import DATASETS


@dataclass
class DataList:
    """What a data set of a config holds, as far as it could be read."""
    name: str  # what the config uses it for, and its list file
    for_training: bool
    supervision: str  # see `WeakSegDataset`; 'pixel' for data sets of mmseg
    classes: tuple = ()  # empty where they are unknown
    images: list = field(default_factory=list)  # as load_data_list() gives them
    faults: list = field(default_factory=list)  # of the list itself


def read_data_lists(cfg):
    """Read the lists of all data sets of a config: training sources, val, test. Opens no image.

    Args:
        cfg (mmengine.Config): a config; data set wrappers are looked through.

    Returns:
        list[DataList]: one for each data set, in the order of the config.
    """
    lists = []
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        leaves = list(leaf_datasets(loader['dataset'])) if loader else []
        for number, leaf in enumerate(leaves):
            use = 'training source' if split == 'train' else split
            if split == 'train' or len(leaves) > 1:
                use += f' {number}'
            lists.append(_read_data_list(use, split == 'train', leaf))
    return lists


def _read_data_list(use, for_training, leaf):
    name = f'{use} ({leaf.get("ann_file")})'
    result = DataList(name, for_training, leaf.get('supervision', 'pixel'))
    try:
        # the check needs no pipeline, and lazy_init leaves the list to it
        dataset = DATASETS.build(dict(leaf, pipeline=[], lazy_init=True))
    except ValueError as error:
        result.faults.append(f'{name}: {error}')
        return result
    result.name = f'{use} ({dataset.ann_file})'
    result.classes = tuple(dataset.metainfo.get('classes') or ())
    if hasattr(dataset, 'scan_list'):
        result.images, result.faults = dataset.scan_list()
        return result
    try:
        result.images = dataset.load_data_list()
    except (AssertionError, OSError, ValueError) as error:  # mmseg's data sets assert
        result.faults.append(f'{dataset.ann_file}: {error}')
    return result


def check_sample(info, classes):
    """Decode an image and the label that its supervision allows, and list what is wrong.

    The true mask is opened for the supervision 'pixel' alone.

    Args:
        info (dict): an element of ``load_data_list()``.
        classes (Sequence[str]): class names, background first; labels of masks are not checked
            where it is empty.

    Returns:
        tuple: faults, list of lines "FILE: what; remedy"; and the classes seen, set of str.
    """
    path = info['img_path']
    if not osp.isfile(path):
        fault, shape = 'there is no such image; add it, or remove it from the list', None
    else:
        fault, shape = decode_fault(path), image_shape(path)
        if fault:
            fault = f'the image is corrupt ({fault}); copy it again, or remove it from the list'
    faults = [f'{path}: {fault}.'] if fault else []
    try:
        more, seen = _label_faults(info, classes, shape)
    except DataError as error:
        more, seen = [str(error)], set()
    return faults + more, seen


def _label_faults(info, classes, shape):
    key = MASK_KEYS.get(info.get('supervision', 'pixel'))
    faults, seen = [], set()  # no line in the tag file: a fault of the list, not of the image
    if key in info:
        faults, seen = _mask_faults(info, key, classes, shape)
    names, objects = (), None
    if 'tags' in info:
        names = info['tags']
        if names or key is None:  # scribbles may be on the background alone
            faults += [f'{info["img_path"]}: by its tags, the image {fault}.'
                       for fault in tag_faults(names, classes)]
    elif any(k in info for k in OBJECT_KEYS):
        names, boxes, path = objects = load_objects(info, classes)
        faults += [f'{path}: {fault}.' for fault in
                   box_faults(names, boxes, classes, shape or (float('inf'),) * 2)]
        if not names and key != 'seg_map_path':
            faults += [f'{path}: the weak image {fault}.' for fault in tag_faults(names, classes)]
    faults += [f'{fault}.' for fault in stale_mask_faults(info, classes, objects)]
    return faults, seen | {*classes[:1], *names} & set(classes)


def _mask_faults(info, key, classes, shape):
    path = info[key]
    mask = read_mask(path)
    # data sets of mmseg may map the labels of the file, or have no names for them
    mapped = info.get('label_map') or info.get('reduce_zero_label')
    num_labels = len(info.get('label_map') or classes) + bool(info.get('reduce_zero_label'))
    facts = mask, num_labels or 256, shape or mask.shape[:2]
    if key == 'partial_mask_path':
        faults = partial_mask_faults(*facts)
        if 'tags' in info and not faults:
            faults = untagged_faults(mask, info['tags'], classes)
    else:
        is_truth = key == 'seg_map_path' and not info.get('has_crowd')
        faults = mask_faults(*facts, is_truth)
    seen = () if mapped or mask.ndim != 2 else label_values(mask)
    return ([f'{path}: the mask {fault}.' for fault in faults],
            {classes[i] for i in seen if 0 <= i < len(classes)})


def find_overlaps(lists):
    """Images that are in two of several lists.

    Args:
        lists (dict[str, Iterable[str]]): name of a list -> paths of its images.

    Returns:
        list[tuple]: (name, other name, paths in both, sorted) for each pair that overlaps.
    """
    names = list(lists)
    sets = {name: set(paths) for name, paths in lists.items()}
    pairs = ((a, b, sorted(sets[a] & sets[b]))
             for i, a in enumerate(names) for b in names[i + 1:])
    return [pair for pair in pairs if pair[2]]


def overlap_faults(lists):
    """Images in two training sources, or in training and in val or test: a line for each pair."""
    evaluation = {entry.name for entry in lists if not entry.for_training}
    overlaps = find_overlaps(
        {entry.name: [info['img_path'] for info in entry.images] for entry in lists})
    return [f'{a} and {b} share {len(paths)} image(s): {abridged(paths)}; remove them from one of '
            'the lists.' for a, b, paths in overlaps if not {a, b} <= evaluation]


def head_faults(model, lists):
    """Heads of a model config with another ``num_classes`` than the data sets: a line for each.

    The number is that of the outer head, as `SetupCheckHook` sees it in the built model. Training
    sources may have that of a head inside as well, where the outer one has groups of its classes
    (`CrossJointHead`).
    """
    faults = []
    for key in ('decode_head', 'auxiliary_head'):
        heads = model.get(key) or []
        for head in [heads] if isinstance(heads, dict) else heads:
            numbers = _class_numbers(head)
            users = {}
            for entry in lists:
                allowed = numbers if entry.for_training else numbers[:1]
                if allowed and entry.classes and len(entry.classes) not in allowed:
                    users.setdefault(len(entry.classes), []).append(entry.name)
            for number, names in users.items():
                what, remedy = f'num_classes={numbers[0]}', f'set num_classes={number}'
                if len(numbers) > 1:
                    what, remedy = '{} groups of {} classes'.format(*numbers), 'correct the groups'
                faults.append(
                    f'model.{key}: {what}, but {abridged(names)} have {number} classes, background '
                    f'included; {remedy}, or correct the class names (metainfo, or classes.txt).')
    return faults


def _class_numbers(head):
    """How many classes a head's config predicts, and how many, within groups, it also learns."""
    inner = _class_numbers(head['head']) if 'head' in head else []
    if inner and 'groups' in head:
        return [len(head['groups']), *inner]
    return [head['num_classes']] if 'num_classes' in head else inner
