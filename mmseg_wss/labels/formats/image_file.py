"""Image files: their pixels, as a training gets them, their size, and what is wrong with them.

OpenCV decides what an image is, since ``LoadImageFromFile`` decodes with it. But OpenCV fills up
what is missing and squeezes other numbers into 0..255 in silence, so the file is looked at as well.
"""
import io
import os
import re
import zlib

import numpy as np
from PIL import Image, UnidentifiedImageError

from mmseg_wss.errors import DataError
from mmseg_wss.utils.file_names import near_name
from mmseg_wss.utils.fileio import read_bytes

_ORIENTATION = 0x0112  # EXIF tag; 5 to 8: the picture lies on its side, and loading turns it
_TURNED = 'JPEG', 'MPO', 'PNG', 'WEBP'  # Pillow turns TIFF itself, and nobody turns the others
_JPEG, _PNG = b'\xff\xd8', b'\x89PNG\r\n\x1a\n'  # the first bytes
_ENDS = {_JPEG: b'\xff\xd9', _PNG: b'IEND'}
_JPEG_MARKER = re.compile(rb'\xff[^\x00\x01\xd0-\xd7\xff]')  # one that ends a scan
_MAX_SIDE = 10 ** 6  # of libpng
_DARK = 1 << 12  # 16-bit numbers below this become 0..15 of 255
_REMEDY = 'Copy it again from its source, or remove the image from the list'
_CONVERT = 'save it as a JPEG, or as a PNG of 8 bits'
_TOO_LARGE = ('is too large: OpenCV reads up to 2^30 pixels, and 10^6 a side. Cut it into tiles, '
              'or remove it from the list')


def picture_fault(error):
    """Words for what Pillow raises for a file that it cannot decode, without the file's name."""
    if isinstance(error, UnidentifiedImageError):
        return 'no picture of a known format'
    return getattr(error, 'strerror', None) or str(error) or type(error).__name__


def read_image_shape(path):
    """(H, W) of an image file as it is loaded, from its header.

    Raises:
        DataError: the file is missing or unreadable.
    """
    try:
        with Image.open(path) as image:
            turned = (image.format in _TURNED
                      and image.getexif().get(_ORIENTATION) in (5, 6, 7, 8))
            return image.size if turned else image.size[::-1]
    except Exception as error:  # Pillow trips over damaged files in many ways and wraps none
        raise _unreadable(path, error) from error


def image_shape(path):
    """(H, W) of an image file as it is loaded, or None if its header is unreadable."""
    try:
        return read_image_shape(path)
    except DataError:
        return None


def _unreadable(path, error):
    if isinstance(error, FileNotFoundError):
        return DataError(f'{path}: there is no such image{near_name(path)}; add it, or remove it '
                         'from the list.')
    return DataError(f'{path}: the image cannot be read ({picture_fault(error)}). {_REMEDY}.')


def read_image(path, backend_args=None):
    """Decode an image as ``LoadImageFromFile`` does; what that would load wrongly is refused.

    Args:
        path (str | Path): the file.
        backend_args (dict, optional): see ``mmengine.fileio``.

    Returns:
        np.ndarray: uint8 (H, W, 3), BGR, turned as its EXIF data say.

    Raises:
        DataError: the file is missing, damaged, cut off, too large, of a format or mode that OpenCV
            cannot read, or of numbers that are no colours of 0..255.
    """
    try:
        content = read_bytes(path, backend_args)
    except OSError as error:
        raise _unreadable(path, error) from error
    image, fault = _decode(content)
    if fault:
        raise DataError(f'{path}: the image {fault}.')
    return image


def check_image_file(path, whole=False, opencv=True):
    """See that a training gets the image that the file holds.

    A whole JPEG or PNG ends with a marker, so reading the first and last bytes is enough for good
    files of 8 bits a colour; only other files are decoded here.

    Args:
        path (str): local path; files of other backends are left to the loader.
        whole (bool): decode the file in any case.
        opencv (bool): it is loaded by OpenCV, as colours; otherwise it may be of any format.

    Raises:
        DataError: see `read_image`; without `opencv`: the file is unreadable, damaged or cut off.
    """
    try:
        with open(path, 'rb') as file:
            head = file.read(32)
            file.seek(max(0, os.path.getsize(path) - 64))
            tail = file.read()
    except FileNotFoundError:
        return  # not local, or missing: the loader says so
    except OSError as error:
        raise _unreadable(path, error) from error
    ends = any(head.startswith(first) and last in tail for first, last in _ENDS.items())
    if opencv and (whole or not ends or not _is_8_bit(head)):
        read_image(path)
    elif whole or not ends:
        damage = _damage(read_bytes(path))
        if damage:
            raise DataError(f'{path}: the image {_corrupt(damage)}.')


