"""Precomputed MCG proposals: for each box, the one whose own box overlaps most with it."""
import numpy as np
import scipy.io
from scipy.ndimage import find_objects
from scipy.sparse import issparse

from mmseg_wss.errors import DataError
from mmseg_wss.labels.boxes import box_ious, pixel_windows
from mmseg_wss.labels.formats.mat_file import check_mat


def mcg_masks(path, boxes, shape):
    """Choose one published MCG proposal per box, without its trained ranking.

    Of the proposals of Pont-Tuset et al. (TPAMI 2017) each box gets the one whose tight box has the
    highest IoU with it (mixed-dual-head paper, section 3.1); of several, the largest, since the
    order in the file is that of the ranking, which was trained on masks. `scores` is not read, and
    neither is `bboxes`, whose rows need not belong to those of `labels`.

    Args:
        path (str | Path): .mat file with `superpixels` (H, W), numbered from 1, and either
            `labels`, a cell array of N lists of those numbers, or `sp2reg`, logical (superpixels,
            N) or its transpose.
        boxes (np.ndarray): float (M, 4), (x1, y1, x2, y2) in pixels, half-open.
        shape (tuple): (H, W) of the image.

    Returns:
        np.ndarray: bool (M, H, W). Each mask lies within its box's pixels (`pixel_windows`); it is
        the whole box where the chosen proposal has no pixel in the box, or there is no proposal.

    Raises:
        DataError: the file is missing, no such .mat file, or made for an image of another size.
    """
    windows = pixel_windows(boxes, shape)
    masks = np.zeros((len(windows), *shape), bool)
    if not len(windows):
        return masks
    superpixels, members, sizes = read_mcg(path, shape)
    starts = np.cumsum(sizes) - sizes
    tight, areas = proposal_boxes(superpixels, members, starts)
    for mask, window in zip(masks, windows):
        x1, y1, x2, y2 = window
        inside = np.s_[y1:y2, x1:x2]
        if len(sizes) and x1 < x2 and y1 < y2:
            best = np.lexsort((areas, box_ious(tight, window)))[-1]
            chosen = members[starts[best]:starts[best] + sizes[best]]
            mask[inside] = np.isin(superpixels[inside], chosen)
        if not mask.any():
            mask[inside] = True
    return masks


def proposal_boxes(superpixels, members, starts):
    """Tight boxes of unions of superpixels, from the superpixels' boxes alone.

    Args:
        superpixels (np.ndarray): int (H, W), numbered from 1.
        members (np.ndarray): int, the numbers of proposal 0's superpixels, then proposal 1's, ...
        starts (np.ndarray): int (N,), where in `members` each proposal starts; none is empty.

    Returns:
        tuple: boxes int64 (N, 4), (x1, y1, x2, y2), half-open; areas int64 (N,), in pixels.
    """
    if not len(starts):
        return np.zeros((0, 4), np.int64), np.zeros(0, np.int64)
    nothing = (*superpixels.shape[::-1], 0, 0)  # of a number that no pixel has
    boxes = np.array(
        [nothing if part is None else (part[1].start, part[0].start, part[1].stop, part[0].stop)
         for part in find_objects(superpixels)])[members - 1]
    areas = np.bincount(superpixels.ravel())[members]
    tight = np.concatenate([np.minimum.reduceat(boxes[:, :2], starts),
                            np.maximum.reduceat(boxes[:, 2:], starts)], 1)
    return tight, np.add.reduceat(areas, starts)


def read_mcg(path, shape):
    """Read and check the proposals of a .mat file.

    Returns:
        tuple: superpixels int64 (H, W), numbered from 1; members int64, the numbers of the first
        proposal's superpixels, then the second's, ...; sizes int64 (N,), how many each has.
        Proposals without a superpixel are left out.

    Raises:
        DataError: see `mcg_masks`.
    """
    _read_mat(path, check_mat)
    fields = _read_mat(path, scipy.io.whosmat)
    found = ', '.join(f'{name} {size}' for name, size, _ in fields) or 'none'

    def refuse(fault):
        raise DataError(f'{path}: {fault}. Fields found: {found}. Expected are the files of the '
                        'MCG release: superpixels (H, W) and labels (N, 1); fetch this one again, '
                        'or compute proposals without it by the method "region".')

    sizes = {name: size for name, size, _ in fields}
    key = next((name for name in ('labels', 'sp2reg') if name in sizes), None)
    if 'superpixels' not in sizes or key is None:
        refuse('no MCG proposals: superpixels, or both of labels and sp2reg, are missing')
    if sizes['superpixels'] != tuple(shape):
        refuse(f'superpixels are {sizes["superpixels"]}, but the image is {tuple(shape)}: rows, '
               'columns')
    mat = _read_mat(path, scipy.io.loadmat, variable_names=['superpixels', key])
    superpixels = _numbers(mat['superpixels'], shape[0] * shape[1])
    if superpixels is None:
        refuse('superpixels must be whole numbers from 1 to the number of pixels')
    num = int(superpixels.max())
    lists = _cell_lists(mat[key]) if key == 'labels' else _matrix_lists(mat[key], num)
    if lists is None:
        refuse(f'{key} is neither a cell array of lists of superpixels nor a logical matrix with '
               f'one side of {num}, the number of superpixels')
    members = _numbers(lists[0], num)
    if members is None:
        refuse(f'{key} names superpixels other than 1..{num}')
    return superpixels, members, lists[1][lists[1] > 0]


def _read_mat(path, read, **kwargs):
    try:
        return read(str(path), **kwargs)
    except FileNotFoundError as error:
        raise DataError(f'{path}: there is no such file of MCG proposals. Add it, or use the '
                        'method "region", which needs none.') from error
    except NotImplementedError as error:
        raise DataError(f'{path}: a MATLAB 7.3 (HDF5) file. Save it in the older format: in MATLAB '
                        "load it and save(name, '-v7').") from error
    except Exception as error:  # SciPy raises errors of many types for a corrupt file
        raise DataError(f'{path}: not a readable .mat file ({error}). Fetch it again.') from error


def _numbers(values, highest):
    """As int64, or None if one is not a whole number from 1 to `highest`."""
    if _is_numeric(values) and np.all(
            (values >= 1) & (values <= highest) & (values == np.floor(values))):
        return values.astype(np.int64)
    return None


def _is_numeric(values):
    return isinstance(values, np.ndarray) and values.dtype.kind in 'uif'


def _cell_lists(cells):
    """Cell array of N lists -> all numbers in a row, and N counts; None if it is no such array."""
    if cells.dtype != object or not all(map(_is_numeric, cells.flat)):
        return None
    if not cells.size:
        return np.zeros(0), np.zeros(0, np.int64)
    lists = [cell.ravel() for cell in cells.flat]
    return np.concatenate(lists), np.array([len(numbers) for numbers in lists])


def _matrix_lists(matrix, num):
    """Logical (num, N), or its transpose, as `_cell_lists` returns it."""
    if issparse(matrix):
        try:
            matrix.check_format()  # SciPy writes wherever the indices of a file say
        except ValueError:
            return None
        matrix = matrix.toarray()
    if matrix.dtype.kind not in 'buif' or matrix.ndim != 2 or num not in matrix.shape:
        return None
    regions = matrix.T if len(matrix) == num else matrix
    return np.nonzero(regions)[1] + 1, np.count_nonzero(regions, axis=1)
