"""A cheap look at an image file before it is decoded."""
import os

from PIL import Image

from mmseg_wss.errors import DataError

_ENDS = {b'\xff\xd8': b'\xff\xd9', b'\x89P': b'IEND'}  # JPEG and PNG: first bytes, end marker
_REMEDY = 'Copy it again from its source, or remove the image from the list.'


def decode_fault(path):
    """Decode the whole file with Pillow, which (unlike OpenCV) does not fill up what is missing.

    Returns:
        str or None: what is wrong with the file.
    """
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return str(error)
    return None


def check_image_file(path):
    """See that an image file is not empty and not cut off.

    OpenCV decodes a truncated JPEG without complaint and fills the rest with grey. A whole JPEG or
    PNG ends with a marker, so reading the last bytes is enough for good files; only a file without
    it is decoded here.

    Args:
        path (str): local path; files of other backends are left to the loader.

    Raises:
        DataError: the file is corrupt.
    """
    try:
        size = os.path.getsize(path)
    except OSError:
        return  # not local, or missing: the loader says so
    with open(path, 'rb') as file:
        head = file.read(2)
        file.seek(max(0, size - 64))
        tail = file.read()
    if head in _ENDS and _ENDS[head] in tail:
        return
    fault = decode_fault(path)
    if fault:
        raise DataError(f'{path}: the image file is corrupt ({fault}). {_REMEDY}')
