"""A picture of what the network predicts, after each validation."""
import os.path as osp

import mmcv
import numpy as np
from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from mmseg_wss.registry import HOOKS
from mmseg_wss.visualization import overlay_mask, save_panels


def image_iou(truth, predicted, ignore=255):
    """Mean IoU of an image over the classes that are in its mask or in its prediction.

    Args:
        truth, predicted (np.ndarray): uint8 (H, W), class indices.
        ignore (int): in the truth, of pixels that do not count.

    Returns:
        float: in 0..1; nan where every pixel is ignored.
    """
    kept = truth != ignore
    truth, predicted = truth[kept], predicted[kept]
    hits, true, found = (np.bincount(labels, minlength=256) for labels in (
        truth[truth == predicted], truth, predicted))
    union = true + found - hits
    there = union > 0
    return float((hits[there] / union[there]).mean()) if there.any() else float('nan')


@HOOKS.register_module()
class ValPanelHook(Hook):
    """Write ``val_panel.png`` into the work folder: image, truth and prediction of some images.

    The first rows are spread evenly over the evaluation list, and are the same at every validation,
    so that two files can be compared. Below them are the worst images of this validation by
    `image_iou`, the worst first; with several processes, of those that the first process sees.
    A later validation replaces the picture. The visualizer of the run gets it, too: TensorBoard and
    W&B show one of each validation, and ``vis_data/vis_image`` keeps them.

    Args:
        num_images (int): spread rows.
        num_worst (int): rows of the worst images.
    """

    def __init__(self, num_images=4, num_worst=4):
        self.num_images = num_images
        self.num_worst = num_worst
        self._spread, self._worst = [], []

    def before_val_epoch(self, runner):
        size = len(runner.val_dataloader)
        self._chosen = set(np.linspace(0, size - 1, min(self.num_images, size)).astype(int))
        self._spread, self._worst = [], []

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if not is_main_process():
            return
        for position, sample in enumerate(outputs):
            truth, predicted = (sample.get(key).data.squeeze(0).cpu().numpy().astype(np.uint8)
                                for key in ('gt_sem_seg', 'pred_sem_seg'))
            row = image_iou(truth, predicted), sample.img_path, truth, predicted
            if batch_idx in self._chosen and position == 0:
                self._spread.append(row)
            elif not np.isnan(row[0]):
                self._worst = sorted([*self._worst, row], key=lambda row: row[0])[:self.num_worst]

    def after_val_epoch(self, runner, metrics=None):
        rows = self._spread + self._worst
        if not rows:
            return
        meta = runner.val_dataloader.dataset.metainfo
        path = osp.join(runner.work_dir, 'val_panel.png')
        labels = {label for row in rows for mask in row[2:] for label in np.unique(mask).tolist()}
        save_panels(path, [self._draw(number, *row, meta['palette'])
                           for number, row in enumerate(rows)],
                    ('image', 'truth', 'prediction'), meta['classes'], meta['palette'],
                    labels - {0})  # the background stays clear
        runner.logger.info(f'Image, truth and prediction of {len(self._spread)} images and of the '
                           f'{len(self._worst)} worst of the others: {path}')
        runner.visualizer.add_image(
            'val_panel', mmcv.imread(path, channel_order='rgb'), step=runner.iter)

    def _draw(self, number, iou, path, truth, predicted, palette):
        """The text and the pictures of a row (`save_panels`)."""
        image = mmcv.imread(path, channel_order='rgb')
        worst = number - len(self._spread) + 1
        text = f'{osp.basename(path)}\nmIoU ' + ('-' if np.isnan(iou) else f'{100 * iou:.1f} %')
        return (f'worst {worst}: {text}' if worst > 0 else text), (
            image, overlay_mask(image, truth, palette), overlay_mask(image, predicted, palette))
