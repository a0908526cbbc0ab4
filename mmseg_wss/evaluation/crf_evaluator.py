"""Evaluate what a dense CRF makes of a network's predictions."""
from collections import deque
from concurrent.futures.process import BrokenProcessPool

import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData

from mmseg_wss.evaluation.refine import class_probabilities, refine
from mmseg_wss.ops.processes import make_executor
from mmseg_wss.registry import EVALUATOR


@EVALUATOR.register_module()
class CRFEvaluator(Evaluator):
    """mmengine's ``Evaluator``, whose metrics see pred_sem_seg after a dense CRF.

    They see the largest refined probability of each pixel too, as confidence, float32 (1, H, W).

    The CRFs of several images run in processes beside the network, and the metrics get the images
    in their order.

    Args:
        metrics (dict | list): see ``Evaluator``.
        crf (dict): options of `mmseg_wss.ops.dense_crf`, such as one of its `CRF_PRESETS`.
        num_workers (int): processes. With 0 the CRF runs in this process, on the device of the
            predictions, and what draws the predictions draws the refined ones.

    Raises:
        ValueError: `num_workers` below 0; the network predicts one channel only, or not the whole
            image.
        RuntimeError: a process died.
    """

    def __init__(self, metrics, crf, num_workers=0):
        super().__init__(metrics)
        if num_workers < 0:
            raise ValueError(f'num_workers must be at least 0, got {num_workers}.')
        self.crf, self.num_workers = dict(crf), num_workers
        self._pool, self._waiting = None, deque()

    def process(self, data_samples, data_batch=None):
        """Refine the predictions of a batch and give the metrics those that are finished."""
        for sample in data_samples:
            probs = class_probabilities(sample.to_dict())
            if self.num_workers == 0:
                _set_labels(sample, *_refined(probs, sample.img_path, self.crf))
                super().process([sample], data_batch)
                continue
            job = self._workers().submit(
                _refined, probs.cpu().numpy(), sample.img_path, self.crf)
            sample.pop('seg_logits', None)  # large, and many samples wait
            sample.pop('seg_probs', None)
            self._waiting.append((job, sample, data_batch))
            while len(self._waiting) > 2 * self.num_workers:
                self._finish_one()

    def evaluate(self, size):
        """See ``Evaluator.evaluate``."""
        while self._waiting:
            self._finish_one()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        return super().evaluate(size)

    def _workers(self):
        if self._pool is None:
            self._pool = make_executor(self.num_workers)
        return self._pool

    def _finish_one(self):
        job, sample, data_batch = self._waiting.popleft()
        try:
            labels, confidence = map(torch.from_numpy, job.result())
        except BrokenProcessPool as error:
            raise RuntimeError(
                'a worker process of the CRF died; if memory ran out, use fewer (--crf-workers of '
                'tools/test.py, --workers of tools/predict.py).') from error
        _set_labels(sample, labels, confidence)
        super().process([sample], data_batch)


def _refined(probs, path, crf):
    """The most probable classes after the CRF, int64 (H, W), and their probabilities, float32 (H,
    W); tensors or arrays, as `probs` is.
    """
    refined = refine(torch.as_tensor(probs), path, **crf)
    labels, confidence = refined.argmax(0), refined.amax(0)
    return (labels, confidence) if isinstance(probs, torch.Tensor) else (
        labels.numpy(), confidence.numpy())


def _set_labels(sample, labels, confidence):
    old = sample.pred_sem_seg.data
    sample.pred_sem_seg = PixelData(data=labels[None].to(old))
    sample.confidence = PixelData(data=confidence[None])
