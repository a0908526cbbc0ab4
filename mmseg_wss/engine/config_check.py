"""All faults in the data sets of a config, without stopping at the first one.

`LoadWeakLabels` and `SetupCheckHook` look for the same faults during a training, one at a time.
"""
import os

from mmseg_wss.datasets.mask_source import read_training_label
from mmseg_wss.datasets.pipeline_facts import decodes_with_opencv, vanishing_step
from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.checks.class_check import class_number_faults
from mmseg_wss.labels.checks.share_check import unlabelled_fault
from mmseg_wss.labels.facts import label_facts
from mmseg_wss.labels.formats.image_file import (
    check_image_file,
    image_shape,
    read_image,
    read_image_shape,
)


def check_sample(info, classes, pipeline=()):
    """Decode an image and the label that its supervision allows, and list what is wrong.

    The image is decoded as a training decodes it (`read_image`).

    No other label is opened, see `read_training_label`, but for the boxes that a mask is compared
    with.

    Args:
        info (dict): an element of ``load_data_list()``.
        classes (Sequence[str]): class names, background first; labels of masks are not checked
            where it is empty.
        pipeline (Sequence[dict]): configs of the transforms that the image has to go through.

    Returns:
        tuple: faults, list of lines "FILE: what; remedy"; and `LabelFacts`.
    """
    faults, path = [], info['img_path']
    try:
        if decodes_with_opencv(pipeline):
            shape = read_image(path).shape[:2]
        else:
            shape = read_image_shape(path)
            check_image_file(path, whole=True, opencv=False)
    except DataError as error:
        faults.append(str(error))
        shape = image_shape(path)
    vanishes = vanishing_step(pipeline, shape) if shape else None
    if vanishes:
        (height, width), (step, (rows, columns)) = shape, vanishes
        faults.append(f'{path}: the image of {width}x{height} (width x height) is so thin that '
                      f'{step} may leave {columns}x{rows}: crop it, or remove it from the list.')
    label = read_training_label(info, classes, shape)
    return faults + label.faults, label_facts(label, info, classes, shape)


def find_overlaps(lists):
    """Images that are in two of several lists, however their paths are written.

    Two paths are one image where they lead to one file, through links or not.

    Args:
        lists (dict[str, Iterable[str]]): name of a list -> paths of its images.

    Returns:
        list[tuple]: (name, other name, paths in both as the first has them, sorted) for each pair
        that overlaps.
    """
    names = list(lists)
    files = {name: {_file_of(path): path for path in paths} for name, paths in lists.items()}
    pairs = ((a, b, sorted(files[a][file] for file in files[a].keys() & files[b].keys()))
             for i, a in enumerate(names) for b in names[i + 1:])
    return [pair for pair in pairs if pair[2]]


def _file_of(path):
    """The same for all paths of a file; of a file that is missing or remote, its path."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return path
    return status.st_dev, status.st_ino


def overlap_faults(lists):
    """Images in two training sources, or in training and in val or test: a line for each pair."""
    evaluation = {entry.name for entry in lists if not entry.for_training}
    overlaps = find_overlaps(
        {entry.name: [info['img_path'] for info in entry.images] for entry in lists})
    return [f'{a} and {b} share {len(paths)} image(s): {abridged(paths)}; remove them from one of '
            'the lists.' for a, b, paths in overlaps if not {a, b} <= evaluation]


def val_label_faults(lists, results):
    """Whether the lists of the validation have no labelled pixel: a line, or none.

    Args:
        lists (Sequence[DataList]): all data sets.
        results (Sequence[list]): of each of them, what `check_sample` says of its images; where a
            file has faults, nothing is said.
    """
    val = [(entry, samples) for entry, samples in zip(lists, results) if entry.split == 'val']
    samples = [sample for _, samples in val for sample in samples]
    if not samples or any(faults or facts.is_labelled for faults, facts in samples):
        return []
    return [unlabelled_fault([entry.name for entry, _ in val])]


def class_order_fault(name, classes, other_name, other_classes):
    """What is wrong with two lists of as many class names, which become the same numbers.

    Args:
        name, other_name (str): whose classes they are.
        classes, other_classes (Sequence[str]): lists of different lengths are none of its business.

    Returns:
        str or None: one line, with both lists.
    """
    if len(classes) != len(other_classes) or tuple(classes) == tuple(other_classes):
        return None
    what = 'the same class names in another order' if set(classes) == set(other_classes) \
        else 'other class names'
    return (f'{name} and {other_name} have {what}, so equal labels would mean different classes: '
            f'{", ".join(classes)}; and {", ".join(other_classes)}. Give both the same list '
            '(metainfo, or classes.txt of the devkit), and write the labels anew where they follow '
            'the other one.')


def class_order_faults(lists):
    """Data sets whose class names contradict those of an earlier one: a line for each."""
    faults, first = [], {}
    for entry in lists:
        if entry.classes:
            known = first.setdefault(len(entry.classes), entry)
            faults.append(class_order_fault(
                known.name, known.classes, entry.name, entry.classes))
    return [fault for fault in faults if fault]


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
            numbers = class_numbers(head)
            faults += [f'model.{key}: the head {fault}.'
                       for number in numbers for fault in class_number_faults(number)]
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


def class_numbers(head):
    """How many classes a head's config predicts, and how many, within groups, it also learns.

    Args:
        head (dict): a wrapper has the head inside as ``head``.

    Returns:
        list[int]: empty where the config does not say.
    """
    inner = class_numbers(head['head']) if 'head' in head else []
    if inner and 'groups' in head:
        return [len(head['groups']), *inner]
    return [head['num_classes']] if 'num_classes' in head else inner
