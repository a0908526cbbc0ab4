"""Make a mask from cheaper labels inside the pipeline."""
import numpy as np
from mmcv.transforms import BaseTransform

from mmseg_wss.errors import DataError
from mmseg_wss.labels.boxes import box_areas, pixel_windows
from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.registry import TRANSFORMS


def rect_mask(boxes, labels, shape):
    """Paint boxes as a mask: every pixel of a box takes its class, the smaller box wins.

    This is Bbox-Rect of WSSL (Papandreou et al., ICCV 2015, section 3.3): pixels of several boxes
    go to the one of smallest area (of equal ones to the later), pixels of no box are background.
    A pixel belongs to a box when its centre does.

    Args:
        boxes (np.ndarray): (M, 4), (x1, y1, x2, y2) in pixels, half-open.
        labels (np.ndarray): (M,), class indices.
        shape (tuple): (H, W).

    Returns:
        np.ndarray: uint8 (H, W).
    """
    mask = np.zeros(shape, np.uint8)
    windows = pixel_windows(boxes, shape)
    for i in np.argsort(-box_areas(boxes), kind='stable'):
        x1, y1, x2, y2 = windows[i]
        mask[y1:y2, x1:x2] = labels[i]
    return mask


_REMEDIES = dict(
    image='Tags do not say where an object is. Leave PseudoMask out of the pipeline of this source '
          'and train with mmseg_wss.EMHead or mmseg_wss.RRMHead; or, where the images have files '
          "of boxes, set supervision='box' in its data set.",
    none='Leave PseudoMask out of the pipeline of this source, and give it masks that a network '
         "made: supervision='pseudo' and pseudo_mask=FOLDER (tools/generate_pseudo_masks.py).")


def _no_boxes(path, kind):
    remedy = _REMEDIES.get(kind, 'Load labels with mmseg_wss.LoadWeakLabels before PseudoMask, and '
                                 "set supervision='box' in the data set.")
    what = ('an unlabelled image has none' if kind == 'none' else
            f'the supervision of the image is {kind!r}')
    return f"{path}: PseudoMask(kind='rect') paints boxes, but {what}. {remedy}"


@TRANSFORMS.register_module()
class PseudoMask(BaseTransform):
    """Give weak images a mask that is made from their labels. Images with a mask pass unchanged.

    Place it before resize, so that the mask is made at the size of the file and moves on like any
    mask.

    An image that is known to be empty has boxes, none, and is background all over. One that its
    data set calls unlabelled for that (``empty='unlabelled'``) is 255 all over.

    Required keys: ori_shape, supervision; gt_bboxes and gt_bboxes_labels of a weak image.

    Added keys: gt_seg_map (uint8 (H, W)) and its name in seg_fields.

    Args:
        kind (str): 'rect' paints the boxes (`rect_mask`).

    Raises:
        ValueError: an unknown kind.
        DataError: (when called) a weak image without the labels that the kind needs.
    """

    def __init__(self, kind='rect'):
        if kind != 'rect':
            raise ValueError(f"kind must be 'rect', got {kind!r}.")
        self.kind = kind

    def transform(self, results):
        if 'gt_seg_map' in results:
            return results
        if 'gt_bboxes' in results:
            mask = rect_mask(
                results['gt_bboxes'], results['gt_bboxes_labels'], results['img'].shape[:2])
        elif results.get('empty') == 'unlabelled' and results['supervision'] == 'none':
            mask = np.full(results['img'].shape[:2], IGNORE, np.uint8)
        else:
            raise DataError(_no_boxes(results['img_path'], results.get('supervision')))
        results['gt_seg_map'] = mask
        results['seg_fields'].append('gt_seg_map')
        return results
