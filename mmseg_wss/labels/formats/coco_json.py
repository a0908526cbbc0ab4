"""What a COCO instances file says about the classes of a data set."""
import os.path as osp
from collections import defaultdict
from typing import NamedTuple
from unicodedata import normalize

import numpy as np

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.formats.json_file import read_json
from mmseg_wss.utils.fileio import file_exists

# the classes that COCO and VOC share but spell differently
VOC_SPELLING = {
    'airplane': 'aeroplane', 'couch': 'sofa', 'dining table': 'diningtable',
    'motorcycle': 'motorbike', 'potted plant': 'pottedplant', 'tv': 'tvmonitor'
}
_LISTS = ('images', 'annotations', 'categories')
_FIELDS = {*_LISTS, 'id', 'file_name', 'width', 'height', 'name', 'image_id', 'category_id',
           'bbox', 'iscrowd'}
_LARGEST = 1e9  # coordinates are below it; NaN is not, nor are integers too large for a float

# what is wrong with an entry, what to do, and the field that shows it
_INCOMPLETE_IMAGE = (
    'image(s) without an id, a file_name, or a positive width and height',
    'Complete each entry', 'id')
_IMAGE_TWICE = (
    'image(s) that are in the list already, by their id or by the stem of their file_name, which '
    'names their masks', 'Write each image once, and give different images different names',
    'file_name')
_CATEGORY = ('category(s) without a name or an id of their own', 'Give each both', 'id')
UNKNOWN_IMAGE = ('annotation(s) of an image that is not in "images"',
                 'Add the image or remove them', 'image_id')
UNKNOWN_CATEGORY = ('annotation(s) of a category that is not in "categories"',
                    'Add the category or remove them', 'category_id')
_BOX = ('annotation(s) whose bbox is not four finite numbers (x, y, width, height), the last two '
        'not negative', 'Correct or remove them', 'bbox')
_BOX_OUTSIDE = ('annotation(s) whose bbox lies outside the image', 'Correct or remove them', 'bbox')


class COCOContent(NamedTuple):
    """What `read_coco` finds; a name is a file_name, the boxes (x1, y1, x2, y2) in pixels."""
    images: dict  # id -> name, in the order of the file
    objects: dict  # id of an image -> (M class names, M boxes), of the images that have any
    categories: list  # their names
    crowds: set  # ids of the images that have a crowd, of whatever category
    faults: list  # of str, each with the file, the places and the remedy
    empty: set = frozenset()  # ids of the images without any annotation, of whatever category


def match_classes(names, classes):
    """Find the class of each category by its name, in COCO's spelling or in VOC's.

    Args:
        names (Iterable[str]): names of categories.
        classes (Sequence[str]): class names in either spelling, background first.

    Returns:
        dict: name of a category -> name of its class as `classes` has it, without the categories
        that are of no class. Where `classes` holds both spellings, the equal name counts.
    """
    known = {VOC_SPELLING.get(name, name): name for name in classes[1:]}
    known.update((name, name) for name in classes[1:])
    found = {name: known.get(name, known.get(VOC_SPELLING.get(name))) for name in names}
    return {name: found[name] for name in found if found[name] is not None}


def clip_boxes(boxes, sizes):
    """COCO's boxes as corners, within their images.

    Args:
        boxes (np.ndarray): (M, 4), (x, y, width, height) in pixels.
        sizes (np.ndarray): (M, 2), (width, height) of the image of each box.

    Returns:
        np.ndarray: float32 (M, 4), (x1, y1, x2, y2), half-open.
    """
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    return corners.clip(0, np.tile(sizes, 2)).astype(np.float32)


def read_coco(path, classes, backend_args=None, with_objects=True):
    """Read images, and the objects of some classes in them, from a COCO instances file.

    Crowds, boxes without area and categories of no class (`match_classes`) are left out; boxes are
    clipped to the image (`clip_boxes`).

    Args:
        path (str): the JSON file.
        classes (Sequence[str]): class names, background first.
        backend_args (dict, optional): see ``mmengine.fileio``.
        with_objects (bool): without them only the images are read, and the file needs no more.

    Returns:
        COCOContent: with the entries that are wrong as faults and left out otherwise.

    Raises:
        DataError: there is no such file, it is not JSON, or it lacks a list that COCO has.
    """
    lists = _LISTS if with_objects else _LISTS[:1]
    content = load_lists(path, _needed, backend_args, lists)
    found = defaultdict(list)  # kind of fault -> places
    images = check_images(content['images'], found)
    categories = check_categories(content['categories'], found)
    matched = match_classes(categories.values(), classes)
    class_of = {number: matched.get(name) for number, name in categories.items()}
    objects = _objects(content['annotations'], images, class_of, found)
    owners = [(entry['image_id'], entry.get('iscrowd'))
              for _, entry in list_entries(content['annotations'], 'annotations')
              if is_id(entry.get('image_id'))]
    return COCOContent(
        {number: name for number, (name, *_) in images.items()}, objects,
        list(categories.values()), {number for number, is_crowd in owners if is_crowd},
        fault_lines(path, found), images.keys() - {number for number, _ in owners})


