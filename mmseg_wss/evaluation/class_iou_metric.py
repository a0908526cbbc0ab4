"""mmseg's IoU metric, with the IoU of each class among what is logged."""
import math

from mmseg.evaluation import IoUMetric

from mmseg_wss.registry import METRICS


@METRICS.register_module()
class ClassIoUMetric(IoUMetric):
    """The metrics of mmseg's IoUMetric, and the IoU of each class as ``IoU/NAME``, in percent.

    The log, ``scalars.json``, TensorBoard and W&B get them as the others; mmseg prints a table of
    them and no more. A class that is in no mask and in no prediction has none.

    Args: those of mmseg's ``IoUMetric``.
    """

    def total_area_to_metrics(self, *args, **kwargs):
        """As in the base class, where it is static; the scores of the classes are kept."""
        scores = IoUMetric.total_area_to_metrics(*args, **kwargs)
        self._class_ious = scores.get('IoU', ())
        return scores

    def compute_metrics(self, results):
        """The metrics of the results of all images, dict of str -> float."""
        metrics = super().compute_metrics(results)
        if not self.format_only:
            for name, iou in zip(self.dataset_meta['classes'], self._class_ious):
                if not math.isnan(iou):
                    metrics[f'IoU/{name}'] = round(100 * float(iou), 2)
        return metrics
