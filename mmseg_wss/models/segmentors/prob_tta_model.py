"""Test-time augmentation that keeps the probabilities."""
from mmengine.structures import PixelData
from mmseg.models.segmentors import SegTTAModel

from mmseg_wss.registry import MODELS


@MODELS.register_module()
class ProbTTAModel(SegTTAModel):
    """mmseg's ``SegTTAModel``, whose predictions also have the averaged probabilities.

    A sample gets ``seg_probs`` (PixelData, (K, H, W), at the size of the file): the mean of the
    softmax over the augmented views, turned back. ``pred_sem_seg`` is its argmax, as in mmseg;
    ``seg_logits`` are left out, since those of a single view would be taken for the result.
    """

    def merge_preds(self, data_samples_list):
        """Merge the predictions of the views of each image.

        Args:
            data_samples_list (list[Sequence[SegDataSample]]): for each image, its views.

        Returns:
            list[SegDataSample]: one for each image.

        Raises:
            ValueError: the network predicts one channel (a sigmoid).
        """
        if self.module.out_channels < 2:
            raise ValueError('ProbTTAModel averages a softmax, but the network predicts one '
                             'channel: set out_channels=num_classes in the head.')
        merged = []
        for views in data_samples_list:
            probs = sum(view.seg_logits.data.softmax(0) for view in views) / len(views)
            sample = views[0]
            del sample.seg_logits
            sample.seg_probs = PixelData(data=probs)
            sample.pred_sem_seg = PixelData(data=probs.argmax(0, keepdim=True))
            merged.append(sample)
        return merged
