"""Tag files: lines of an image ID and the names of its classes."""
import csv
import re
from collections import Counter

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.formats.text_list import read_lines
from mmseg_wss.utils.fileio import file_exists

FORMAT = ('A line is an ID and its classes, separated by commas or tabs, or by blanks where it has '
          'neither; a name with one of these in it stands in double quotes ("upper body")')
_QUOTED = re.compile(r'(?<![^,\t ])"(?:[^"]|"")*"(?![^,\t ])')
_QUOTED_OR_TAB = re.compile(f'({_QUOTED.pattern})|\t')


def read_tag_file(path, ids, ann_file, place='Give'):
    """The tags of images, and what is wrong with the file.

    Args:
        path (str): the file, see `parse_line`; blank lines are passed over.
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
        rows = read_rows(path)
    except DataError as error:
        return {}, [str(error)]
    tags, faults = {row[0]: row[1:] for row in rows}, []
    twice = [name for name, count in Counter(row[0] for row in rows).items() if count > 1]
    if twice:
        faults.append(f'{path}: more than one line for {abridged(twice)}. Write all classes of an '
                      f'image in one line. {FORMAT}.')
    return tags, faults + missing_tags(path, tags, ids, ann_file)


def missing_tags(path, tags, ids, ann_file):
    """What is wrong where images of a list have no tags: list of str, a sentence or none."""
    missing = [name for name in ids if name not in tags]
    return [f'{path}: no line for {len(missing)} image(s) of {ann_file}: {abridged(missing)}. Add '
            f'"{tag_line(missing[0], ["CLASS", "..."])}", or the ID alone where it is known that '
            'the image has no object; or remove the image from the list, to one with '
            f"supervision='none' if it is unlabelled. {FORMAT}."] if missing else []


def read_rows(path):
    """The lines of a tag file, lists of str.

    Raises:
        DataError: the file is not in UTF-8, or a line has a quote without its end, or no ID.
    """
    rows = []
    for line in read_lines(path):
        try:
            rows.append(parse_line(line))
        except ValueError as error:
            raise DataError(f'{path}: the line {line[:80]!r} {error}. {FORMAT}.') from error
    return rows


def parse_line(line):
    """The fields of a line, by the rules of Python's csv module.

    A line with commas or tabs is split at them, another one at blanks. Double quotes protect what
    is inside them, and two of them stand for one.

    Args:
        line (str): not blank.

    Returns:
        list[str]: the ID, and the names that are not empty.

    Raises:
        ValueError: why that cannot be.
    """
    separators = {',', '\t'}.intersection(_QUOTED.sub('', line))
    if separators:
        line = _QUOTED_OR_TAB.sub(lambda found: found[1] or ',', line)
    try:
        fields = next(csv.reader([line], delimiter=',' if separators else ' ',
                                 skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise ValueError(f'has quotes that do not enclose a name ({error})') from error
    name, *tags = [field.strip() for field in fields]
    if not name:
        raise ValueError('has no ID in front')
    return [name, *filter(None, tags)]


def tag_line(name, tags):
    """The line that `parse_line` reads as the ID `name` and the class names `tags`."""
    return ' '.join(
        '"{}"'.format(field.replace('"', '""')) if re.search(r'[\s,"]', field) else field
        for field in (name, *tags))
