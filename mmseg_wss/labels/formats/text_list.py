"""Text files of the user: lists of images, tags, class names."""
from mmseg_wss.errors import DataError
from mmseg_wss.utils.fileio import atomic_path, read_bytes


def read_lines(path):
    """The lines of a text file that are not blank, without the blanks around them.

    Line ends may be those of any system, and a byte-order mark may be at the front, as editors of
    Windows write it.

    Args:
        path (str | Path): the file.

    Returns:
        list[str]

    Raises:
        DataError: the file is not in UTF-8.
        OSError: it cannot be read.
    """
    try:
        text = read_bytes(path).decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise DataError(f'{path}: not a text file in UTF-8 ({error}). Save it as UTF-8.') from error
    if '\0' in text:  # UTF-16 without its mark can pass for UTF-8
        raise DataError(f'{path}: not a text file in UTF-8 (zero bytes are in it, as in UTF-16). '
                        'Save it as UTF-8.')
    return [line.strip() for line in text.splitlines() if line.strip()]


def write_lines(path, lines):
    """Write a text file that `read_lines` reads; it is whole, or not there."""
    with atomic_path(path) as temporary:
        temporary.write_text(''.join(f'{line}\n' for line in lines), encoding='utf-8')
