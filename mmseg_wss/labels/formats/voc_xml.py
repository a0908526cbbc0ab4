"""PASCAL VOC annotation files."""
from unicodedata import normalize
from xml.sax.saxutils import escape

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, parse

from mmseg_wss.errors import DataError
from mmseg_wss.utils.file_names import near_name


def read_voc_objects(path):
    """Read names and boxes of the objects in a VOC XML file.

    VOC writes 1-based coordinates of the first and last pixel inside; here a box is 0-based and
    half-open: (x1, y1, x2, y2) = (xmin - 1, ymin - 1, xmax, ymax).

    Args:
        path (str): the XML file; it is read with defusedxml.

    Returns:
        tuple: names, list of M str; boxes, float32 array (M, 4) in pixels. M is 0 for a file
        without objects: the image is known to be empty.

    Raises:
        DataError: the file is missing, is no VOC annotation, or has a coordinate that is no number.
    """
    try:
        root = parse(path).getroot()
    except FileNotFoundError as error:
        raise DataError(
            f'{path}: there is no such annotation file{near_name(path)}. Box and tag labels come '
            'from it: add it (without <object>, if it is known that the image has none), or remove '
            "the image from the list, to one with supervision='none' if it is unlabelled."
        ) from error
    # ValueError, LookupError: an encoding that the parser does not know
    except (OSError, ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise DataError(f'{path}: not a readable XML file ({error}). Write it again.') from error

    names, boxes = [], []
    for number, node in enumerate(root.iter('object'), 1):
        name = normalize('NFC', (node.findtext('name') or '').strip())
        try:
            x1, y1, x2, y2 = (float(node.find('bndbox').findtext(key))
                              for key in ('xmin', 'ymin', 'xmax', 'ymax'))
        except (AttributeError, TypeError, ValueError) as error:
            raise DataError(
                f'{path}: object {number} ({name or "without a name"}) has no complete <bndbox> of '
                'four numbers (xmin, ymin, xmax, ymax). Complete it or remove the object.'
            ) from error
        names.append(name)
        boxes.append((x1 - 1, y1 - 1, x2, y2))
    if not names and root.tag != 'annotation':  # another format, which says nothing here
        raise DataError(f'{path}: no annotation file of VOC: it begins with <{root.tag[:80]}>, not '
                        'with <annotation>, and has no <object>. Convert it, or write it again.')
    return names, np.array(boxes, np.float32).reshape(-1, 4)


def voc_xml(file_name, shape, names, boxes):
    """The text of an annotation file, which `read_voc_objects` reads.

    Args:
        file_name (str): of the image.
        shape (tuple): (H, W) of the image.
        names (Sequence[str]): class names of M objects.
        boxes (Sequence): M times (x1, y1, x2, y2), whole numbers of pixels, half-open.

    Returns:
        str: with VOC's coordinates, 1-based, of the first and the last pixel inside.
    """
    height, width = shape
    lines = ['<annotation>', f'  <filename>{escape(file_name)}</filename>',
             f'  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>']
    for name, (x1, y1, x2, y2) in zip(names, boxes):
        lines += [f'  <object><name>{escape(name)}</name><difficult>0</difficult>',
                  f'    <bndbox><xmin>{x1 + 1}</xmin><ymin>{y1 + 1}</ymin>'
                  f'<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>']
    return '\n'.join([*lines, '</annotation>', ''])
