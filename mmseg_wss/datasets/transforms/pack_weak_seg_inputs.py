"""Pack an image and whatever labels it has."""
import numpy as np
from mmcv.transforms import to_tensor
from mmengine.structures import InstanceData
from mmseg.datasets.transforms import PackSegInputs

from mmseg_wss.datasets.transforms.box_priors import check_priors
from mmseg_wss.registry import TRANSFORMS

_META_KEYS = ('img_path', 'supervision', 'classes', 'ori_shape', 'img_shape', 'pad_shape',
              'scale_factor', 'flip', 'flip_direction', 'reduce_zero_label', 'ori_bboxes',
              'ori_bboxes_labels')


@TRANSFORMS.register_module()
class PackWeakSegInputs(PackSegInputs):
    """Pack an image and its labels as mmseg's ``PackSegInputs`` does, weak labels too.

    An absent label stays an absent field.

    The input is the image, (C, H, W): with the maps of `BoxPriors` behind B, G, R, where the image
    has them (float32 then, else uint8). The ``SegDataSample`` gets

    - gt_sem_seg: PixelData, int64 (1, H, W), 255 ignored
    - gt_boxes: InstanceData with bboxes (float32 (M, 4): x1, y1, x2, y2 in pixels of the input,
      half-open) and labels (int64 (M,))
    - gt_tags: uint8 (K,), 1 for a class that is in the whole image
    - metainfo: supervision, classes (the data set's names) and img_path besides mmseg's own keys

    Args:
        meta_keys (Sequence[str]): what goes into metainfo.

    Raises:
        ValueError: a transform between `BoxPriors` and this one spoiled the maps (`check_priors`).
    """

    def __init__(self, meta_keys=_META_KEYS):
        super().__init__(meta_keys=meta_keys)

    def transform(self, results):
        if 'position_prior' in results:
            check_priors(results)
            results['img'] = np.dstack(
                (results['img'], results['position_prior'], results['class_prior']))
        packed = super().transform(results)
        sample = packed['data_samples']
        if 'gt_bboxes' in results:
            sample.gt_boxes = InstanceData(
                bboxes=to_tensor(results['gt_bboxes'].astype('float32')),
                labels=to_tensor(results['gt_bboxes_labels']))
        if 'gt_tags' in results:
            sample.gt_tags = to_tensor(results['gt_tags'])
        return packed
