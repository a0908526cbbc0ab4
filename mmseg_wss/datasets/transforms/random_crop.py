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
    windows are mmseg's, unless `object_prob` is set.

    With `object_prob` a share of the windows holds an object. Its class is drawn evenly from those
    that the image has, so that small objects count as much as large ones; then one of its pixels in
    the mask, evenly, or, of a class that is in no mask of the image but has boxes, a point in one
    of its boxes; then the window, evenly from those that hold this pixel. An image without a mask
    or boxes of an object (tags do not say where it is) gets any window.

    Source: nnU-Net (Isensee et al., Nature Methods 2021) takes a third of its patches so
    (``oversample_foreground_percent=0.33``), with the pixel in the middle of the patch.

    Modified keys: img, img_shape, the maps of seg_fields, gt_bboxes, gt_bboxes_labels.

    Args:
        crop_size (int | tuple): (H, W) of the crop; a smaller image keeps its size.
        cat_max_ratio (float): windows where one class takes more than this share of the labelled
            pixels are drawn again, up to 10 times; not those that `object_prob` draws, since most
            of a window around a small object is background.
        ignore_index (int): the label that is no class.
        object_prob (float): probability of a window that holds an object.

    Raises:
        ValueError: `object_prob` outside of 0..1.
    """

    def __init__(self, crop_size, cat_max_ratio=1., ignore_index=255, *, object_prob=0.):
        super().__init__(crop_size, cat_max_ratio, ignore_index)
        if not 0 <= object_prob <= 1:
            raise ValueError(f'object_prob must be a probability in 0..1, got {object_prob}.')
        self.object_prob = object_prob

    @cache_randomness
    def crop_bbox(self, results):
        """Draw a window (y1, y2, x1, x2); but for `object_prob`, with mmseg's random numbers."""
        height, width = results['img'].shape[:2]
        if self.object_prob and np.random.rand() < self.object_prob:
            pixel = self._draw_object_pixel(results)
            if pixel is not None:
                return self._draw_window(height, width, pixel)
        window = self._draw_window(height, width)
        if self.cat_max_ratio < 1 and 'gt_seg_map' in results:
            for _ in range(10):
                counts = label_counts(self.crop(results['gt_seg_map'], window))
                counts[self.ignore_index] = 0
                if (counts > 0).sum() > 1 and counts.max() < self.cat_max_ratio * counts.sum():
                    break
                window = self._draw_window(height, width)
        return window

    def _draw_window(self, height, width, pixel=(None, None)):
        """Draw a window evenly, from those that hold a pixel (y, x) if there is one."""
        starts = []
        for side, crop, at in zip((height, width), self.crop_size, pixel):
            low, high = 0, max(side - crop, 0)
            if at is not None:
                low, high = max(at - crop + 1, low), min(at, high)
            starts.append(np.random.randint(low, high + 1))
        y, x = starts
        return y, y + self.crop_size[0], x, x + self.crop_size[1]

    def _draw_object_pixel(self, results):
        """Draw a class of the image, then a pixel (y, x) of it; None where no object is known."""
        mask, drawn = results.get('gt_seg_map'), ()
        if mask is not None:
            drawn = [label for label in np.flatnonzero(label_counts(mask))
                     if label not in (0, self.ignore_index)]
        boxed = results.get('gt_bboxes_labels', ())
        classes = sorted({*drawn, *boxed})
        if not classes:
            return None
        label = classes[np.random.randint(len(classes))]
        if label in drawn:
            pixels = np.flatnonzero(mask == label)
            return divmod(int(pixels[np.random.randint(len(pixels))]), mask.shape[1])
        boxes = results['gt_bboxes'][boxed == label]
        x1, y1, x2, y2 = boxes[np.random.randint(len(boxes))]
        height, width = results['img'].shape[:2]
        return (min(int(np.random.uniform(y1, y2)), height - 1),
                min(int(np.random.uniform(x1, x2)), width - 1))

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