def structure_fault(content):
    """What of a JPEG or PNG is missing or changed, by its markers and checksums.

    Decoders pass over both: zeros are a valid rest of a JPEG's pixels, and Pillow does not compare
    the checksums of a PNG's pixels.

    Args:
        content (bytes): a whole file, of any format.

    Returns:
        str or None: what is wrong.
    """
    if not content:
        return 'the file is empty'
    if content.startswith(_JPEG):
        return None if _jpeg_has_end(content) else 'truncated, its end is missing'
    return _png_fault(content) if content.startswith(_PNG) else None


def _jpeg_has_end(content):
    match = _JPEG_MARKER.search(content, len(_JPEG))
    while match and match[0] != _ENDS[_JPEG]:
        # a segment with its length; a preview inside may have an end of its own
        length = int.from_bytes(content[match.end():match.end() + 2], 'big')
        match = _JPEG_MARKER.search(content, match.end() + length)
    return match is not None


def _png_fault(content):
    at, kind = len(_PNG), b''
    while kind != b'IEND':
        length, kind = int.from_bytes(content[at:at + 4], 'big'), content[at + 4:at + 8]
        end = at + 8 + length
        if end + 4 > len(content):
            return 'truncated, its end is missing'
        if zlib.crc32(content[at + 4:end]) != int.from_bytes(content[end:end + 4], 'big'):
            return f'the checksum of its part {kind.decode("latin-1")!r} is wrong'
        at = end + 4
    return None


def _decode(content):
    """The pixels, or None; and the fault, what follows "the image", or None."""
    import cv2  # here: tools that read no pixels start without it
    damage = _damage(content)
    if damage:
        return None, _corrupt(damage)
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        if 'CV_IO_MAX_IMAGE' in str(error):
            return None, _TOO_LARGE
        image = None
    return image, _depth_fault(content) or (_why_not(content) if image is None else None)


def _corrupt(damage):
    return f'file is corrupt ({damage}). {_REMEDY}'


def _damage(content):
    """What is missing or changed of a file, or None; of another format, where Pillow knows it."""
    if not content or content.startswith((_JPEG, _PNG)):
        return structure_fault(content)
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
    except (UnidentifiedImageError, Image.DecompressionBombError):
        return None  # OpenCV knows formats that Pillow does not, and takes larger pictures
    except Exception as error:
        return picture_fault(error)
    return None


def _why_not(content):
    """Why OpenCV does not decode a file, by what Pillow sees in it."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if max(picture.size) > _MAX_SIDE:
                return _TOO_LARGE
            picture.load()
            return (f'is a {picture.format} file of mode {picture.mode}, which OpenCV cannot read: '
                    f'{_CONVERT}')
    except Exception as error:
        return _corrupt(picture_fault(error))


def _depth_fault(content):
    """What of an image does not fit into 8 bits a colour, or None."""
    if _is_8_bit(content):
        return None
    import cv2
    try:
        numbers = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None  # a mode that is read as colours alone
    if numbers is None or numbers.dtype == np.uint8:
        return None
    if numbers.dtype != np.uint16:
        return f'has numbers of the type {numbers.dtype} instead of 0..255: {_CONVERT}'
    largest = int((numbers if numbers.ndim == 2 else numbers[..., :3]).max())  # alpha is the fourth
    if 0 < largest < _DARK:
        return (f'has 16 bits a number, but none above {largest}, so it is loaded as nearly black '
                f'(0..{largest >> 8} of 255): multiply its numbers to fill 0..65535, or {_CONVERT}')
    return None


def _is_8_bit(head):
    return head.startswith(_JPEG) or head.startswith(_PNG) and head[24:25] != b'\x10'
