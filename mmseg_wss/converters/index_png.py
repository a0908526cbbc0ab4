"""Index masks as PNG files with a palette."""
import zlib

import numpy as np
from PIL import Image, UnidentifiedImageError

from mmseg_wss.errors import DataError
from mmseg_wss.fileio import atomic_path, is_full_disk, name_full_disk

_ORIENTATION = 0x0112  # EXIF tag; 5 to 8: the picture lies on its side, and loading turns it
_PICTURE_ERRORS = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


class DiskFullError(OSError):
    """No file can be written any more; it ends a whole run, not the making of one mask."""


def write_index_png(path, mask, palette):
    """Write an index mask; the file is whole, or not there.

    Args:
        path (str | Path): the file.
        mask (np.ndarray): uint8 (H, W), class indices, 255 ignored.
        palette (bytes): 768 values: R, G, B of each index.

    Raises:
        DiskFullError: no space is left.
        OSError: the file cannot be written.
        ValueError: another dtype or shape.
    """
    if mask.dtype != np.uint8 or mask.ndim != 2:
        raise ValueError(f'{path}: a mask is uint8 (H, W), got {mask.dtype} {mask.shape}.')
    picture = Image.fromarray(mask)
    picture.putpalette(palette)
    try:
        with name_full_disk(path), atomic_path(path) as temporary:
            # runs of equal bytes are all there is to find in a mask: a fifth of the time that the
            # default strategy takes, for files a tenth larger
            picture.save(temporary, compress_type=zlib.Z_RLE)
    except OSError as error:
        if is_full_disk(error):
            raise DiskFullError(*error.args) from error
        raise


def read_index_png(path):
    """Read an index mask.

    Returns:
        np.ndarray: uint8 (H, W), class indices.

    Raises:
        DataError: the file is missing, unreadable, or no picture of one channel of 8 bits.
    """
    try:
        with Image.open(path) as picture:
            if picture.mode not in ('P', 'L'):
                raise DataError(f'{path}: a mask has one channel of class indices, got a picture '
                                f'of mode {picture.mode}. Take the file of the VOC 2012 devkit.')
            return np.array(picture)
    except DataError:
        raise
    except _PICTURE_ERRORS as error:
        raise DataError(f'{path}: the mask is {_fault(error)}. Copy it again.') from error


def picture_shape(path):
    """(H, W) of a picture as it is loaded, from its header.

    Raises:
        DataError: the file is missing or unreadable.
    """
    try:
        with Image.open(path) as picture:
            turned = picture.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
            return picture.size if turned else picture.size[::-1]
    except _PICTURE_ERRORS as error:
        raise DataError(f'{path}: the image is {_fault(error)}. Copy it again.') from error


def _fault(error):
    if isinstance(error, FileNotFoundError):
        return 'missing'
    if isinstance(error, UnidentifiedImageError):
        return 'unreadable (no picture of a known format)'
    return f'unreadable ({error})'
