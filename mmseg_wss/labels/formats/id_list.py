"""Lists of images."""
from collections import Counter

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.formats.text_list import read_lines
from mmseg_wss.utils.fileio import file_exists


def read_id_list(path, option, data_root):
    """The image IDs of a list file, the first word of each line, and what is wrong with the list.

    (VOC's own per-class lists carry a flag behind the ID.)

    Args:
        path (str): the file.
        option (str): the data set's option that names it, for messages.
        data_root (str): what the option is relative to, for messages.

    Returns:
        tuple: IDs, list of str without repetitions; and the faults, list of str.
    """
    if not file_exists(path):
        return [], [f'{path}: there is no such list. Set {option} (relative to '
                    f'data_root={data_root!r}) to a file with an image ID a line.']
    try:
        ids = Counter(line.split()[0] for line in read_lines(path))
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
