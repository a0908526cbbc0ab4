"""Load whatever label an image has."""
import numpy as np
from mmcv.transforms import BaseTransform

from mmseg_wss.errors import DataError
from mmseg_wss.labels.checks.label_check import (
    MASK_KEYS,
    box_faults,
    labelled_names,
    mask_faults,
    partial_mask_faults,
    tag_faults,
    untagged_faults,
)
from mmseg_wss.labels.formats.mask_file import read_mask
from mmseg_wss.labels.objects import OBJECT_KEYS, load_objects, stale_mask_faults
from mmseg_wss.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadWeakLabels(BaseTransform):
    """Load the labels that the image's supervision allows, and check them.

    'pixel' and 'pseudo' give the mask, 'box' gives boxes and tags, 'image' gives tags alone,
    'point' and 'scribble' give a mask that is 255 but for the points or scribbles, and tags: those
    of the data set's tag file, else the classes that the mask has. What an image does not have
    stays absent. Use it for evaluation too, behind ``Resize``, since a prediction is compared at
    the size of the file. Where the data set has ``with_boxes=True``, an image with a whole mask
    gets its boxes too, for the network's input (`BoxPriors`). Where the record of a mask says for
    which boxes it was made, these are read and compared in any case.

    Required keys: img_path, ori_shape, classes, supervision, and seg_map_path | pseudo_mask_path |
    partial_mask_path | box_path | objects | tags; mask_inputs (see `stale_mask_faults`);
    has_crowd where 255 in a true mask may be crowds.

    Added keys:

    - gt_seg_map (uint8 (H, W), 255 ignored) and its name in seg_fields
    - gt_bboxes (float32 (M, 4): x1, y1, x2, y2 in pixels, half-open), gt_bboxes_labels (int64 (M,))
    - gt_tags (uint8 (K,)): 1 for a class that is in the image, and for the background
    - ori_bboxes, ori_bboxes_labels: the boxes in pixels of the file, for 'box' and wherever a data
      set has ``with_boxes=True``; no transform moves them

    Args:
        backend_args (dict, optional): see ``mmengine.fileio``.

    Raises:
        DataError: a label file is missing, unreadable or wrong (`mask_faults`, `box_faults`,
            `partial_mask_faults`), or a boxed or tagged image has no object at all, or a mask was
            made for other boxes than the image has, or points or scribbles are of a class that the
            tags do not have.
    """

    def __init__(self, backend_args=None):
        self.backend_args = backend_args

    def transform(self, results):
        supervision = results['supervision']
        if supervision in ('pixel', 'pseudo'):
            self._load_mask(results)
            if any(key in results for key in OBJECT_KEYS):
                self._load_boxes(results)
            else:
                self._check_record(results)
        elif supervision in ('point', 'scribble'):
            self._load_mask(results)
            self._add_tags_of_partial_mask(results)
        elif 'tags' in results:
            self._add_tags(
                results, results['tags'], f'{results["img_path"]}: by its tags, the image')
        else:
            self._load_boxes(results)
        return results

    def _load_mask(self, results):
        key = MASK_KEYS[results['supervision']]
        path = results[key]
        mask = read_mask(path, self.backend_args)
        facts = mask, len(results['classes']), results['ori_shape']
        is_truth = key == 'seg_map_path' and not results.get('has_crowd')
        faults = (partial_mask_faults(*facts) if key == 'partial_mask_path' else
                  mask_faults(*facts, is_truth))
        if faults:
            raise DataError(f'{path}: the mask {"; it ".join(faults)}.')
        results['gt_seg_map'] = mask.astype(np.uint8)
        results['seg_fields'].append('gt_seg_map')

    def _load_boxes(self, results):
        supervision, classes = results['supervision'], results['classes']
        names, boxes, path = objects = load_objects(results, classes)
        faults = box_faults(names, boxes, classes, results['ori_shape'])
        if not names and supervision != 'pixel':
            faults = tag_faults(names, classes)
        if faults:
            raise DataError(f'{path}: {"the weak image " if not names else ""}'
                            f'{"; ".join(faults)}.')
        self._check_record(results, objects)
        labels = np.array([classes.index(name) for name in names], np.int64)
        if supervision in ('box', 'image'):
            self._add_tags(results, names, path)
        if supervision != 'image':
            results['ori_bboxes'], results['ori_bboxes_labels'] = boxes, labels
        if supervision == 'box':
            results['gt_bboxes'], results['gt_bboxes_labels'] = boxes, labels

    @staticmethod
    def _check_record(results, objects=None):
        stale = stale_mask_faults(results, results['classes'], objects)
        if stale:
            raise DataError(f'{stale[0]}.')

    def _add_tags_of_partial_mask(self, results):
        mask, classes = results['gt_seg_map'], results['classes']
        names = results.get('tags', labelled_names(mask, classes))
        faults = untagged_faults(mask, names, classes)
        if faults:
            raise DataError(f'{results["partial_mask_path"]}: the mask {"; it ".join(faults)}.')
        if names:
            self._add_tags(results, names, f'{results["img_path"]}: by its tags, the image')
        else:  # scribbles on the background alone
            self._set_tags(results, names)

    def _add_tags(self, results, names, what):
        faults = tag_faults(names, results['classes'])
        if faults:
            raise DataError(f'{what} {"; it ".join(faults)}.')
        self._set_tags(results, names)

    @staticmethod
    def _set_tags(results, names):
        classes = results['classes']
        tags = np.zeros(len(classes), np.uint8)
        tags[[0, *(classes.index(name) for name in names)]] = 1
        results['gt_tags'] = tags
