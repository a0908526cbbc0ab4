"""What a COCO instances file says about the outlines of all its objects."""
import os.path as osp
from array import array
from collections import defaultdict
from contextlib import suppress
from typing import NamedTuple

from mmseg_wss.errors import DataError
from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.labels.formats.coco_json import (
    UNKNOWN_CATEGORY,
    UNKNOWN_IMAGE,
    check_categories,
    check_images,
    fault_lines,
    is_id,
    list_entries,
    load_lists,
    report,
)

_FIELDS = {'images', 'annotations', 'categories', 'id', 'file_name', 'width', 'height', 'name',
           'image_id', 'category_id', 'iscrowd', 'segmentation', 'size', 'counts', 'bbox',
           'supercategory', 'score'}
_LARGEST = 1 << 28  # pixels of an image: a mask of more is a typing error, or an attack on memory

_NO_OUTLINE = ('annotation(s) without a segmentation, so their objects would become background',
               'Take the file of instances with outlines, or remove them', 'id')
_SIZE = ('image(s) whose width and height are not whole numbers, or make more than '
         f'{_LARGEST} pixels', 'Correct them', 'file_name')
_ORDER = ('category(s) whose id is no whole number, so they have no order', 'Correct them', 'id')


class ImageOutlines(NamedTuple):
    """An image and the outlines of its objects."""
    file_name: str
    shape: tuple  # (H, W)
    outlines: list  # of (id of the annotation, label, segmentation), see `outline_region`

    @property
    def stem(self):
        """str: of the file name, without folders."""
        return osp.splitext(osp.basename(self.file_name))[0]


class OutlineContent(NamedTuple):
    """What `read_outlines` finds."""
    images: list  # of ImageOutlines, in the order of the file
    classes: list  # names, background first


def read_outlines(path, ignore_crowds=True):
    """Read the outlines of all objects of a COCO instances file.

    The categories are the classes 1, 2, ... in the order of their ids (of COCO 2017: 80, whose ids
    are 1..90 with gaps); 0 is the background. Numbers of outlines are packed while the file is
    parsed: they take 8 bytes each, as objects of Python 32.

    Args:
        path (str): the JSON file.
        ignore_crowds (bool): outlines with ``iscrowd`` get the label 255 instead of their class.

    Returns:
        OutlineContent: images without an annotation included. Whether the outlines themselves are
        right is not looked at.

    Raises:
        DataError: there is no such file, it is no COCO file, or it contradicts itself; with a line
            for each kind of fault.
    """
    content = load_lists(path, pack_entry)
    found = defaultdict(list)  # kind of fault -> places
    images = _whole_sizes(check_images(content['images'], found), found)
    categories = check_categories(content['categories'], found)
    for number in categories:
        if not isinstance(number, int):
            report(found, _ORDER, ('category', number), dict(id=number))
    numbers = sorted(number for number in categories if isinstance(number, int))
    labels = {number: label for label, number in enumerate(numbers, 1)}
    for place, entry in list_entries(content['annotations'], 'annotations'):
        fault = _annotation_fault(entry, images, labels)
        if fault:
            report(found, fault, place, entry)
            continue
        number = entry.get('id') if is_id(entry.get('id')) else None
        is_ignored = ignore_crowds and entry.get('iscrowd')
        images[entry['image_id']].outlines.append(
            (number, IGNORE if is_ignored else labels[entry['category_id']],
             entry['segmentation']))
    faults = fault_lines(path, found)
    if len(labels) >= IGNORE:
        faults.append(f'{path}: {len(labels)} categories; a mask of 8 bits has room for '
                      f'{IGNORE - 1} beside the background and 255. Remove some.')
    if faults:
        raise DataError('\n'.join(faults))
    return OutlineContent(list(images.values()),
                          ['background', *(categories[number] for number in numbers)])


def _whole_sizes(images, found):
    """Id -> ImageOutlines without outlines, of the images whose size a mask can have."""
    kept = {}
    for number, (name, width, height) in images.items():
        if type(width) is type(height) is int and width * height <= _LARGEST:
            kept[number] = ImageOutlines(name, (height, width), [])
        else:
            report(found, _SIZE, ('image', number), dict(file_name=name))
    return kept


def _annotation_fault(entry, images, labels):
    owner, category = entry.get('image_id'), entry.get('category_id')
    if not is_id(owner) or owner not in images:
        return UNKNOWN_IMAGE
    if not is_id(category) or category not in labels:
        return UNKNOWN_CATEGORY
    return None if entry.get('segmentation') else _NO_OUTLINE


def pack_entry(entry):
    """An object of the file with the fields that are used, and numbers of outlines as arrays.

    What has another type than the format asks for becomes None, which `outline_region` refuses: a
    list of lists of lists, say, may be too deep to be sent to another process.
    """
    kept = {key: value for key, value in entry.items() if key in _FIELDS}
    outline = kept.get('segmentation')
    if isinstance(outline, list):
        kept['segmentation'] = [_packed(polygon, 'd') for polygon in outline]
    elif 'segmentation' in kept:
        kept['segmentation'] = outline if isinstance(outline, dict) else None
    if 'counts' in kept:
        counts = kept['counts']
        kept['counts'] = counts if isinstance(counts, str) else _packed(counts, 'q', 'd')
    if 'size' in kept:
        size = _packed(kept['size'], 'q')
        kept['size'] = None if size is None else list(size)
    return kept


def _packed(values, *typecodes):
    """A list of numbers as an array of the first type that holds them; anything else as None."""
    for typecode in typecodes:
        with suppress(OverflowError, TypeError):
            return array(typecode, values) if isinstance(values, list) else None
    return None
