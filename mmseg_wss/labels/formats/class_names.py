"""Names of classes, the background first."""
import os.path as osp

from mmseg_wss.errors import DataError
from mmseg_wss.labels.checks.class_check import class_faults
from mmseg_wss.labels.formats.text_list import read_lines, write_lines
from mmseg_wss.utils.fileio import file_exists

VOC_CLASSES = (
    'background', 'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair',
    'cow', 'diningtable', 'dog', 'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa',
    'train', 'tvmonitor')


def read_class_names(path):
    """The names in a file with one a line, list of str; blank lines are passed over.

    Raises:
        DataError: there is no such file, it is not in UTF-8, or it has no name, one twice, or more
            than 255.
    """
    if not file_exists(path):
        raise DataError(f"{path}: there is no such file of class names. Set metainfo['classes'] to "
                        'a list of names or a file with one a line.')
    names = read_lines(path)
    faults = class_faults(names)
    if faults:
        raise DataError('\n'.join(f'{path}: the list of class names {fault}.' for fault in faults))
    return names


def devkit_classes(root):
    """The class names of a VOC devkit, list of str: those in ``classes.txt``, else the 21 of VOC.

    Raises:
        DataError: see `read_class_names`.
    """
    path = osp.join(root, 'classes.txt')
    return read_class_names(path) if file_exists(path) else list(VOC_CLASSES)


def write_class_names(path, classes):
    """Write a file that `read_class_names` reads.

    Raises:
        DataError: a name is empty or cannot stand in a line.
    """
    faulty = [name for name in classes if name != ' '.join(name.split()) or not name]
    if faulty:
        raise DataError(f'categories must have names of one line, got {faulty[:5]}: correct them.')
    write_lines(path, classes)
