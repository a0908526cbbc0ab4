"""YOLO's text files, a line an object, and the yaml or list of their classes."""
import os.path as osp
import re
from itertools import accumulate

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.image_file import read_image_shape
from mmseg_wss.labels.formats.text_list import read_lines
from mmseg_wss.labels.imports.image_files import files_below
from mmseg_wss.labels.imports.records import (
    LabelledImage,
    Labels,
    Shape,
    class_name,
    coordinates,
    corners_box,
    polygon,
)

_NAME_FILES = 'classes.txt', 'obj.names', '_darknet.labels', 'labels.txt'
_LABEL_FOLDERS = 'labels', 'labelTxt'
_MOST_CLASSES = 10000
_DEEPEST = 50


def read(paths, files):
    """Read YOLO's files: all images below a folder, and the text file of each.

    It is in a folder ``labels`` where the image is in ``images``, or beside the image. Numbers are
    parts of the image's sides, so the sizes of the images are read.

    Args:
        paths (Sequence[str]): a yaml, text files, or all of them.
        files (ImageFiles): where the images are.

    Returns:
        Labels: an image with an empty text file is known to be empty, one without a file is
        unlabelled.

    Raises:
        DataError: there are no names of the classes.
    """
    root = osp.commonpath([osp.dirname(osp.abspath(path)) for path in paths])
    name_file = _find_names(paths, root, files.root)
    names = _class_names(name_file)
    texts = _label_files(root)
    labels = Labels(classes=list(dict.fromkeys(names.values())))
    rows_of, used = {}, set()
    for path in files.paths:
        text = _text_of(path, texts)
        if text is None:
            rows_of[path] = None
            continue
        used.add(text)
        try:
            rows_of[path] = text, _rows(text, names, name_file)
        except DataError as error:
            labels.faults.append(str(error))
    lost = sorted(set(texts) - used - _not_labels(texts))
    if lost:
        labels.faults.append(f'{lost[0]}: {len(lost)} label file(s) have no image. Give the folder '
                             'of the images by --images, or remove them.')
    number = _corner_numbers(rows_of)
    oriented = number == {4}
    if oriented:
        labels.notes.append(f'{root}: every outline has four corners: read as turned boxes (OBB), '
                            'of which the upright box is kept')
    unlabelled = sum(found is None for found in rows_of.values())
    if unlabelled:
        labels.notes.append(f'{unlabelled} image(s) without a text file are unlabelled (an empty '
                            'file says that nothing is there)')
    for path, found in rows_of.items():
        _add_image(path, found, oriented, labels, files.split_of(path))
    return labels


def _add_image(path, found, oriented, labels, split):
    if found is None:
        labels.images.append(LabelledImage(path, path, None, [], is_labelled=False, split=split))
        return
    text, rows = found
    try:
        height, width = read_image_shape(path)
    except DataError as error:
        labels.faults.append(str(error))
        return
    shapes = []
    for number, name, points, is_box in rows:
        points = points * (width, height)
        if is_box or oriented:
            shapes.append(Shape('box', name, corners_box(points), f'line {number}'))
        else:
            shapes.append(Shape('region', name, polygon(points), f'line {number}'))
    labels.images.append(LabelledImage(path, text, None, shapes, split=split))


def _label_files(root):
    return {osp.abspath(path): None for path in files_below(root, ('.txt', ))
            if osp.basename(path) not in _NAME_FILES}


def _not_labels(texts):
    """Text files that are no labels: readmes, and lists of images."""
    found = set()
    for path in texts:
        with open(path, 'rb') as file:
            line = file.readline(1000).strip()
        if line and not re.fullmatch(rb'[\d\s.eE+-]+', line):
            found.add(path)
        elif not line and not {*path.split('/')} & {*_LABEL_FOLDERS}:
            found.add(path)
    return found


def _text_of(path, texts):
    """The text file of an image, or None."""
    stem, parts = osp.splitext(osp.abspath(path))[0], osp.abspath(path).split('/')
    candidates = [f'{stem}.txt']
    for place in reversed(range(len(parts) - 1)):
        if parts[place] == 'images':
            name = osp.splitext('/'.join(parts[place + 1:]))[0]
            candidates += ['/'.join([*parts[:place], folder, f'{name}.txt'])
                           for folder in _LABEL_FOLDERS]
    return next((name for name in candidates if name in texts), None)


