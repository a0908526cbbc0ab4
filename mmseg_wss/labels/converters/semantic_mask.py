"""The classes of an image's pixels, from the outlines of its objects."""
import os.path as osp
from typing import NamedTuple, Optional

import numpy as np

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.image_file import read_image_shape
from mmseg_wss.labels.formats.mask_file import write_mask
from mmseg_wss.labels.formats.outlines import outline_region


def paint_regions(regions, shape, canvas=None):
    """Paint objects over each other, the largest first.

    Where objects overlap, the smaller one is on top, by its pixels: an outline often takes in what
    lies before the object (the cup on the table, the tie on the person), and seldom what is behind
    it. Of objects of the same size the later one is on top. Regions of the label 255 are no
    exception: a small crowd before a large object is ignored, a small object before a large crowd
    is not.

    Args:
        regions (Iterable[tuple]): (label in 0..255, Region). One is held at a time: hundreds of
            objects take no more memory than one.
        shape (tuple): (H, W).
        canvas (np.ndarray, optional): uint8 (H, W), what lies below all of them; it is painted on.

    Returns:
        np.ndarray: uint8 (H, W), 0 where no object is.
    """
    canvas = np.zeros(shape, np.uint8) if canvas is None else canvas
    areas = np.full(shape, canvas.size, np.int32)  # pixels of the object that is on top
    for label, (top, left, mask) in regions:
        window = slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1])
        area = np.count_nonzero(mask)
        on_top = mask & (area <= areas[window])
        canvas[window][on_top] = label
        areas[window][on_top] = area
    return canvas


class Job(NamedTuple):
    """The arguments of `MakeSemanticMask`'s call."""
    name: str
    shape: tuple
    outlines: list
    img_path: Optional[str]  # None where the image is not there, or nobody asked


def find_jobs(images, folder=None):
    """Yield a `Job` for each of some `ImageOutlines`.

    Args:
        images (Iterable[ImageOutlines]): from `read_outlines`.
        folder (str, optional): of the image files; those that are not there are not to be opened.
    """
    for image in images:
        path = folder and osp.join(folder, image.file_name)
        yield Job(image.stem, image.shape, image.outlines,
                  path if path and osp.isfile(path) else None)


class MakeSemanticMask:
    """A function that makes and writes the mask of an image of COCO; it can be pickled.

    Args:
        source (str): the COCO file, for messages.
        out (str): folder of the masks.
        record (dict): see `write_mask`.
    """

    def __init__(self, source, out, record):
        self.source = source
        self.out = out
        self.record = record

    def __call__(self, name, shape, outlines, img_path=None):
        """Make the mask ``OUT/name.png``.

        Args:
            name (str): stem of the image's file name.
            shape (tuple): (H, W).
            outlines (Sequence[tuple]): (id of the annotation, label, segmentation), see
                `outline_region`; none for an image of background alone.
            img_path (str, optional): the image; its header alone is read, to compare its size.

        Raises:
            DataError: outlines are wrong, all of them named, or the image has another size.
            OSError: see `write_mask`.
        """
        if img_path is not None:
            self._check_image(img_path, shape)
        faults = []
        mask = paint_regions(_regions(outlines, shape, faults), shape)
        if faults:
            raise DataError(f'{self.source}: {"; ".join(faults)}. Correct or remove them.')
        write_mask(osp.join(self.out, f'{name}.png'), mask, self.record)

    def _check_image(self, path, shape):
        height, width = read_image_shape(path)
        if (height, width) != shape:
            raise DataError(
                f'{path}: the image is {width}x{height} (width x height), but {self.source} says '
                f'{shape[1]}x{shape[0]}. Take the image and the file of one release.')


def _regions(outlines, shape, faults):
    """Yield (label, Region) of the outlines; what is wrong with the others goes into `faults`."""
    for number, label, segmentation in outlines:
        try:
            region = outline_region(segmentation, shape)
        except ValueError as error:
            faults.append(f'annotation {number}: its outline {error}')
        else:
            yield label, region
