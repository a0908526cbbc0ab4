"""Position and class priors from boxes, as further input channels of AnnNet."""
import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmseg_wss.datasets.transforms.pseudo_mask import rect_mask
from mmseg_wss.labels.boxes import pixel_windows
from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.registry import TRANSFORMS

_GEOMETRY = 'scale', 'scale_factor', 'pad_shape'  # what resizing and padding set; a crop does not


def box_priors(boxes, labels, shape):
    r"""Position map and class map of the boxes of an image.

    The distance map of a box, with :math:`d(p)` the Euclidean distance from pixel p to the outline
    (which runs through the outermost pixels inside: columns x1 and x2 - 1, rows y1 and y2 - 1):

    .. math::
        D(p) = 128 - d(p) \text{ inside}, \quad 128 + d(p) \text{ outside, truncated to } [0, 255]

    and then, inside, :math:`D(p) \leftarrow 128 (D(p) - D_{min}) / (128 - D_{min})`, so that the
    centre is 0. The position map is the mean of the maps of the boxes that contain a pixel, and the
    mean of all maps where none does; 255 everywhere for an image without boxes. The class map is
    `rect_mask`: the smaller box wins, 0 outside.

    Source: Chen et al., Mixed-dual-head Meets Box Priors, equations 1 and 2 and section 3.2; for no
    boxes Xu et al., Deep GrabCut.

    Args:
        boxes (np.ndarray): (M, 4), (x1, y1, x2, y2) in pixels, half-open; a pixel belongs to a box
            when its centre does.
        labels (np.ndarray): (M,), class indices.
        shape (tuple): (H, W).

    Returns:
        tuple: position, float32 (H, W) in 0..255, and classes, int64 (H, W).
    """
    windows = pixel_windows(boxes, shape)
    windows = windows[(windows[:, :2] < windows[:, 2:]).all(1)]
    classes = rect_mask(boxes, labels, shape).astype(np.int64)
    if not len(windows):
        return np.full(shape, 255, np.float32), classes
    outside, inside = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    count = np.zeros(shape, np.float32)
    for x1, y1, x2, y2 in windows:
        dx, dy = _distances_beyond(x1, x2, shape[1]), _distances_beyond(y1, y2, shape[0])
        outside += np.minimum(128 + cv2.sqrt(dx[None] ** 2 + dy[:, None] ** 2), 255)
        inside[y1:y2, x1:x2] += _inner_map(x2 - x1, y2 - y1)
        count[y1:y2, x1:x2] += 1
    position = np.where(count > 0, inside / np.maximum(count, 1), outside / len(windows))
    return position, classes


def _distances_beyond(start, end, length):
    """Distance of each of `length` pixels to the pixels start..end-1 of its row: float32."""
    pixels = np.arange(length, dtype=np.float32)
    return np.maximum(np.maximum(start - pixels, pixels - (end - 1)), 0)


def _inner_map(width, height):
    """Equation 2 inside a box of `width` x `height` pixels: 128 on its outline, 0 in its centre."""
    # the nearest point of a rectangle's outline lies straight left, right, above or below
    rows, columns = (np.minimum(np.arange(n), np.arange(n)[::-1]) for n in (height, width))
    distance = np.minimum(rows[:, None], columns[None]).astype(np.float32)
    value = np.maximum(128 - distance, 0)
    lowest = value.min()
    return value if lowest == 128 else 128 * (value - lowest) / (128 - lowest)


