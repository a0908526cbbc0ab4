"""Index masks on disk."""
import io
import zlib

import numpy as np
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.image_file import PICTURE_ERRORS, picture_fault
from mmseg_wss.utils.fileio import atomic_path, name_full_disk, read_bytes


def read_mask(path, backend_args=None):
    """Decode a mask without converting it: (H, W), or (H, W, C) for a colour picture.

    Args:
        path (str | Path): the file; of a palette picture the indices are read.
        backend_args (dict, optional): see ``mmengine.fileio``.

    Returns:
        np.ndarray: in the type of the file, uint8 for most.

    Raises:
        DataError: the file is missing or cannot be decoded.
    """
    try:
        with Image.open(io.BytesIO(read_bytes(path, backend_args))) as picture:
            return np.array(picture)
    except PICTURE_ERRORS as error:
        raise DataError(f'{path}: the mask cannot be read ({picture_fault(error)}). Write it '
                        'again, or remove the image from the list.') from error


def write_mask(path, mask, palette):
    """Write an index mask as a PNG with a palette; the file is whole, or not there.

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
    with name_full_disk(path), atomic_path(path) as temporary:
        # runs of equal bytes are all there is to find in a mask: a fifth of the time that the
        # default strategy takes, for files a tenth larger
        picture.save(temporary, compress_type=zlib.Z_RLE)
