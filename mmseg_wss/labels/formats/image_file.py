"""Image files: their size, and what is wrong with them."""
import os

from PIL import Image, UnidentifiedImageError

from mmseg_wss.errors import DataError

# what Pillow raises for a file that it cannot decode
PICTURE_ERRORS = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)

_ORIENTATION = 0x0112  # EXIF tag; 5 to 8: the picture lies on its side, and loading turns it
_ENDS = {b'\xff\xd8': b'\xff\xd9', b'\x89P': b'IEND'}  # JPEG and PNG: first bytes, end marker
_REMEDY = 'Copy it again from its source, or remove the image from the list.'


def picture_fault(error):
    """Words for one of `PICTURE_ERRORS`, without the name of the file."""
    if isinstance(error, UnidentifiedImageError):
        return 'no picture of a known format'
    return getattr(error, 'strerror', None) or str(error)


def read_image_shape(path):
    """(H, W) of an image file as it is loaded, from its header.

    Raises:
        DataError: the file is missing or unreadable.
    """
    try:
        with Image.open(path) as image:
            turned = image.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
            return image.size if turned else image.size[::-1]
    except FileNotFoundError as error:
        raise DataError(f'{path}: there is no such image; add it, or remove it from the list.'
                        ) from error
    except PICTURE_ERRORS as error:
        raise DataError(f'{path}: the image cannot be read ({picture_fault(error)}). {_REMEDY}'
                        ) from error


def image_shape(path):
    """(H, W) of an image file as it is loaded, or None if its header is unreadable."""
    try:
        return read_image_shape(path)
    except DataError:
        return None


def decode_fault(path):
    """Decode the whole file with Pillow, which (unlike OpenCV) does not fill up what is missing.

    Returns:
        str or None: what is wrong with the file.
    """
    try:
        with Image.open(path) as image:
            image.load()
    except PICTURE_ERRORS as error:
        return picture_fault(error)
    return None


def check_image_file(path, whole=False):
    """See that an image file is not empty and not cut off.

    OpenCV decodes a truncated JPEG without complaint and fills the rest with grey. A whole JPEG or
    PNG ends with a marker, so reading the last bytes is enough for good files; only a file without
    it is decoded here.

    Args:
        path (str): local path; files of other backends are left to the loader.
        whole (bool): decode the file in any case.

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
    if not whole and head in _ENDS and _ENDS[head] in tail:
        return
    fault = decode_fault(path)
    if fault:
        raise DataError(f'{path}: the image file is corrupt ({fault}). {_REMEDY}')