@TRANSFORMS.register_module()
class BoxPriors(BaseTransform):
    """Add the maps of `box_priors` to an image; `PackWeakSegInputs` makes them channels 4 and 5.

    Place it behind whatever resizes and before the crop. The maps are computed from the boxes as
    the file has them, at the size of the file, and then resized (position bilinear, class nearest)
    and flipped as the image was; a crop or flip behind it takes them along. Padding is up to
    ``WeakSegDataPreprocessor(extra_pad_vals=(255, 0))``. `PackWeakSegInputs` refuses maps that were
    moved in another way (`check_priors`).

    The boxes are those that the data set gives (``supervision='box'`` or ``with_boxes=True``); no
    mask is read here.

    Required keys: img, ori_shape, ori_bboxes, ori_bboxes_labels; scale_factor, flip and
    flip_direction where the image was resized or flipped.

    Added keys: position_prior (float32 (H, W), 0..255), class_prior (uint8 (H, W)), and their names
    in seg_fields; prior_geometry, for `check_priors`.

    Raises:
        ValueError: the image has no boxes (an empty list of boxes is fine), or was cropped before.
    """

    def transform(self, results):
        if 'ori_bboxes' not in results and 'supervision' not in results:
            raise ValueError(
                f'{results["img_path"] or "an array"}: BoxPriors needs boxes, but the image comes '
                'alone: this network sees boxes beside it. Predict with tools/predict.py --boxes '
                "DIR, or give MMSegInferencer a dict of img_path, ori_bboxes and "
                'ori_bboxes_labels (docs/inference.md).')
        if 'ori_bboxes' not in results:
            raise ValueError(
                f'{results["img_path"]}: BoxPriors needs boxes, but the data set '
                f'(supervision={results.get("supervision")!r}) gives none: set with_boxes=True in '
                "it (masks), or supervision='box', and place BoxPriors behind LoadWeakLabels.")
        self._check_size(results)
        position, classes = box_priors(
            results['ori_bboxes'], results['ori_bboxes_labels'], results['ori_shape'])
        size = results['img'].shape[1::-1]
        results['position_prior'] = self._move(position, size, cv2.INTER_LINEAR, results)
        results['class_prior'] = self._move(
            classes.astype(np.uint8), size, cv2.INTER_NEAREST, results)
        results.setdefault('seg_fields', []).extend(('position_prior', 'class_prior'))
        results['prior_geometry'] = [results.get(key) for key in _GEOMETRY]
        return results

    @staticmethod
    def _check_size(results):
        height, width = results['ori_shape']
        x_scale, y_scale = results.get('scale_factor') or (1, 1)
        expected = height * y_scale, width * x_scale
        if any(abs(a - b) > 1 for a, b in zip(expected, results['img'].shape)):
            raise ValueError(
                f'{results["img_path"]}: the image was {width}x{height} and is now '
                f'{results["img"].shape[1]}x{results["img"].shape[0]} (width x height), which its '
                'scale_factor does not explain: place BoxPriors before the crop.')

    @staticmethod
    def _move(map_, size, interpolation, results):
        moved = cv2.resize(map_, size, interpolation=interpolation)
        if not results.get('flip'):
            return moved
        axis = dict(horizontal=1, vertical=0, diagonal=-1)[results['flip_direction']]
        return cv2.flip(moved, axis)


def check_priors(results):
    """Refuse maps of `BoxPriors` that a later transform has spoiled.

    Resizing would take the nearest pixel of every map; padding and rotation would fill the maps
    with 255, or leave them where they were.

    Args:
        results (dict): position_prior, class_prior, img_path, prior_geometry and the keys that it
            has the values of.

    Raises:
        ValueError: the image was resized or padded since, or the class map has the value 255.
    """
    then, now = results['prior_geometry'], [results.get(key) for key in _GEOMETRY]
    if then != now:
        changes = ', '.join(f'{key} was {old} and is {new}'
                            for key, old, new in zip(_GEOMETRY, then, now) if old != new)
        raise ValueError(
            f'{results["img_path"]}: the image was resized or padded behind BoxPriors ({changes}): '
            'place BoxPriors behind whatever resizes, and leave padding to '
            'WeakSegDataPreprocessor(extra_pad_vals=(255, 0)).')
    if (results['class_prior'] == IGNORE).any():
        raise ValueError(
            f'{results["img_path"]}: the class map of BoxPriors has the value {IGNORE}, which is '
            'no class: a transform behind it, such as RandomRotate, filled it; remove that.')
