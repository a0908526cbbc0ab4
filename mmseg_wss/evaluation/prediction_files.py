"""Write everything that is kept of a prediction."""
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from mmengine.dist import get_dist_info
from mmengine.evaluator import BaseMetric
from PIL import Image

from mmseg_wss.evaluation.process_counts import sum_over_processes
from mmseg_wss.evaluation.refine import class_probabilities
from mmseg_wss.labels.formats.image_file import read_image
from mmseg_wss.labels.stores.mask_folder import MaskFolder, label_path
from mmseg_wss.registry import METRICS
from mmseg_wss.utils.fileio import atomic_path
from mmseg_wss.visualization.legend import draw_masks


@METRICS.register_module()
class PredictionFiles(BaseMetric):
    """A "metric" that writes mask, overlay and confidence of each image, in threads.

    The mask comes last: one that is there never lacks the other files. Each process writes the
    images that it gets.

    Args:
        mask_dir (str): folder of the index masks, see `MaskFolder`.
        recipe (dict): all that the masks depend on, see `MaskFolder`.
        targets (dict[str, MaskTarget]): path of an image (``img_path``) -> its files' name.
        classes, palette (Sequence): names and colours of the classes, for the overlays.
        overlay_dir (str, optional): folder of the overlays, ``NAME.jpg`` (`draw_masks`).
        confidence_dir (str, optional): folder of round(255 p) of the largest probability p, 8 bit,
            ``NAME.png``. p is a sample's ``confidence`` (`CRFEvaluator`), else that of
            `class_probabilities`.
        workers (int): threads.
        **kwargs: see ``mmengine.evaluator.BaseMetric``.
    """
    default_prefix = 'predictions'

    def __init__(self, mask_dir, recipe, targets, classes, palette, overlay_dir=None,
                 confidence_dir=None, workers=1, **kwargs):
        super().__init__(**kwargs)
        self.targets, self.classes, self.palette = targets, classes, np.array(palette, np.uint8)
        self.overlay_dir, self.confidence_dir = overlay_dir, confidence_dir
        self.folder = MaskFolder(mask_dir, recipe, shard=get_dist_info())
        self.workers, self._waiting = workers, deque()
        self._pool = ThreadPoolExecutor(workers)

    def process(self, data_batch, data_samples):
        """Hand the predictions of a batch to the threads; waits where many are unwritten.

        Args:
            data_batch: not used.
            data_samples (Sequence[dict]): with pred_sem_seg and img_path, and what the confidence
                comes from.

        Raises:
            DiskFullError, OSError: a file of an earlier image could not be written.
            ValueError: the confidence is asked for, and the network has one channel (a sigmoid).
        """
        for sample in data_samples:
            mask = sample['pred_sem_seg']['data'].squeeze(0).cpu().numpy().astype(np.uint8)
            confidence = _confidence(sample) if self.confidence_dir else None
            self._waiting.append(self._pool.submit(
                self._write, sample['img_path'], mask, confidence))
            self.results.append(1)
            self._finish(2 * self.workers)

    def _finish(self, left):
        """Wait until no more than `left` images are unwritten; an error frees the folder."""
        try:
            while len(self._waiting) > left:
                self._waiting.popleft().result()
        except BaseException:  # KeyboardInterrupt too; it is raised again
            self._pool.shutdown(cancel_futures=True)
            self.folder.close()
            raise

    def _write(self, path, mask, confidence):
        target = self.targets[path]
        if confidence is not None:
            _save(label_path(Path(self.confidence_dir), target.name, '.png'), confidence)
        if self.overlay_dir is not None:
            image = read_image(path)[..., ::-1]  # RGB
            _save(label_path(Path(self.overlay_dir), target.name, '.jpg'),
                  draw_masks(image, [mask], self.classes, self.palette))
        self.folder.write(target.name, mask, target.inputs)

    def evaluate(self, size):
        """Wait for all files of all processes.

        Raises:
            DiskFullError, OSError: see `process`.
            RuntimeError: see `sum_over_processes`.
        """
        self._finish(0)
        self._pool.shutdown()
        self.folder.close()
        counts = torch.tensor([len(self.results)])
        self.results.clear()
        metrics = self.compute_metrics(sum_over_processes(counts, size))
        return {f'{self.prefix}/{name}': value for name, value in metrics.items()}

    def compute_metrics(self, results):
        """Total.

        Args:
            results (list[int]): numbers of images.

        Returns:
            dict: images (int).
        """
        return dict(images=sum(results))


def _confidence(sample):
    """uint8 (H, W), see `PredictionFiles`."""
    highest = (sample['confidence']['data'].squeeze(0) if 'confidence' in sample
               else class_probabilities(sample).amax(0))
    return (highest * 255).round().to(torch.uint8).cpu().numpy()


def _save(path, pixels):
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, quality=92)  # a PNG has none
