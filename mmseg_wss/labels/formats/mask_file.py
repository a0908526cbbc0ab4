"""Index masks on disk, and the record of how a program made one, in the same file.

The record is JSON in a text chunk of the PNG, ahead of the pixels: it is read without decoding
them, and mask and record appear in one rename. OpenCV and mmcv skip the chunk::

    {"recipe": {"tool": "generate_proposals", "method": "grabcut", ...}, "inputs": "9a31...", ...}
"""
import io
import json
import zlib

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.image_file import picture_fault, structure_fault
from mmseg_wss.labels.palette import voc_palette
from mmseg_wss.utils.file_names import near_name
from mmseg_wss.utils.fileio import atomic_path, read_bytes

RECORD_KEY = 'mmseg_wss'  # of the text chunk


def read_mask(path, backend_args=None, mode=None):
    """Decode a mask: (H, W), or (H, W, C) for a colour picture.

    Args:
        path (str | Path): the file; of a palette picture the indices are read.
        backend_args (dict, optional): see ``mmengine.fileio``.
        mode (str, optional): what Pillow converts it to, such as 'RGB'; as it is in the file
            without.

    Returns:
        np.ndarray: whole numbers in the type of the file, uint8 for most.

    Raises:
        DataError: the file is missing, damaged (the checksums of a PNG are compared), cannot be
            decoded, or has numbers that are not whole by their type.
    """
    try:
        content = read_bytes(path, backend_args)
        fault = structure_fault(content)
        if fault is None:
            with Image.open(io.BytesIO(content)) as picture:
                mask = np.array(picture.convert(mode) if mode else picture)
    except Exception as error:  # Pillow trips over damaged files in many ways and wraps none
        fault = picture_fault(error)
        if isinstance(error, FileNotFoundError):
            fault += near_name(path)
    if fault:
        raise DataError(f'{path}: the mask cannot be read ({fault}). Write it again, or remove the '
                        'image from the list.')
    if mask.dtype.kind not in 'bui':
        raise DataError(f'{path}: the mask has numbers of the type {mask.dtype}, and class indices '
                        'are whole. Write it again with integers, as a PNG of 8 bits.')
    return mask


def write_mask(path, mask, record=None):
    """Write an index mask as a PNG with VOC's palette; the file is whole, or not there.

    Args:
        path (str | Path): the file.
        mask (np.ndarray): uint8 (H, W), class indices, 255 ignored.
        record (dict, optional): how the mask was made: recipe (dict) and further facts, as JSON can
            write them; `read_record` reads it.

    Raises:
        DiskFullError: no space is left.
        OSError: the file cannot be written.
        ValueError: another dtype or shape.
    """
    if mask.dtype != np.uint8 or mask.ndim != 2:
        raise ValueError(f'{path}: a mask is uint8 (H, W), got {mask.dtype} {mask.shape}.')
    picture = Image.fromarray(mask)
    picture.putpalette(voc_palette().tobytes())
    text = PngInfo()
    if record is not None:
        text.add_text(RECORD_KEY, record_text(record))
    with atomic_path(path) as temporary:
        # a mask is runs of equal bytes: Z_RLE takes a fifth of the default strategy's time, and its
        # files are a tenth larger
        picture.save(temporary, compress_type=zlib.Z_RLE, pnginfo=text)


def record_text(record):
    """A record as JSON in ASCII, the same for equal records."""
    return json.dumps(record, sort_keys=True)


def read_record(path):
    """Read how a mask was made. The pixels are not read.

    Args:
        path (str | Path): a local file.

    Returns:
        dict or None: what `write_mask` was given as `record`; None where the mask has none.

    Raises:
        DataError: the file is missing, no PNG, or its record is damaged.
    """
    try:
        with Image.open(path, formats=['PNG']) as picture:
            text = picture.info.get(RECORD_KEY)
        if text is None:
            return None
        record = json.loads(text)
        if isinstance(record['recipe'], dict):
            return record
        fault = 'its recipe is no dict'
    except (KeyError, TypeError, RecursionError) as error:
        fault = repr(error)
    except Exception as error:  # of Pillow or JSON
        fault = picture_fault(error)
    raise DataError(f'{path}: the record of how the mask was made cannot be read ({fault}). Make '
                    'the mask again, or take it from its source again.')
