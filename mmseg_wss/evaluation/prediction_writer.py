"""Write what a network predicts."""
import os.path as osp

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmseg_wss.labels.formats.mask_file import write_mask
from mmseg_wss.registry import METRICS


@METRICS.register_module()
class PredictionWriter(BaseMetric):
    """A "metric" that writes the predicted class of every pixel, and measures nothing.

    Each image gets ``OUT_DIR/ID.png``, a PNG of class indices with VOC's palette at the size of the
    image's file, as VOC's server takes it. ID is the file's name without its suffix.

    Args:
        out_dir (str): folder of the predictions; it is made.
        **kwargs: see ``mmengine.evaluator.BaseMetric``.
    """

    def __init__(self, out_dir, **kwargs):
        super().__init__(**kwargs)
        self.out_dir = out_dir

    def process(self, data_batch, data_samples):
        """Write the predictions of a batch.

        Args:
            data_batch: not used.
            data_samples (Sequence[dict]): with pred_sem_seg and img_path.

        Raises:
            DiskFullError: no space is left.
            OSError: a file cannot be written.
        """
        for sample in data_samples:
            labels = sample['pred_sem_seg']['data'].squeeze(0).cpu().numpy().astype(np.uint8)
            name = osp.splitext(osp.basename(sample['img_path']))[0]
            write_mask(osp.join(self.out_dir, f'{name}.png'), labels)
            self.results.append(name)

    def compute_metrics(self, results):
        """Nothing, an empty dict; how many there are is printed.

        Args:
            results (list[str]): names of the images, of all processes.
        """
        print_log(f'{len(results)} predictions are in {self.out_dir}', logger='current')
        return {}
