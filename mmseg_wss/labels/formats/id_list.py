"""Lists of images."""
import re
from collections import Counter

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.formats.text_list import read_lines
from mmseg_wss.utils.fileio import file_exists

_FLAG = re.compile(r'\s+(-1|0|1)$')
_VOC_FLAG = re.compile(r'\s+(-1|(?<=\s\s)[01])$')  # as VOC writes it, two characters wide


def set_option(option, data_root):
    """The beginning of a remedy: which option of a data set names a file."""
    return f'Set {option} (relative to data_root={data_root!r}) to'


def read_id_list(path, place='Give', id_of=str):
    """The image IDs of a list file, one a line, and what is wrong with the list.

    An ID may have blanks. The flag -1, 0 or 1 of VOC's per-class lists is no part of it: as VOC
    writes it (``2007_000032  1``, ``2007_000033 -1``), or where every line ends in one
    (``photo 1`` among others without is an ID).

    Args:
        path (str): the file.
        place (str): how the user names the file, for messages (`set_option`).
        id_of (Callable): the ID that a line stands for.

    Returns:
        tuple: IDs, list of str without repetitions; and the faults, list of str.
    """
    if not file_exists(path):
        return [], [f'{path}: there is no such list. {place} a file with an image ID a line.']
    try:
        lines = read_lines(path)
    except DataError as error:
        return [], [str(error)]
    flag = _FLAG if all(map(_FLAG.search, lines)) else _VOC_FLAG
    ids = Counter(id_of(flag.sub('', line)) for line in lines)
    if not ids:
        return [], [f'{path}: the list is empty. Write an image ID a line, or remove this source '
                    'from the config.']
    twice = [name for name, count in ids.items() if count > 1]
    if twice:
        return list(ids), [f'{path}: the list names {len(twice)} image(s) more than once: '
                           f'{abridged(twice)}. Name every image once.']
    return list(ids), []
