"""Pascal VOC: boxes in XML files (LabelImg, Roboflow, CVAT), masks in colours (CVAT)."""
import os.path as osp
from unicodedata import normalize

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.formats.id_list import read_id_list
from mmseg_wss.labels.formats.text_list import read_lines
from mmseg_wss.labels.formats.voc_xml import read_voc_objects
from mmseg_wss.labels.imports.image_files import ImageFiles, files_below, split_of
from mmseg_wss.labels.imports.records import ColourMask, LabelledImage, Labels, Shape, class_name

_VOID, _VOID_COLOUR = 'void', (224, 224, 192)  # VOC's border between objects
_MASKS, _IMAGES = 'SegmentationClass', 'JPEGImages'


def read(paths, files):
    """Read boxes from XML files, and masks by the colours of ``labelmap.txt``.

    Args:
        paths (Sequence[str]): XML files, labelmap.txt, or both.
        files (ImageFiles): where the images are.

    Returns:
        Labels: an XML file without an object says that nothing is there; with a mask, the mask.
    """
    labels, files = Labels(), ImageFiles(
        files.root, skipped=(_MASKS, 'SegmentationObject'), by_stem=True)
    maps = [path for path in paths if osp.basename(path) == 'labelmap.txt']
    colours = read_label_map(maps[0]) if maps else {}
    labels.classes = [name for name in colours.values() if name]
    if any(name.casefold() == _VOID for name in labels.classes):
        labels.notes.append(f'{maps[0]}: {_VOID} is a class, since its colour is not that of '
                            f'VOC\'s borders, {_VOID_COLOUR}. --ignore makes it 255')
    folder = osp.join(osp.dirname(maps[0]), _MASKS) if maps else ''
    masks = {_stem(path, folder): path
             for path in files_below(folder, ('.png', ))} if maps else {}
    if maps and not masks and len(paths) == len(maps):
        labels.faults.append(f'{maps[0]}: there are no masks (PNG) in {folder}. Give the folder of '
                             f'the masks the name {_MASKS}, that of the images {_IMAGES}, as in '
                             'the export.')
    xmls = _xmls(paths)
    splits = _splits(osp.dirname(maps[0])) if maps else {}
    for stem in sorted({*masks, *xmls}):
        try:
            image = _image(stem, masks.get(stem), xmls.get(stem), colours, files)
            labels.images.append(image._replace(split=splits[stem]) if stem in splits else image)
        except DataError as error:
            labels.faults.append(str(error))
    bare = sorted(splits.keys() - masks.keys() - xmls.keys())
    if bare:
        labels.notes.append(f'{osp.dirname(maps[0])}: {len(bare)} image(s) of the lists have no '
                            'mask, as CVAT writes images without annotations, and are left out: '
                            + abridged(bare))
    return labels


def _splits(root):
    """ID -> split, by the lists of CVAT's subsets."""
    splits = {}
    for path in files_below(osp.join(root, 'ImageSets', 'Segmentation'), ('.txt', )):
        split = split_of(osp.splitext(osp.basename(path))[0])
        splits.update(dict.fromkeys(read_id_list(path)[0], split))
    return splits


def _xmls(paths):
    """Name -> XML file: with the folders below Annotations, else below the folder of them all."""
    paths = [osp.abspath(path) for path in paths if path.endswith('.xml')]
    others = [osp.dirname(path) for path in paths if '/Annotations/' not in path]
    root = osp.commonpath(others) if others else ''
    names = [path.rpartition('/Annotations/')[2] if '/Annotations/' in path
             else osp.relpath(path, root) for path in paths]
    return {_stem(name): path for name, path in zip(names, paths)}


def _stem(path, folder=''):
    """A path from a folder as lists of IDs spell it, without the suffix."""
    return normalize('NFC', osp.splitext(osp.relpath(path, folder) if folder else path)[0])


def _image(stem, mask, xml, colours, files):
    shapes = []
    if xml:
        names, boxes = read_voc_objects(xml)
        try:
            shapes = [Shape('box', class_name(name), tuple(box), f'object {number}')
                      for number, (name, box) in enumerate(zip(names, boxes.tolist()), 1)]
        except ValueError as error:
            raise DataError(f'{xml}: an object {error}. Give it a name.') from error
    source = mask or xml
    if mask or '/Annotations/' in xml:
        image = files.find(osp.join(_IMAGES, stem), osp.dirname(osp.dirname(source)), source)
    else:  # beside it
        image = files.find(stem, xml.rsplit('/', stem.count('/') + 1)[0], source)
    return LabelledImage(image, source, None, shapes, mask=mask and ColourMask(mask, colours),
                         split='' if mask else files.split_of(image))


def read_label_map(path):
    """The colours of CVAT's ``labelmap.txt``: lines ``name:red,green,blue:parts:actions``.

    Returns:
        dict: (red, green, blue) -> class name; VOC's colour of borders is None, ignored, unless
        a class with a name other than void has it.

    Raises:
        DataError: the file is wrong.
    """
    colours = {}
    for number, line in enumerate(read_lines(path), 1):
        if line.startswith('#'):
            continue
        words = line.rsplit(':', 3)
        try:
            name, colour = class_name(words[0]), tuple(int(word) for word in words[1].split(','))
            if len(colour) != 3 or not all(0 <= value < 256 for value in colour):
                raise ValueError
        except (IndexError, ValueError):
            raise DataError(f'{path}: line {number} is {line[:80]!r} instead of '
                            'name:red,green,blue::. Correct it, or export again.') from None
        if colours.get(colour):
            raise DataError(f'{path}: line {number}: {name} has the colour of {colours[colour]}. '
                            'Give each class its own colour, and export again.')
        is_void = colour == _VOID_COLOUR and name.casefold() == _VOID
        colours[colour] = None if is_void else name
    colours.setdefault(_VOID_COLOUR, None)
    return colours
