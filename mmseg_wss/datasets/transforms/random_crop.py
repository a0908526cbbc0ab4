"""Random crop that takes boxes along."""
import numpy as np
from mmcv.transforms.utils import cache_randomness
from mmseg.datasets.transforms import RandomCrop as SegRandomCrop

from mmseg_wss.labels.checks.label_check import label_counts
from mmseg_wss.registry import TRANSFORMS


def crop_boxes(boxes, window):
    """Move boxes into a window of the image.

    Args:
        boxes (np.ndarray): (M, 4), (x1, y1, x2, y2) in pixels, half-open.
        window (tuple): (y1, y2, x1, x2), the part of the image that is kept.

    Returns:
        tuple: the boxes clipped to the window, in its coordinates, (L, 4); and which of the M are
        still visible, bool (M,) with L times True.
    """
    y1, y2, x1, x2 = window
    moved = boxes - np.array([x1, y1, x1, y1], boxes.dtype)
    moved = moved.clip(0, np.array([x2 - x1, y2 - y1] * 2, boxes.dtype))
    visible = (moved[:, 2] > moved[:, 0]) & (moved[:, 3] > moved[:, 1])
    return moved[visible], visible


@TRANSFORMS.register_module()
class RandomCrop(SegRandomCrop):
    """mmseg's ``RandomCrop``, which also moves gt_bboxes and takes images without a mask.

    mmseg's leaves the boxes where they were, and needs a mask for ``cat_max_ratio < 1``: an image
    without one is cropped at random here. Tags stay those of the whole image. For a given seed the
    windows are mmseg's.

    Modified keys: img, img_shape, the maps of seg_fields, gt_bboxes, gt_bboxes_labels.

    Args:
        crop_size (int | tuple): (H, W) of the crop; a smaller image keeps its size.
        cat_max_ratio (float): windows where one class takes more than this share of the labelled
            pixels are drawn again, up to 10 times.
        ignore_index (int): the label that is no class.
    """

    @cache_randomness
    def crop_bbox(self, results):
        """Draw a window (y1, y2, x1, x2) with the random numbers that mmseg would draw."""
        window = self._draw_window(*results['img'].shape[:2])
        if self.cat_max_ratio < 1 and 'gt_seg_map' in results:
            for _ in range(10):
                counts = label_counts(self.crop(results['gt_seg_map'], window))
                counts[self.ignore_index] = 0
                if (counts > 0).sum() > 1 and counts.max() < self.cat_max_ratio * counts.sum():
                    break
                window = self._draw_window(*results['img'].shape[:2])
        return window

    def _draw_window(self, height, width):
        y, x = (np.random.randint(0, max(side - crop, 0) + 1)
                for side, crop in zip((height, width), self.crop_size))
        return y, y + self.crop_size[0], x, x + self.crop_size[1]

    def transform(self, results):
        height, width = results['img'].shape[:2]
        y1, y2, x1, x2 = self.crop_bbox(results)
        window = y1, min(y2, height), x1, min(x2, width)
        for key in ('img', *results.get('seg_fields', ())):
            results[key] = self.crop(results[key], window)
        results['img_shape'] = results['img'].shape[:2]
        if 'gt_bboxes' in results:
            results['gt_bboxes'], visible = crop_boxes(results['gt_bboxes'], window)
            results['gt_bboxes_labels'] = results['gt_bboxes_labels'][visible]
        return results
