"""Lists of images."""
from collections import Counter

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.formats.text_list import read_lines
from mmseg_wss.utils.fileio import file_exists


def set_option(option, data_root):
    """The beginning of a remedy: which option of a data set names a file."""
    return f'Set {option} (relative to data_root={data_root!r}) to'


def read_id_list(path, place='Give', id_of=str):
    """The image IDs of a list file, the first word of each line, and what is wrong with the list.

    (VOC's own per-class lists carry a flag behind the ID.)

    Args:
        path (str): the file.
        place (str): how the user names the file, for messages (`set_option`).
        id_of (Callable): the ID that the first word of a line stands for.

    Returns:
        tuple: IDs, list of str without repetitions; and the faults, list of str.
    """
    if not file_exists(path):
        return [], [f'{path}: there is no such list. {place} a file with an image ID a line.']
    try:
        ids = Counter(id_of(line.split()[0]) for line in read_lines(path))
    except DataError as error:
        return [], [str(error)]
    if not ids:
        return [], [f'{path}: the list is empty. Write an image ID a line, or remove this source '
                    'from the config.']
    twice = [name for name, count in ids.items() if count > 1]
    if twice:
        return list(ids), [f'{path}: the list names {len(twice)} image(s) more than once: '
                           f'{abridged(twice)}. Name every image once.']
    return list(ids), []
