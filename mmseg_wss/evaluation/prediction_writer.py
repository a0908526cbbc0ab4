"""Write what a network predicts."""
import os
import os.path as osp

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.mask_file import write_mask
from mmseg_wss.registry import METRICS


@METRICS.register_module()
class PredictionWriter(BaseMetric):
    """A "metric" that writes the predicted class of every pixel, and measures nothing.

    Each image gets ``OUT_DIR/ID.png``, a PNG of class indices with VOC's palette at the size of the
    image's file, as VOC's server takes it. ID is the file's path below one of the folders, without
    its suffix; the file's name where it lies in none.

    Args:
        out_dir (str): folder of the predictions; it is made.
        image_dirs (Sequence[str]): folders of images.
        **kwargs: see ``mmengine.evaluator.BaseMetric``.
    """

    def __init__(self, out_dir, image_dirs=(), **kwargs):
        super().__init__(**kwargs)
        self.out_dir = out_dir
        self.image_dirs = [osp.abspath(folder) for folder in image_dirs if folder]
        self._paths = {}  # name -> image

    def process(self, data_batch, data_samples):
        """Write the predictions of a batch.

        Args:
            data_batch: not used.
            data_samples (Sequence[dict]): with pred_sem_seg and img_path.

        Raises:
            DataError: two images would have one file.
            DiskFullError: no space is left.
            OSError: a file cannot be written.
        """
        for sample in data_samples:
            labels = sample['pred_sem_seg']['data'].squeeze(0).cpu().numpy().astype(np.uint8)
            name = self._name(sample['img_path'])
            write_mask(osp.join(self.out_dir, f'{name}.png'), labels)
            self.results.append(name)

    def _name(self, path):
        places = [osp.relpath(path, folder) for folder in self.image_dirs]
        below = [place for place in places if place.split(os.sep)[0] != os.pardir]
        name = osp.splitext(min(below, key=len, default=osp.basename(path)))[0]
        if self._paths.setdefault(name, path) != path:
            raise DataError(f'{self._paths[name]} and {path}: their predictions would have one '
                            f'name, {name}. Rename one, or predict one list at a time.')
        return name

    def compute_metrics(self, results):
        """Nothing, an empty dict; how many there are is printed.

        Args:
            results (list[str]): names of the images, of all processes.
        """
        print_log(f'{len(results)} predictions are in {self.out_dir}', logger='current')
        return {}
