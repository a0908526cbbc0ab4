"""Which labelling tool's export a file or folder is."""
import os.path as osp
import re
from typing import NamedTuple

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.formats.json_file import read_json
from mmseg_wss.labels.imports.image_files import files_below

TOOL = 'tools/dataset_converters/import_labels.py'
TITLES = dict(
    coco='COCO json', labelme='LabelMe json', cvat='CVAT for images (XML)',
    label_studio='Label Studio json', yolo='YOLO txt', voc='Pascal VOC')
_LOOKED_AT = 200  # files, where a guess is enough
_HEAD = 1 << 16  # bytes that are looked at
_JSON_KINDS = {'coco', 'labelme', 'label_studio'}
_KEY = re.compile(rb'"(\w+)"\s*:')
_COCO_KEYS = {b'images', b'annotations'}
_ROW = re.compile(rb'\d+([ \t]+-?\d*\.?\d+(e-?\d+)?){4,}\s*')


class Export(NamedTuple):
    """What was recognised."""
    kind: str  # key of `TITLES`
    root: str  # folder that it is in
    files: list  # paths of the files with labels


def recognise(source, kind=None, most=None):
    """See what an export is.

    Args:
        source (str): a file or a folder.
        kind (str, optional): what it is, of `TITLES`, where a folder has several.
        most (int, optional): look at so many files alone.

    Returns:
        Export

    Raises:
        DataError: nothing is recognised, or more than one thing; or a JSON file is damaged.
    """
    if not osp.exists(source):
        raise DataError(f'{source}: there is no such file or folder. Give what the labelling tool '
                        'has exported.')
    root = source if osp.isdir(source) else osp.dirname(source) or '.'
    paths = files_below(source, ('.json', '.xml', '.txt', '.yaml', '.yml')) if osp.isdir(
        source) else [source]
    found, others = {}, []
    for path in paths[:most]:
        name = _kind_of(path)
        if name:
            found.setdefault(name, []).append(path)
        else:
            others.append(path)
    if 'voc' in found and any(osp.basename(path) == 'labelmap.txt' for path in found['voc']):
        found.pop('yolo', None)
    if kind:
        found = {name: files for name, files in found.items() if name == kind}
    damaged = [] if most or found.keys() - _JSON_KINDS else _damaged(others)
    if damaged and 'labelme' not in found:  # where it is, this is a fault of one image
        read_json(damaged[0])
    if len(found) == 1:
        ((name, files), ) = found.items()
        return Export(name, root, sorted([*_chosen(name, files), *damaged]))
    what = ('it has ' + abridged([f'{title} ({found[name][0]})' for name, title in TITLES.items()
                                  if name in found]) + ': choose one by --format' if found
            else f'nothing that is known: {_advice(source)}')
    raise DataError(f'{source}: {what}.')


def misplaced_export(data_root, ann_file, reads_coco):
    """Whether a data set is given an export of a labelling tool instead of a devkit and its list.

    Nothing but the beginnings of some files is read.

    Args:
        data_root (str): of the data set.
        ann_file (str): of the data set, relative to `data_root`.
        reads_coco (bool): whether its class reads COCO files.

    Returns:
        str or None: a sentence with the remedy.
    """
    path = osp.join(data_root, ann_file)
    if not osp.isfile(path):
        path = data_root
        if osp.isdir(osp.join(path, 'ImageSets')):  # a devkit without this list
            return None
    elif not path.lower().endswith(('.json', '.xml', '.yaml', '.yml')):
        return None
    try:
        kind = recognise(path, most=_LOOKED_AT).kind
    except DataError:
        return None
    if kind == 'coco' and reads_coco and path != data_root:
        return None
    return (f'{path}: this is an export, {TITLES[kind]}, not what this data set reads. Make a '
            f'devkit of it by "python {TOOL} {path} --out DEVKIT", and train with '
            'DEVKIT/config.py.')


def _kind_of(path):
    suffix = osp.splitext(path)[1].lower()
    head = _head(path)
    if suffix == '.json':
        return _json_kind(head)
    if suffix == '.xml':
        return _xml_kind(head)
    if suffix in ('.yaml', '.yml'):
        return 'yolo' if re.search(rb'^(names|nc)\s*:', head, re.MULTILINE) else None
    if osp.basename(path) == 'labelmap.txt':
        has_masks = osp.isdir(osp.join(osp.dirname(path), 'SegmentationClass'))
        return 'voc' if has_masks or b':' in head else None
    return 'yolo' if suffix == '.txt' and _ROW.fullmatch(head.strip().split(b'\n')[0]) else None


def _damaged(paths):
    """The files that should be JSON and are not."""
    damaged = []
    for path in paths:
        try:
            if path.lower().endswith('.json'):
                read_json(path)
        except DataError:
            damaged.append(path)
    return damaged


def _json_kind(head):
    keys = set(_KEY.findall(head))
    if head.lstrip()[:1] == b'[':
        if {b'data', b'annotations'} <= keys or {b'data', b'completions'} <= keys or (
                {b'annotator', b'annotation_id'} & keys):
            return 'label_studio'
        return 'coco' if {b'image_id', b'category_id'} <= keys else None  # results
    if {b'imagePath', b'imageData'} & keys or {b'shapes', b'version'} <= keys:
        return 'labelme'
    # the second list of a long file is behind its head
    return 'coco' if len(keys & _COCO_KEYS) >= (2 if len(head) < _HEAD else 1) else None


def _xml_kind(head):
    if re.search(rb'<annotations[\s>]', head):
        return 'cvat'
    return 'voc' if re.search(rb'<annotation[\s>/]', head) else None


def _head(path):
    try:
        with open(path, 'rb') as file:
            return file.read(_HEAD)
    except OSError as error:
        raise DataError(f'{path}: the file cannot be read ({error.strerror}). Copy it again, or '
                        'remove it.') from error


def _chosen(kind, files):
    """Of COCO's files those of instances, where a release has more."""
    instances = [path for path in files if osp.basename(path).startswith('instances')]
    return instances if kind == 'coco' and instances else files


def _advice(source):
    if source.lower().endswith(('.zip', '.tar', '.gz', '.7z')):
        return 'unpack it first, and give the folder'
    return (f'it reads {", ".join(TITLES.values())}. Export one of these, see docs/import.md, and '
            'give its file or folder')
