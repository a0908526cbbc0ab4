"""Tag files: lines of an image ID and the names of its classes, separated by blanks."""
from collections import Counter

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.formats.text_list import read_lines
from mmseg_wss.utils.fileio import file_exists


def read_tag_file(path, ids, ann_file, place='Give'):
    """The tags of images, and what is wrong with the file.

    Args:
        path (str): the file.
        ids (Sequence[str]): the images that need a line.
        ann_file (str): their list, for messages.
        place (str): how the user names the file, for messages (`set_option`).

    Returns:
        tuple: ID -> class names, dict; and the faults, list of str.
    """
    if not file_exists(path):
        return {}, [f'{path}: there is no such tag file. {place} a file of lines "ID CLASS ...", '
                    'as tools/make_weak_labels.py --kind tags makes of masks.']
    try:
        rows = [line.split() for line in read_lines(path)]
    except DataError as error:
        return {}, [str(error)]
    tags, faults = {row[0]: row[1:] for row in rows}, []
    twice = [name for name, count in Counter(row[0] for row in rows).items() if count > 1]
    if twice:
        faults.append(f'{path}: more than one line for {abridged(twice)}. Write all classes of an '
                      'image in one line.')
    return tags, faults + missing_tags(path, tags, ids, ann_file)


def missing_tags(path, tags, ids, ann_file):
    """What is wrong where images of a list have no tags: list of str, a sentence or none."""
    missing = [name for name in ids if name not in tags]
    return [f'{path}: no line for {len(missing)} image(s) of {ann_file}: {abridged(missing)}. Add '
            f'"{missing[0]} CLASS ..." or remove the image from the list.'] if missing else []
