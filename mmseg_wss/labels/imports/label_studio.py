"""Label Studio: a JSON file of tasks (its export "JSON", not "JSON-MIN")."""
import os.path as osp
import re
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.image_name import IMAGE_SUFFIXES
from mmseg_wss.labels.formats.json_file import entries, read_json
from mmseg_wss.labels.imports.label_studio_rle import brush_runs
from mmseg_wss.labels.imports.records import (
    LabelledImage,
    Labels,
    Shape,
    class_name,
    coordinates,
    corners_box,
    ellipse_polygon,
    polygon,
    turned,
)

_UPLOAD = re.compile(r'^[0-9a-f]{8}-')  # Label Studio puts it before the name of a file
_LARGEST_SIDE = 1 << 16
_PLACED = {'x', 'points', 'rle', 'vertices'}  # keys of what is at a place in the image


def read(paths, files):
    """Read exports of Label Studio.

    Args:
        paths (Sequence[str]): the JSON files.
        files (ImageFiles): where the images are.

    Returns:
        Labels: a task with an annotation that has no result is known to be empty, one without any
        annotation unlabelled. Of several annotations, that which is marked as ground truth counts,
        else the last.

    Raises:
        DataError: a file is no JSON, or another export.
    """
    labels, several = Labels(), 0
    for path in paths:
        content = read_json(path)
        tasks = content if isinstance(content, list) else []
        if not tasks or not all(isinstance(task, dict) and isinstance(task.get('data'), dict)
                                for task in tasks):
            raise DataError(f'{path}: no list of tasks with "data" and "annotations". Export '
                            '"JSON" from Label Studio (not JSON-MIN).')
        for number, task in enumerate(tasks, 1):
            done = [entry for entry in entries(task.get('annotations', task.get('completions')))
                    if not entry.get('was_cancelled')]
            several += len(done) > 1
            place = f'task {str(task.get("id", number))[:40]}'
            try:
                labels.images.append(_image(task, _best(done), place, path, files))
            except DataError as error:
                labels.faults.append(str(error))
    if several:
        labels.notes.append(f'{several} task(s) have more than one annotation: that which is '
                            'marked as ground truth counts, else the last')
    return labels


def _best(annotations):
    truth = [entry for entry in annotations if entry.get('ground_truth') is True]
    return (truth or annotations or [None])[-1]


def _image(task, annotation, place, path, files):
    results = entries(annotation.get('result')) if annotation else []
    shapes, tags, faults, sizes = [], [], [], set()
    labelled, chosen = (_ids(results, end) for end in ('labels', 'choices'))
    for number, result in enumerate(results, 1):
        value, own_id = _value(result), str(result.get('id'))
        try:
            names = _names_of(value, 'labels')
            if not names and _PLACED.isdisjoint(value):  # about the task, or of a pair of shapes
                tags += _names_of(value, 'choices')
                continue
            if own_id not in labelled:  # else choices are attributes of the object
                names += _names_of(value, 'choices')
            if not names and own_id not in (*labelled, *chosen):
                raise ValueError('is an object without a class')
            height, width = _size(result)
            sizes.add((height, width))
            shapes += [_shape(value, name, (width, height), f'result {number}') for name in names]
        except ValueError as error:
            faults.append(f'result {number} {error}')
    if len(sizes) > 1:
        faults.append(f'its results are of images of several sizes, {sorted(sizes)[:3]}')
    if faults:
        raise DataError(f'{path}: {place}: {"; ".join(faults)}. Correct or remove them.')
    return LabelledImage(_find(task['data'], place, path, files), path,
                         sizes.pop() if sizes else None, shapes, tuple(dict.fromkeys(tags)),
                         is_labelled=annotation is not None)


def _value(result):
    return result['value'] if isinstance(result.get('value'), dict) else {}


def _ids(results, end):
    """The ids of the results that have names, see `_names_of`: an object may have several."""
    return {str(result['id']) for result in results
            if 'id' in result and any(key.endswith(end) for key in _value(result))}


def _names_of(value, end):
    """The class names of a result: the lists under the keys that end so."""
    lists = [names for key, names in value.items() if key.endswith(end)]
    if not all(isinstance(names, list) for names in lists):
        raise ValueError(f'has {end} that are no list')
    return [class_name(name) for name in sum(lists, [])]


def _size(result):
    size = result.get('original_height'), result.get('original_width')
    if not all(type(side) is int and 0 < side < _LARGEST_SIDE for side in size):
        raise ValueError('has no original_width and original_height, whole numbers')
    return size


def _shape(value, name, size, place):
    scale = np.array(size) / 100  # coordinates are in percent
    angle = float(coordinates([value.get('rotation') or 0], 1)[0, 0])
    if 'rle' in value:
        return Shape('region', name, brush_runs(value['rle'], size[::-1]), place)
    if 'points' in value:
        return Shape('region', name, polygon(coordinates(value['points']) * scale), place)
    if 'vertices' in value:
        raise ValueError('is a path of vertices, which is not read: draw a polygon')
    first = coordinates([value.get('x'), value.get('y')])[0] * scale
    if 'radiusX' in value:
        radii = coordinates([value['radiusX'], value.get('radiusY')])[0] * scale
        return Shape('region', name, ellipse_polygon(first, radii, angle), place)
    if 'keypointlabels' in value or 'height' not in value:
        return Shape('point', name, first[None], place)
    width, height = coordinates([value.get('width'), value.get('height')])[0] * scale
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    return Shape('box', name, corners_box(turned(corners, angle) + first), place)


def _find(data, place, path, files):
    """The image of a task: an upload, a local file, or the name in an address."""
    texts = [data.get('image'), *data.values()]
    for text in texts:
        if not isinstance(text, str):
            continue
        try:
            url = urlsplit(text)
        except ValueError:
            continue
        name = unquote(parse_qs(url.query).get('d', [url.path])[0])
        if not name.lower().endswith(IMAGE_SUFFIXES):
            continue
        short = osp.join(osp.dirname(name), _UPLOAD.sub('', osp.basename(name)))
        try:
            return files.find(name, osp.dirname(path), path)
        except DataError:
            if short == name:
                raise
            return files.find(short, osp.dirname(path), path)
    raise DataError(f'{path}: {place} has no image in its "data", a text that ends in .jpg, '
                    '.png or the like. Export tasks of images.')
