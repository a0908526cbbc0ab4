"""Text files of the user: lists of images, tags, class names."""
import codecs
from unicodedata import normalize

from mmseg_wss.errors import DataError
from mmseg_wss.utils.fileio import atomic_path, read_bytes

_UTF16_MARKS = codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE


def read_lines(path):
    """The lines of a text file that are not blank, without the blanks around them.

    Line ends may be those of any system, and a byte-order mark may be at the front, as editors of
    Windows write it. Letters with accents are in Unicode's NFC, however the file spells them.

    Args:
        path (str | Path): the file.

    Returns:
        list[str]

    Raises:
        DataError: the file is not in UTF-8.
        OSError: it cannot be read.
    """
    content = read_bytes(path)
    # two bytes a character: without the mark, too, which UTF-8 alone would not refuse
    if content.startswith(_UTF16_MARKS) or b'\0' in content:
        raise DataError(f'{path}: not a text file in UTF-8 but, it seems, in UTF-16, as PowerShell '
                        'and editors of Windows write it. Save it as UTF-8.')
    try:
        text = content.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise DataError(f'{path}: not a text file in UTF-8 ({error}). Save it as UTF-8.') from error
    return [line.strip() for line in normalize('NFC', text).splitlines() if line.strip()]


def write_lines(path, lines):
    """Write a text file that `read_lines` reads; it is whole, or not there."""
    with atomic_path(path) as temporary:
        temporary.write_text(''.join(f'{line}\n' for line in lines), encoding='utf-8')