def load_lists(path, keep, backend_args=None, lists=_LISTS):
    """Load a COCO file.

    Args:
        path (str): the JSON file.
        keep (Callable): called with each object of the file, a dict; what it returns is kept in its
            place. Outlines are most of the file, and as lists of numbers several times its size.
        backend_args (dict, optional): see ``mmengine.fileio``.
        lists (Sequence[str]): what the file must have of images, annotations and categories.

    Returns:
        dict: with images, annotations and categories, lists whose elements may be anything; those
        that are not in `lists` are empty.

    Raises:
        DataError: there is no such file, it is not JSON, or it lacks a list.
    """
    if not file_exists(path, backend_args):
        raise DataError(f'{path}: there is no such file. Set ann_file (relative to data_root) to '
                        "COCO's instances_*.json, or to a file in its format.")
    content = read_json(path, keep, backend_args)
    missing = [name for name in lists
               if not isinstance(content, dict) or not isinstance(content.get(name), list)]
    if missing:
        raise DataError(f'{path}: it has no list {", ".join(map(repr, missing))}, so it is no file '
                        "of COCO's instances. Set ann_file to instances_*.json, or complete it.")
    return {name: content[name] if name in lists else [] for name in _LISTS}


def _needed(entry):
    return {key: value for key, value in entry.items() if key in _FIELDS}


def list_entries(entries, name):
    """(place, entry) of all entries of a list; what is no object counts as an empty one."""
    for number, entry in enumerate(entries):
        yield (name, number), entry if isinstance(entry, dict) else {}


def report(found, fault, place, entry):
    """Add the place of an entry to those of a fault, which is (what is wrong, remedy, field)."""
    value = repr(entry.get(fault[2]))
    found[fault].append(f'{place[0]}[{place[1]}] ({fault[2]} {value[:80]})')


def fault_lines(path, found):
    """A line for each fault, from what `report` has gathered, dict of fault -> places."""
    return [f'{path}: {len(places)} {what}: {abridged(places, 5)}. {remedy}.'
            for (what, remedy, _), places in found.items()]


def is_id(value):
    return isinstance(value, (int, str))


def _are_numbers(values):
    return all(type(value) in (int, float) and abs(value) < _LARGEST for value in values)


def check_images(entries, found):
    """Id -> (file_name, width, height) of the images; faulty ones are reported and left out."""
    images, stems = {}, set()
    for place, entry in list_entries(entries, 'images'):
        number, name = entry.get('id'), entry.get('file_name')
        size = entry.get('width'), entry.get('height')
        stem = osp.splitext(osp.basename(name))[0] if isinstance(name, str) else ''
        if not (is_id(number) and stem and _are_numbers(size) and min(size) > 0):
            report(found, _INCOMPLETE_IMAGE, place, entry)
        elif number in images or stem in stems:
            report(found, _IMAGE_TWICE, place, entry)
        else:
            images[number] = (name, *size)
            stems.add(stem)
    return images


def check_categories(entries, found):
    """Id -> name of the categories; faulty ones are reported and left out."""
    names = {}
    for place, entry in list_entries(entries, 'categories'):
        number, name = entry.get('id'), entry.get('name')
        if not (is_id(number) and isinstance(name, str)) or number in names:
            report(found, _CATEGORY, place, entry)
        else:
            names[number] = normalize('NFC', name)
    return names


def _objects(entries, images, class_of, found):
    """Id of an image -> (names, boxes); `class_of` gives a category's class name or None."""
    places, used = [], []
    for place, entry in list_entries(entries, 'annotations'):
        fault = _annotation_fault(entry, images, class_of)
        if fault:
            report(found, fault, place, entry)
        elif class_of[entry['category_id']] and not entry.get('iscrowd'):
            places.append(place)
            used.append(entry)

    xywh = np.array([entry['bbox'] for entry in used], np.float64).reshape(-1, 4)
    sizes = np.array([images[entry['image_id']][1:] for entry in used], np.float64).reshape(-1, 2)
    start, extent = xywh[:, :2], xywh[:, 2:]
    outside = (extent > 0).all(1) & ((start >= sizes) | (start + extent <= 0)).any(1)
    for i in np.flatnonzero(outside):
        report(found, _BOX_OUTSIDE, places[i], used[i])

    boxes = clip_boxes(xywh, sizes)
    objects = {}
    for i in np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(1)):
        names, corners = objects.setdefault(used[i]['image_id'], ([], []))
        names.append(class_of[used[i]['category_id']])
        corners.append(boxes[i].tolist())
    return objects


def _annotation_fault(entry, images, class_of):
    """What is wrong with an annotation, boxes that are not used aside, or None."""
    owner, category, box = (entry.get(key) for key in ('image_id', 'category_id', 'bbox'))
    if not is_id(owner) or owner not in images:
        return UNKNOWN_IMAGE
    if not is_id(category) or category not in class_of:
        return UNKNOWN_CATEGORY
    if not class_of[category] or entry.get('iscrowd'):
        return None
    if isinstance(box, list) and len(box) == 4 and _are_numbers(box) and min(box[2:]) >= 0:
        return None
    return _BOX
