"""LabelMe: a JSON file beside each image."""
import base64
import binascii
import io
import os.path as osp

import numpy as np
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.image_file import picture_fault
from mmseg_wss.labels.formats.json_file import read_json
from mmseg_wss.labels.imports.image_files import is_absolute
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
    run_lengths,
)

_LARGEST_SIDE = 1 << 16  # of a mask inside a file


def read(paths, files):
    """Read LabelMe files.

    Args:
        paths (Sequence[str]): the JSON files.
        files (ImageFiles): where the images are.

    Returns:
        Labels: an image whose file has no shape and no flag that is set is known to be empty.
    """
    labels = Labels()
    root = osp.commonpath([osp.dirname(osp.abspath(path)) for path in paths])
    for path in paths:
        try:
            labels.images.append(_read_file(path, root, files))
        except DataError as error:
            labels.faults.append(str(error))
    return labels


def _read_file(path, root, files):
    content = read_json(path, _without_image)
    name = content.get('imagePath') if isinstance(content, dict) else None
    if not isinstance(name, str) or not isinstance(content.get('shapes'), list):
        raise DataError(f'{path}: no file of LabelMe: it needs "imagePath", a text, and "shapes", '
                        'a list. Save it again in LabelMe, or remove it.')
    shapes, faults = [], []
    for number, entry in enumerate(content['shapes'], 1):
        try:
            shapes.append(_shape(entry if isinstance(entry, dict) else {}, f'shape {number}'))
        except ValueError as error:
            faults.append(f'shape {number} {error}')
    flags = content.get('flags') if isinstance(content.get('flags'), dict) else {}
    tags = []
    for flag, value in flags.items():
        try:
            tags += [class_name(flag)] if value is True else []
        except ValueError as error:
            faults.append(f'a flag {error}')
    if faults:
        raise DataError(f'{path}: {"; ".join(faults)}. Correct or remove them.')
    size = content.get('imageHeight'), content.get('imageWidth')
    size = size if all(type(side) is int and side > 0 for side in size) else None
    folder = osp.dirname(osp.abspath(path))
    if not is_absolute(name):  # folders of the JSON files are folders of the images
        name, folder = osp.join(osp.relpath(folder, root), name.replace('\\', '/')), root
    try:
        image = files.find(name, folder, path)
    except DataError as error:
        inside = ' (The image is inside of the JSON file: labelme_export_json writes it.)'
        raise DataError(f'{error}{inside * bool(content.get("imageData"))}') from error
    return LabelledImage(image, path, size, shapes, tuple(tags))


def _without_image(entry):
    """An object of the file without the image, which may be in it as a text of megabytes."""
    if 'imageData' in entry:
        entry['imageData'] = bool(entry['imageData'])
    return entry


def _shape(entry, place):
    name, kind = class_name(entry.get('label')), entry.get('shape_type') or 'polygon'
    points = coordinates(entry.get('points'))
    if kind == 'polygon':
        return Shape('region', name, polygon(points), place)
    if kind == 'mask':
        return Shape('region', name, _mask(entry.get('mask'), points), place)
    if kind == 'circle' and len(points) == 2:
        radius = float(np.hypot(*(points[1] - points[0])))
        return Shape('region', name, ellipse_polygon(points[0], (radius, radius)), place)
    if kind == 'rectangle' and len(points) in (2, 4):
        return Shape('box', name, corners_box(points), place)
    if kind in ('line', 'linestrip'):
        return Shape('scribble', name, points, place)
    if kind in ('point', 'points'):
        return Shape('point', name, points, place)
    if kind == 'oriented_rectangle':
        return Shape('box', name, corners_box(points), place)
    raise ValueError(f'is a {str(kind)[:40]!r} of {len(points)} points, which LabelMe has not')


def _mask(text, points):
    """The pixels of a mask, a PNG in base64 for the window between two corners."""
    try:
        content = base64.b64decode(text, validate=True)
        with Image.open(io.BytesIO(content), formats=['PNG']) as picture:
            if max(picture.size) > _LARGEST_SIDE:
                raise ValueError(f'is {picture.size[0]}x{picture.size[1]}')
            mask = np.array(picture.convert('L')) > 0
    except (TypeError, binascii.Error) as error:
        raise ValueError(f'has a mask that is no base64 ({error})') from None
    except Exception as error:  # of Pillow
        raise ValueError(f'has a mask that is no picture ({picture_fault(error)})') from None
    left, top = np.floor(points.min(0)).astype(int).tolist()
    return Runs(top, left, *mask.shape, run_lengths(mask.ravel()))
