"""COCO's instances, as COCO, CVAT, Label Studio, Roboflow and others write them."""
import os.path as osp
from array import array
from collections import Counter, defaultdict

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.formats.coco_json import (
    UNKNOWN_CATEGORY,
    UNKNOWN_IMAGE,
    check_categories,
    fault_lines,
    is_id,
    list_entries,
    load_lists,
    report,
)
from mmseg_wss.labels.formats.coco_outlines import pack_entry
from mmseg_wss.labels.formats.json_file import entries, read_json
from mmseg_wss.labels.imports.image_files import split_of
from mmseg_wss.labels.imports.records import (
    LabelledImage,
    Labels,
    Shape,
    class_name,
    coordinates,
)

_NO_NAME = ('image(s) without an id of their own, or without a file_name', 'Complete each entry',
            'id')
_NO_SHAPE = ('annotation(s) that have neither a segmentation nor a bbox of four finite numbers',
             'Correct or remove them', 'id')


def read(paths, files, instances=None, min_score=0.):
    """Read COCO files of one data set; their categories are one by their names.

    Args:
        paths (Sequence[str]): the JSON files.
        files (ImageFiles): where the images are.
        instances (str, optional): a file with the images and categories, where the others are lists
            of results.
        min_score (float): results below it are left out.

    Returns:
        Labels: an image without an annotation is known to be empty.

    Raises:
        DataError: a file is no COCO file.
    """
    labels = Labels()
    for path in paths:
        if not instances and _is_list(path):
            raise DataError(f"{path}: a list of COCO's results, which names no images and classes. "
                            'Give the file of instances that they are of by --instances.')
        content = _with_results(path, instances, min_score, labels) if instances else (
            load_lists(path, pack_entry))
        split = split_of(path) if len(paths) > 1 else ''
        found = _read_content(content, path, files, labels, split)
        labels.faults += fault_lines(path, found)
    return labels


def _is_list(path):
    with open(path, 'rb') as file:
        return file.read(1000).lstrip().startswith(b'[')


def _with_results(path, instances, min_score, labels):
    """The images and categories of a COCO file, and results as annotations."""
    rows = read_json(path, pack_entry)
    if not isinstance(rows, list):
        raise DataError(f'{path}: no list of results, so --instances does not belong to it. Remove '
                        'the option, or give the results.')
    kept = [entry for entry in entries(rows) if not (
        type(entry.get('score')) in (int, float) and entry['score'] < min_score)]
    labels.notes.append(f'{path}: {len(kept)} of {len(rows)} results have a score of {min_score:g} '
                        'or more, or none')
    content = load_lists(instances, pack_entry, lists=('images', 'categories'))
    return dict(content, annotations=kept)


def _read_content(content, path, files, labels, split):
    found = defaultdict(list)
    images = _images(content['images'], path, files, labels, split, found)
    categories = _categories(path, content, found, labels)
    for place, entry in list_entries(content['annotations'], 'annotations'):
        owner, category = entry.get('image_id'), entry.get('category_id')
        if not is_id(owner) or owner not in images:
            report(found, UNKNOWN_IMAGE, place, entry)
        elif not is_id(category) or category not in categories:
            report(found, UNKNOWN_CATEGORY, place, entry)
        elif images[owner] is not None:
            shape = _shape(entry, categories[category], f'annotation {str(entry.get("id"))[:40]}')
            if shape is None:
                report(found, _NO_SHAPE, place, entry)
            else:
                images[owner].shapes.append(shape)
    labels.images += [image for image in images.values() if image is not None]
    return found


def _images(entries, path, files, labels, split, found):
    """Id -> LabelledImage without shapes; None where the file is not there."""
    images = {}
    for place, entry in list_entries(entries, 'images'):
        number, name = entry.get('id'), entry.get('file_name')
        if not (is_id(number) and isinstance(name, str) and name) or number in images:
            report(found, _NO_NAME, place, entry)
            continue
        size = entry.get('height'), entry.get('width')
        size = size if all(type(side) is int and side > 0 for side in size) else None
        try:
            file = files.find(name, osp.dirname(path), path)
            images[number] = LabelledImage(file, path, size, [], split=split)
        except DataError as error:
            labels.faults.append(str(error))
            images[number] = None
    return images


def _categories(path, content, found, labels):
    """Id -> class name. Roboflow's parent of all, which no object has, is left out."""
    raw = check_categories(content['categories'], found)
    names = {}
    for number, name in raw.items():
        try:
            names[number] = class_name(name)
        except ValueError as error:
            raise DataError(f'{path}: the category {number} {error}. Give it a name.') from error
    used = Counter(entry['category_id'] for _, entry in list_entries(
        content['annotations'], 'annotations') if is_id(entry.get('category_id')))
    parents = {entry.get('supercategory') for _, entry in list_entries(
        content['categories'], 'categories') if isinstance(entry.get('supercategory'), str)}
    empty = [number for number, name in raw.items() if not used[number] and name in parents]
    order = sorted((number for number in names if number not in empty),
                   key=lambda number: (isinstance(number, str), number))
    labels.classes += [name for name in dict.fromkeys(names[i] for i in order)
                       if name not in labels.classes]
    gone = [names[i] for i in empty if names[i] not in labels.classes]
    if gone:
        labels.notes.append(f'{path}: left out {abridged(gone)}: a parent of categories that no '
                            'object has.')
    return names


def _shape(entry, name, place):
    """The shape of an annotation, or None."""
    is_crowd, outline = bool(entry.get('iscrowd')), entry.get('segmentation')
    if outline and outline != [array('d')]:  # some tools write [[]] for a box
        return Shape('region', name, outline, place, is_ignored=is_crowd)
    try:
        ((x, y, width, height), ) = coordinates(entry.get('bbox'), 4).tolist()
    except ValueError:
        return None
    return Shape('box', name, (x, y, x + width, y + height), place, is_ignored=is_crowd)
