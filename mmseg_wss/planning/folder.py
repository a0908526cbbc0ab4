"""The images of a devkit, each with the kind of label that it is trained with."""
import os.path as osp
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.converters.voc_lists import LISTS
from mmseg_wss.labels.formats.class_names import devkit_classes
from mmseg_wss.labels.formats.id_list import read_id_list
from mmseg_wss.labels.formats.image_list import find_images
from mmseg_wss.labels.formats.tag_file import read_rows
from mmseg_wss.labels.imports.devkit import ORDER
from mmseg_wss.labels.imports.lists import TAG_FILE, list_name
from mmseg_wss.labels.kinds import KINDS

TRAINED = *ORDER, 'empty', 'none'  # the kinds of lists; 'empty': true masks without an object
LIST_NAMES = {**{kind: list_name(kind) for kind in TRAINED}, 'val': 'val', 'test': 'test'}
_BOXES_TOO = 'train_weak'  # the README's name for boxes


@dataclass(frozen=True)
class Folder:
    """A devkit and its lists.

    Args:
        root (str): the devkit.
        classes (tuple[str]): background first.
        lists (dict[str, list[str]]): kind of label, of `TRAINED`, or 'val' or 'test' -> IDs.
        images (list[str]): all files of JPEGImages, relative to it.
        tag_file (bool): tags are in `TAG_FILE`, else in XML files.
        notes (list[str]): what was assumed or left out.
    """
    root: str
    classes: tuple
    lists: dict
    images: list
    tag_file: bool = False
    notes: list = field(default_factory=list)


def is_devkit(path):
    """Whether a folder has the layout of VOC, and no colours of a labelling tool in its masks."""
    return osp.isdir(osp.join(path, 'JPEGImages')) and not osp.isfile(
        osp.join(path, 'labelmap.txt'))


def read_folder(root):
    """Read the lists of a devkit; where it has none, each image goes to that of its richest label.

    Lists are those that the importer writes (`list_name`). Without one of them, images of val.txt
    and test.txt are kept for that, and all others are for training.

    Args:
        root (str): a folder for which `is_devkit` is true.

    Returns:
        Folder

    Raises:
        DataError: a list is wrong, no image is there or none has a label.
    """
    root = osp.abspath(root)
    found = find_images(osp.join(root, 'JPEGImages')).images
    lists, notes = _own_lists(root), []
    tagged = {row[0] for row in read_rows(osp.join(root, TAG_FILE))} if osp.isfile(
        osp.join(root, TAG_FILE)) else set()
    if lists.keys() & {*TRAINED}:
        listed = {name for ids in lists.values() for name in ids}
        unlisted = [name for name in found if name not in listed]
        if unlisted:
            notes.append(f'{len(unlisted)} images are in no list, so nothing is trained with them; '
                         f'they get masks at the end. In {LIST_NAMES["none"]}.txt they would be '
                         f'images without a label: {abridged(unlisted, 3)}.')
    else:
        lists, notes = _sorted_by_label(root, found, lists, tagged)
    if not osp.isfile(osp.join(root, 'classes.txt')):
        notes.append('There is no classes.txt, so the classes are those of PASCAL VOC.')
    if 'pixel' in lists and 'empty' in lists:
        lists['pixel'] += lists.pop('empty')  # they are strong images, too
    if not lists.keys() & {*TRAINED} - {'none'}:
        raise DataError(
            f'{root}: no image for training has a label. Labels are SegmentationClass/ID.png '
            f'(masks), Annotations/ID.xml (boxes), ScribbleLabels/ID.png, PointLabels/ID.png and '
            f'the lines of {TAG_FILE} (docs/own_data.md), ID being the name of an image without '
            'its suffix: label some, or give the export of a labelling tool instead.')
    number = Counter(name for ids in lists.values() for name in ids)
    twice = [name for name in number if number[name] > 1]
    if twice:
        raise DataError(f'{osp.join(root, LISTS)}: {len(twice)} image(s) are in two of the lists: '
                        f'{abridged(twice)}. Remove them from one.')
    images = [osp.relpath(path, osp.join(root, 'JPEGImages')) for path in found.values()]
    order = [*TRAINED, 'val', 'test']
    return Folder(root, tuple(devkit_classes(root)),
                  {kind: lists[kind] for kind in order if kind in lists}, images,
                  bool(tagged & {*lists.get('image', ())}), notes)


def _own_lists(root):
    names = {**{name: kind for kind, name in LIST_NAMES.items()}, _BOXES_TOO: 'box'}
    lists = {}
    for name, kind in names.items():
        path = osp.join(root, LISTS, f'{name}.txt')
        if osp.isfile(path):
            ids, faults = read_id_list(path)
            if faults:
                raise DataError('\n'.join(faults))
            lists.setdefault(kind, []).extend(ids)
    return lists


def _sorted_by_label(root, found, kept, tagged):
    """Lists of images by the richest label that they have, and notes."""
    has = {kind: lambda name, file=KINDS[kind].file: Path(
        root, file.folder, name + (file.suffix or '.png')).is_file()
        for kind in ORDER if kind != 'image'}
    has['image'] = lambda name: name in tagged
    kinds = {name: next((kind for kind in ORDER if has[kind](name)), 'none') for name in found}
    lists = {split: [name for name in ids if kinds.get(name) == 'pixel']
             for split, ids in kept.items()}
    notes = []
    for split, ids in kept.items():
        without = [name for name in ids if name not in lists[split]]
        if without:
            notes.append(f'{len(without)} of {len(ids)} images of {split}.txt have no mask to '
                         f'compare with, and are in no list: {abridged(without, 3)}.')
    away = {name for ids in kept.values() for name in ids}
    for name, kind in kinds.items():
        if name not in away:
            lists.setdefault(kind, []).append(name)
    return {kind: ids for kind, ids in lists.items() if ids}, notes
