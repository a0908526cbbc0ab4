"""Masks of SBD (Hariharan et al., Semantic contours from inverse detectors, ICCV 2011)."""
import os.path as osp
from typing import NamedTuple

import numpy as np

from mmseg_wss.errors import DataError
from mmseg_wss.labels.checks.label_check import mask_faults
from mmseg_wss.labels.formats.class_names import VOC_CLASSES
from mmseg_wss.labels.formats.image_file import read_image_shape
from mmseg_wss.labels.formats.mask_file import read_mask, write_mask
from mmseg_wss.labels.formats.mat_file import check_mat


def read_sbd_mask(path):
    """Read the class mask of a file of ``benchmark_RELEASE/dataset/cls``.

    Of the variables of the file, GTcls alone is read, and of it the field Segmentation is used.

    Args:
        path (str | Path): ``ID.mat``.

    Returns:
        np.ndarray: uint8 (H, W), VOC's class indices; SBD has no ignored pixels.

    Raises:
        DataError: the file is missing, no .mat file, or not laid out as SBD's are.
    """
    mask = _segmentation(_load(path))
    if mask is None:
        raise DataError(
            f'{path}: not laid out as the class masks of SBD are: expected a struct GTcls with one '
            'map of numbers, Segmentation. Take the folder dataset/cls of benchmark_RELEASE '
            '(dataset/inst holds other files), or unpack benchmark.tgz again.')
    if not ((mask >= 0) & (mask <= 255) & (mask == np.floor(mask))).all():
        raise DataError(f'{path}: GTcls.Segmentation has values that are no class index, 0..255. '
                        'Unpack benchmark.tgz again.')
    return mask.astype(np.uint8)


def _load(path):
    import scipy.io  # here: it takes longer to load than to read VOC's own masks
    try:
        check_mat(path)
        return scipy.io.loadmat(str(path), variable_names=['GTcls'])
    except FileNotFoundError as error:
        raise DataError(f'{path}: there is no such mask. Unpack benchmark.tgz again.') from error
    except NotImplementedError as error:
        raise DataError(f'{path}: a MATLAB 7.3 (HDF5) file, which no file of SBD is. Unpack '
                        'benchmark.tgz again.') from error
    except Exception as error:  # SciPy trips over a corrupt file in many ways and wraps none
        raise DataError(f'{path}: not a readable .mat file ({error}). Unpack benchmark.tgz again.'
                        ) from error


def _segmentation(content):
    """GTcls.Segmentation as an array (H, W) of numbers, or None."""
    structs = content.get('GTcls')
    names = getattr(getattr(structs, 'dtype', None), 'names', None) or ()
    if 'Segmentation' not in names or structs.size != 1:
        return None
    mask = structs['Segmentation'].item()
    is_map = isinstance(mask, np.ndarray) and mask.dtype.kind in 'uif' and mask.ndim == 2
    return mask if is_map and mask.size else None


class Job(NamedTuple):
    """The arguments of `MakeAugMask`'s call."""
    name: str
    mask_path: str
    img_path: str


def find_jobs(devkit, sbd, splits):
    """The images that VOC or SBD has a mask of.

    Args:
        devkit (str): the folder VOC2012.
        sbd (str): the folder benchmark_RELEASE.
        splits (Splits): of both.

    Returns:
        list[Job]: by name; with VOC's mask where there is one.
    """
    jobs = []
    for name in sorted(splits.voc_train | splits.voc_val | splits.sbd):
        mask_path = osp.join(devkit, 'SegmentationClass', f'{name}.png')
        if not osp.isfile(mask_path) and name in splits.sbd:
            mask_path = osp.join(sbd, 'dataset/cls', f'{name}.mat')
        jobs.append(Job(name, mask_path, osp.join(devkit, 'JPEGImages', f'{name}.jpg')))
    return jobs


class MakeAugMask:
    """A function that makes and writes a mask of SegmentationClassAug; it can be pickled.

    Args:
        out (str): folder of the masks.
        record (dict): see `write_mask`.
    """

    def __init__(self, out, record):
        self.out = out
        self.record = record

    def __call__(self, name, mask_path, img_path):
        """Make the mask ``OUT/name.png``.

        Args:
            name (str): ID of the image.
            mask_path (str): VOC's mask, PNG, or SBD's, .mat.
            img_path (str): the image; its header alone is read.

        Raises:
            DataError: a file is missing, unreadable or wrong, or the mask has another size.
            OSError: see `write_mask`.
        """
        mask = read_sbd_mask(mask_path) if mask_path.endswith('.mat') else read_mask(mask_path)
        faults = mask_faults(mask, len(VOC_CLASSES), read_image_shape(img_path), is_truth=False)
        if faults:
            raise DataError(f'{mask_path}: the mask {"; it ".join(faults)}. Or take the mask and '
                            f'the image ({img_path}) from their releases again.')
        write_mask(osp.join(self.out, f'{name}.png'), mask, self.record)
