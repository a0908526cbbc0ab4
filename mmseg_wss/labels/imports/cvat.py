"""CVAT's own format: "CVAT for images 1.1"."""
import os.path as osp
from array import array

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from mmseg_wss.errors import DataError
from mmseg_wss.labels.imports.image_files import split_of
from mmseg_wss.labels.imports.records import (
    LabelledImage,
    Labels,
    Runs,
    Shape,
    class_name,
    coordinates,
    corners_box,
    ellipse_polygon,
    polygon,
    turned,
)

_DEEPEST = 20
_NO_FORM = 'cuboid', 'skeleton', 'ellipse3d'


def read(paths, files):
    """Read CVAT files.

    Args:
        paths (Sequence[str]): the XML files.
        files (ImageFiles): where the images are.

    Returns:
        Labels: an image without a shape and without a tag is known to be empty.

    Raises:
        DataError: a file is no XML, or of a video.
    """
    labels = Labels()
    for path in paths:
        try:
            _read_file(path, files, labels)
        except OSError as error:
            raise DataError(f'{path}: the file cannot be read ({error.strerror or error}). Copy it '
                            'again.') from error
        # ValueError, LookupError: an encoding that the parser does not know
        except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f'{path}: not a readable XML file ({error}). Export it again.'
                            ) from error
    return labels


def _read_file(path, files, labels):
    before = len(labels.images) + len(labels.faults)
    open_tags, known = [], None  # names of the labels, without those of skeletons' parts
    for event, node in iterparse(path, events=('start', 'end')):
        if event == 'start':
            depth = len(open_tags) + 1
            if depth > _DEEPEST:
                raise DataError(f'{path}: elements in elements, more than {_DEEPEST} deep, which '
                                'no file of CVAT has. Export it again.')
            if depth == 1 and node.tag != 'annotations':
                raise DataError(f'{path}: no file of CVAT: it begins with <{node.tag[:40]}>. '
                                'Export "CVAT for images 1.1".')
            open_tags.append(node.tag)
            if node.tag == 'labels' and known is None:
                known = set()
            continue
        open_tags.pop()
        if node.tag == 'track':
            raise DataError(f'{path}: tracks of a video, whose frames are no image files here. '
                            'Export the task as "CVAT for images 1.1".')
        if node.tag == 'label' and open_tags[-1:] == ['labels'] and not node.findtext('parent'):
            known.add(_add_class(node.findtext('name'), path, labels))
        if node.tag == 'image' and len(open_tags) == 1:
            try:
                labels.images.append(_image(node, path, files, known))
            except DataError as error:
                labels.faults.append(str(error))
            node.clear()
    if len(labels.images) + len(labels.faults) == before:
        raise DataError(f'{path}: it has no <image>. Export "CVAT for images 1.1".')


def _add_class(text, path, labels):
    try:
        name = class_name(text)
    except ValueError as error:
        raise DataError(f'{path}: a label {error}. Give it a name.') from error
    if name not in labels.classes:
        labels.classes.append(name)
    return name


def _image(node, path, files, known):
    name = node.get('name') or ''
    shapes, tags, faults = [], [], []
    for number, child in enumerate(node, 1):
        try:
            if child.tag == 'tag':
                tags.append(_label(child, known))
            elif child.tag in _NO_FORM:
                raise ValueError('has no form in a picture of classes')
            elif child.tag in _SHAPES:
                shapes.append(_shape(child, _label(child, known), f'{child.tag} {number}'))
        except ValueError as error:
            faults.append(f'<{child.tag}> {number} of the image {error}')
    if faults:
        raise DataError(f'{path}: {name[:200]!r}: {"; ".join(faults)}. Correct or remove them.')
    size = tuple(_whole(node.get(side)) for side in ('height', 'width'))
    subset = node.get('subset') or ''  # a folder of the export of a project
    file = files.find(osp.join(subset, name), osp.join(osp.dirname(path), 'images'), path)
    return LabelledImage(file, path, size if all(size) else None, shapes,
                         tuple(dict.fromkeys(tags)), split=split_of(subset))


def _label(node, known):
    name = class_name(node.get('label'))
    if known is not None and name not in known:
        raise ValueError(f'has the label {name!r}, which the <labels> of the file lack')
    return name


def _shape(node, name, place):
    kind, data = _SHAPES[node.tag](node)
    return Shape(kind, name, data, place, _whole(node.get('z_order')) or 0)


def _whole(text):
    try:
        return int(text)
    except (TypeError, ValueError):
        return None


def _numbers(node, *names):
    try:
        return coordinates([[float(node.get(name)) for name in names]], len(names))[0]
    except (TypeError, ValueError):
        raise ValueError(f'needs finite numbers {", ".join(names)}') from None


def _points(node):
    pairs = [pair.split(',') for pair in (node.get('points') or '').split(';')]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError('has points that are not x,y;x,y;...')
    return coordinates(pairs)


def _angle(node):
    return _numbers(node, 'rotation')[0] if node.get('rotation') else 0.


def _box(node):
    x1, y1, x2, y2 = _numbers(node, 'xtl', 'ytl', 'xbr', 'ybr')
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])
    centre = corners.mean(0)
    return 'box', corners_box(turned(corners - centre, _angle(node)) + centre)


def _ellipse(node):
    cx, cy, rx, ry = _numbers(node, 'cx', 'cy', 'rx', 'ry')
    return 'region', ellipse_polygon((cx, cy), (rx, ry), _angle(node))


def _mask(node):
    window = [_whole(node.get(name)) for name in ('top', 'left', 'height', 'width')]
    counts = [_whole(word) for word in (node.get('rle') or '').split(',')]
    if None in window or None in counts or max(map(abs, [*window, *counts])) >= 1 << 40:
        raise ValueError('is a mask whose rle, left, top, width and height are not whole numbers')
    return 'region', Runs(*window, array('q', counts))


_SHAPES = dict(
    box=_box, polygon=lambda node: ('region', polygon(_points(node))), ellipse=_ellipse, mask=_mask,
    polyline=lambda node: ('scribble', _points(node)),
    points=lambda node: ('point', _points(node)))
