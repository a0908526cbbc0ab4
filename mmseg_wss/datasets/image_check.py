"""A cheap look at an image file before it is decoded."""
import os

from PIL import Image

from mmseg_wss.errors import DataError

_REMEDY = 'Copy it again from its source, or remove the image from the list.'


def decode_fault(path):
    """Decode the whole file with Pillow, which (unlike OpenCV) does not fill up what is missing.

    Returns:
        str or None: what is wrong with the file.
    """
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError, ValueError) as error:
        return str(error)
    return None


def check_image_file(path):
    """See that an image file is not empty and, if it is a JPEG, not cut off.

    OpenCV decodes a truncated JPEG without complaint and fills the rest with grey. A whole JPEG
    ends with the marker FF D9, so reading the last bytes is enough for good files; only a file
    without it is decoded here.

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
    if head == b'\xff\xd8' and b'\xff\xd9' in tail:
        return
    if head in (b'\x89P', b'BM') and size > 64:  # PNG and BMP decoders do report a truncation
        return
    fault = decode_fault(path)
    if fault:
        raise DataError(f'{path}: the image file is corrupt ({fault}). {_REMEDY}')
