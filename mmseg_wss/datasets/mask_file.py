"""Index masks on disk."""
import mmcv
import mmengine.fileio as fileio

from mmseg_wss.datasets.image_check import PICTURE_ERRORS, picture_fault
from mmseg_wss.errors import DataError


def read_mask(path, backend_args=None):
    """Decode a mask without converting it: (H, W), or (H, W, C) for a colour picture.

    Raises:
        DataError: the file is missing or cannot be decoded.
    """
    try:
        return mmcv.imfrombytes(
            fileio.get(path, backend_args=backend_args), flag='unchanged', backend='pillow')
    except PICTURE_ERRORS as error:
        raise DataError(f'{path}: the mask cannot be read ({picture_fault(error)}). Write it '
                        'again, or remove the image from the list.') from error