def _rows(path, names, name_file):
    """(line, class name, corners (P, 2) in parts of the sides, whether they are a box's)."""
    rows, faults = [], []
    for number, line in enumerate(read_lines(path), 1):
        words = line.split()
        try:
            label = int(words[0]) if re.fullmatch('[0-9]{1,9}', words[0]) else None
            if label not in names:
                raise ValueError(f'has the class {words[0][:20]!r}, which is none of the '
                                 f'{len(names)} of {name_file}')
            name = names[label]
            if len(words) == 5:
                x, y, width, height = coordinates(words[1:], 4)[0].tolist()
                if min(width, height) < 0:
                    raise ValueError('has a box of negative size')
                points = [[x - width / 2, y - height / 2], [x + width / 2, y + height / 2]]
                rows.append((number, name, coordinates(points), True))
            elif len(words) >= 7 and len(words) % 2:
                rows.append((number, name, coordinates(words[1:]), False))
            else:
                raise ValueError(f'has {len(words)} words: a box has 5 (class, x, y, width, '
                                 'height), a polygon an odd number from 7 on')
        except ValueError as error:
            faults.append(f'line {number} {error}')
    if faults:
        raise DataError(f'{path}: {"; ".join(faults[:5])}. Correct or remove them.')
    return rows


def _corner_numbers(rows_of):
    return {len(points) for found in rows_of.values() if found
            for _, _, points, is_box in found[1] if not is_box}


def _find_names(paths, *roots):
    """The file of the classes' names: a yaml, or a list in or above a folder, or beside labels."""
    yamls = [path for path in paths if path.lower().endswith(('.yaml', '.yml'))]
    above = [folder for root in roots for folder in (root, osp.dirname(osp.abspath(root)))]
    beside = sorted({osp.dirname(path) for path in paths})
    found = yamls + _name_lists(above)
    if not found:
        found = _name_lists(beside)
        for path in found[1:]:
            if read_lines(path) != read_lines(found[0]):
                raise DataError(f'{found[0]} and {path} differ. Make them one, the names of all '
                                'classes in the order of the labels.')
    if not found:
        raise DataError(f'{paths[0]}: there are no names of the classes. Add data.yaml, with a '
                        f'list "names", or classes.txt, a name a line, to {roots[0]}.')
    return found[0]


def _name_lists(folders):
    paths = (osp.join(folder, name) for folder in folders for name in _NAME_FILES)
    return [path for path in paths if osp.isfile(path)]


def _class_names(path):
    """Number -> name."""
    if path.lower().endswith(('.yaml', '.yml')):
        names = _yaml_names(path)
    else:
        names = dict(enumerate(read_lines(path)))
    try:
        return {number: class_name(str(name) if type(name) in (int, float) else name)
                for number, name in names.items()}
    except ValueError as error:
        raise DataError(f'{path}: a class {error}. Correct it.') from error


def _yaml_names(path):
    import yaml  # here: mmengine brings it
    try:
        with open(path, encoding='utf-8-sig') as file:
            text = file.read()
        if _depth(text) > _DEEPEST:  # the parser's time grows with the square of it
            raise ValueError(f'more than {_DEEPEST} brackets in brackets')
        content = yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise DataError(f'{path}: not a readable yaml file ({str(error)[:300]}). Export it again.'
                        ) from error
    names = content.get('names') if isinstance(content, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names or len(names) > _MOST_CLASSES or not all(
            type(number) is int and number >= 0 for number in names):
        raise DataError(f'{path}: it has no "names", a list or numbers from 0 on with names. '
                        'Complete it.')
    if 'kpt_shape' in content:
        raise DataError(f'{path}: labels of poses (kpt_shape). Export boxes or polygons.')
    return names


def _depth(text):
    """How deep brackets are in brackets."""
    steps = ((letter in '[{') - (letter in ']}') for letter in text)
    return max(accumulate(steps), default=0)
