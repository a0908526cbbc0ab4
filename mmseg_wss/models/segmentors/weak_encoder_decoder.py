"""Segmentor for heads that learn from strong and weak labels."""
import torch
from mmengine.utils.dl_utils.parrots_wrapper import _BatchNorm
from mmseg.models.segmentors import EncoderDecoder
from mmseg.models.utils import resize
from mmseg.utils import add_prefix
from torch import nn

from mmseg_wss.labels.checks.class_check import check_class_number
from mmseg_wss.models.backbones import widen_on_load
from mmseg_wss.models.decode_heads.head_conventions import check_labels_of, conventions_of
from mmseg_wss.registry import MODELS


@MODELS.register_module()
class WeakEncoderDecoder(EncoderDecoder):
    """mmseg's ``EncoderDecoder``, which also gives heads the image when they ask for it.

    What a head asks for, it says by its `HeadConventions`: the image (``image=``, the data
    preprocessor's `to_rgb`) or features at further scales (``scaled_inputs=``). All heads share one
    pass of the backbone. The `tag_scores` of a decode head that predicts tags are added to the
    predicted samples, as pred_score, beside gt_score, the objects of the true mask: what
    mmpretrain's multi-label metrics read.

    A backbone of more than 3 input channels takes pretrained weights for RGB (`widen_on_load`).

    Args:
        new_channels (str): what the filters of the further channels start as, 'zero' or 'mean'.
        channels_last (bool): keep the weights in the channels-last memory format, and with them
            the feature maps: the same numbers up to rounding, faster on CPUs (and on GPUs with
            AMP).
        frozen_norm (bool): keep the backbone's batch normalisation as it was loaded: its running
            statistics are used and stay, its weights are not trained.
        *args, **kwargs: see ``EncoderDecoder``.

    Raises:
        ConfigError: a head of more than 255 classes, or one that `check_labels_of` refuses.
    """

    def __init__(self, *args, new_channels='zero', channels_last=False, frozen_norm=False,
                 **kwargs):
        super().__init__(*args, **kwargs)
        for head in self._heads().values():
            check_class_number(head.num_classes, type(head).__name__)
            check_labels_of(head)
        widen_on_load(self.backbone, new_channels)
        if channels_last:
            self.to(memory_format=torch.channels_last)
        self.frozen_norm = frozen_norm
        if frozen_norm:
            for norm in self._norms():
                norm.requires_grad_(False)

    def train(self, mode=True):
        super().train(mode)
        if self.frozen_norm:
            for norm in self._norms():
                norm.eval()
        return self

    def _norms(self):
        return [m for m in self.backbone.modules() if isinstance(m, _BatchNorm)]

    def loss(self, inputs, data_samples):
        """Losses of all heads: ``decode.*``, ``aux.*`` or ``aux_0.*``, ...

        Args:
            inputs (Tensor): (N, C, H, W), as the data preprocessor returns it.
            data_samples (list[SegDataSample]): N samples.

        Returns:
            dict[str, Tensor]: scalars.
        """
        features = self.extract_feat(inputs)
        losses = {}
        for prefix, head in self._heads().items():
            asked, extra = conventions_of(head), {}
            if asked.takes_image:
                extra['image'] = self.data_preprocessor.to_rgb(inputs)
            if asked.extra_scales:
                extra['scaled_inputs'] = self._features_at(inputs, asked.extra_scales)
            losses.update(add_prefix(
                head.loss(features, data_samples, self.train_cfg, **extra), prefix))
        return losses

    def _heads(self):
        heads = {'decode': self.decode_head}
        if self.with_auxiliary_head:
            heads.update({f'aux_{i}': head for i, head in enumerate(self.auxiliary_head)}
                         if isinstance(self.auxiliary_head, nn.ModuleList)
                         else {'aux': self.auxiliary_head})
        return heads

    @torch.no_grad()
    def _features_at(self, inputs, scales):
        """Feature maps of the scaled images; the backbone's running statistics do not change."""
        training = self.training
        self.eval()
        features = [self.extract_feat(resize(inputs, scale_factor=scale, mode='bilinear',
                                             align_corners=False)) for scale in scales]
        self.train(training)
        return features

    def predict(self, inputs, data_samples=None):
        """mmseg's ``EncoderDecoder.predict``, and the scores of tags where the head has them."""
        samples = super().predict(inputs, data_samples)
        head = conventions_of(self.decode_head)
        if head.predict_tags:
            for sample, scores in zip(samples, head.tag_scores(self.extract_feat(inputs))):
                sample.set_field(scores, 'pred_score')
                if 'gt_sem_seg' in sample:
                    sample.set_field(_objects_of(sample, scores), 'gt_score')
        return samples


def _objects_of(sample, scores):
    """1 for each object that the true mask of a sample has, 0 for the others, like `scores`."""
    objects = torch.zeros_like(scores)
    classes = sample.gt_sem_seg.data.unique()
    objects[classes[(classes > 0) & (classes <= len(objects))].long() - 1] = 1
    return objects
