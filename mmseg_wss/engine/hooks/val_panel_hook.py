"""A picture of what the network predicts, after each validation."""
import os.path as osp

import mmcv
import numpy as np
from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from mmseg_wss.registry import HOOKS
from mmseg_wss.visualization import overlay_mask, save_panels


@HOOKS.register_module()
class ValPanelHook(Hook):
    """Write ``val_panel.png`` into the work folder: image, truth and prediction of a few images.

    The images are spread evenly over the evaluation list, and are the same at every validation, so
    that two files can be compared. A later validation replaces the picture.

    Args:
        num_images (int): rows of the picture.
    """

    def __init__(self, num_images=6):
        self.num_images = num_images
        self._rows, self._labels = [], set()

    def before_val_epoch(self, runner):
        size = len(runner.val_dataloader)
        self._chosen = set(np.linspace(0, size - 1, min(self.num_images, size)).astype(int))
        self._rows, self._labels = [], set()

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if batch_idx not in self._chosen or not is_main_process():
            return
        sample = outputs[0]
        image = mmcv.imread(sample.img_path, channel_order='rgb')
        palette = runner.val_dataloader.dataset.metainfo['palette']
        truth, predicted = (sample.get(key).data.squeeze().cpu().numpy().astype(np.uint8)
                            for key in ('gt_sem_seg', 'pred_sem_seg'))
        self._rows.append((osp.basename(sample.img_path), (
            image, overlay_mask(image, truth, palette), overlay_mask(image, predicted, palette))))
        self._labels.update(np.unique(truth).tolist(), np.unique(predicted).tolist())

    def after_val_epoch(self, runner, metrics=None):
        if not self._rows:
            return
        meta = runner.val_dataloader.dataset.metainfo
        path = osp.join(runner.work_dir, 'val_panel.png')
        save_panels(path, self._rows, ('image', 'truth', 'prediction'), meta['classes'],
                    meta['palette'], self._labels)
        runner.logger.info(f'Image, truth and prediction of {len(self._rows)} images: {path}')
