"""Load whatever label an image has."""
import numpy as np
from mmcv.transforms import BaseTransform

from mmseg_wss.datasets.label_check import box_faults, mask_faults, tag_faults
from mmseg_wss.datasets.mask_file import read_mask
from mmseg_wss.datasets.objects import OBJECT_KEYS, load_objects, stale_mask_faults
from mmseg_wss.errors import DataError
from mmseg_wss.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadWeakLabels(BaseTransform):
    """Load the labels that the image's supervision allows, and check them.

    'pixel' and 'pseudo' give the mask, 'box' gives boxes and tags, 'image' gives tags alone. What
    an image does not have stays absent. Use it for evaluation too, behind ``Resize``, since a
    prediction is compared at the size of the file. Where the data set has ``with_boxes=True``, an
    image with a mask gets its boxes too, for the network's input (`BoxPriors`).

    Required keys: img_path, ori_shape, classes, supervision, and seg_map_path | pseudo_mask_path |
    box_path | objects | tags.

    Added keys:

    - gt_seg_map (uint8 (H, W), 255 ignored) and its name in seg_fields
    - gt_bboxes (float32 (M, 4): x1, y1, x2, y2 in pixels, half-open), gt_bboxes_labels (int64 (M,))
    - gt_tags (uint8 (K,)): 1 for a class that is in the image, and for the background
    - ori_bboxes, ori_bboxes_labels: the boxes in pixels of the file, for 'box' and wherever a data
      set has ``with_boxes=True``; no transform moves them

    Args:
        backend_args (dict, optional): see ``mmengine.fileio``.

    Raises:
        DataError: a label file is missing, unreadable or wrong (`mask_faults`, `box_faults`), or a
            weak image has no object at all, or a mask was made for other boxes than it has.
    """

    def __init__(self, backend_args=None):
        self.backend_args = backend_args

    def transform(self, results):
        supervision = results['supervision']
        if supervision in ('pixel', 'pseudo'):
            self._load_mask(results, truth=supervision == 'pixel')
            if any(key in results for key in OBJECT_KEYS):
                self._load_boxes(results)
        elif 'tags' in results:
            self._add_tags(
                results, results['tags'], f'{results["img_path"]}: by its tags, the image')
        else:
            self._load_boxes(results)
        return results

    def _load_mask(self, results, truth):
        path = results['seg_map_path' if truth else 'pseudo_mask_path']
        mask = read_mask(path, self.backend_args)
        faults = mask_faults(mask, len(results['classes']), results['ori_shape'], truth)
        if faults:
            raise DataError(f'{path}: the mask {"; it ".join(faults)}.')
        results['gt_seg_map'] = mask.astype(np.uint8)
        results['seg_fields'].append('gt_seg_map')

    def _load_boxes(self, results):
        supervision, classes = results['supervision'], results['classes']
        names, boxes, path = load_objects(results, classes)
        faults = box_faults(names, boxes, classes, results['ori_shape'])
        if not names and supervision != 'pixel':
            faults = tag_faults(names, classes)
        if faults:
            raise DataError(f'{path}: {"the weak image " if not names else ""}'
                            f'{"; ".join(faults)}.')
        stale = stale_mask_faults(results, names, boxes, path)
        if stale:
            raise DataError(f'{stale[0]}.')
        labels = np.array([classes.index(name) for name in names], np.int64)
        if supervision in ('box', 'image'):
            self._add_tags(results, names, path)
        if supervision != 'image':
            results['ori_bboxes'], results['ori_bboxes_labels'] = boxes, labels
        if supervision == 'box':
            results['gt_bboxes'], results['gt_bboxes_labels'] = boxes, labels

    @staticmethod
    def _add_tags(results, names, what):
        classes = results['classes']
        faults = tag_faults(names, classes)
        if faults:
            raise DataError(f'{what} {"; it ".join(faults)}.')
        tags = np.zeros(len(classes), np.uint8)
        tags[[0, *(classes.index(name) for name in names)]] = 1
        results['gt_tags'] = tags
