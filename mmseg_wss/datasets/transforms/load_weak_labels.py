"""Load whatever label an image has."""
from mmcv.transforms import BaseTransform

from mmseg_wss.datasets.mask_source import read_training_label
from mmseg_wss.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadWeakLabels(BaseTransform):
    """Load the labels that the image's supervision allows (`KINDS`), and check them.

    'pixel' and 'pseudo' give the mask, 'box' gives boxes and tags, 'image' gives tags alone,
    'point' and 'scribble' give a mask that is 255 but for the points or scribbles, and tags: those
    of the data set's tag file, else the classes that the mask has; none where it has the background
    alone, which does not say that nothing else is there. What an image does not have stays absent;
    'none' has nothing. Use it for evaluation too, behind ``Resize``, since a
    prediction is compared at the size of the file. Where the data set has ``with_boxes=True``, an
    image with a whole mask gets its boxes too, for the network's input (`BoxPriors`). An image that
    is known to be empty has boxes of shape (0, 4) and no tag but the background's, or, where the
    data set has ``empty='unlabelled'``, no label, and supervision 'none' from here on. Where the
    record of a mask says for which boxes it was made, these are read and compared in any case.
    Where the data set has `masks`, the mask is that of the source (`read_training_label`).

    A sample with neither supervision nor seg_map_path is an image alone, as mmseg's
    ``inference_model`` and ``MMSegInferencer`` give it: it passes as it is.

    Required keys: img_path, ori_shape, classes, supervision, and what its reader needs:
    seg_map_path | pseudo_mask_path | partial_mask_path | box_path | objects | tags; empty, where
    it is not the default (`WeakSegDataset`); mask_inputs
    (see `stale_mask_faults`); has_crowd where 255 in a true mask may be crowds.

    Added keys:

    - gt_seg_map (uint8 (H, W), 255 ignored) and its name in seg_fields
    - gt_bboxes (float32 (M, 4): x1, y1, x2, y2 in pixels, half-open), gt_bboxes_labels (int64 (M,))
    - gt_tags (uint8 (K,)): 1 for a class that is in the image, and for the background
    - ori_bboxes, ori_bboxes_labels: the boxes in pixels of the file, for 'box' and wherever a data
      set has ``with_boxes=True``; no transform moves them

    Args:
        backend_args (dict, optional): see ``mmengine.fileio``.

    Raises:
        DataError: a label file is missing, unreadable or wrong (`read_label`); all that is wrong
            with the label is named.
    """

    def __init__(self, backend_args=None):
        self.backend_args = backend_args

    def transform(self, results):
        if 'supervision' not in results and 'seg_map_path' not in results:
            return results
        label = read_training_label(
            results, results['classes'], results['ori_shape'], self.backend_args)
        results.update(label.checked_fields())
        if label.empty and not label.fields.keys() - {'gt_seg_map'}:  # it is called unlabelled
            results['supervision'] = 'none'
        if 'gt_seg_map' in label.fields:
            results['seg_fields'].append('gt_seg_map')
        return results
