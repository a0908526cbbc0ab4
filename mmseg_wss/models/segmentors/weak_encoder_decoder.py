"""Segmentor for heads that learn from strong and weak labels."""
from functools import partial

import torch
from mmengine.utils.dl_utils.parrots_wrapper import _BatchNorm
from mmseg.models.segmentors import EncoderDecoder
from mmseg.models.utils import resize
from mmseg.utils import add_prefix

from mmseg_wss.labels.checks.class_check import check_class_number
from mmseg_wss.models.backbones import widen_on_load
from mmseg_wss.models.class_weights import mend_class_weights
from mmseg_wss.models.decode_heads.batch_fields import check_masks, without_labels
from mmseg_wss.models.decode_heads.batch_parts import take
from mmseg_wss.models.decode_heads.head_checks import check_inputs
from mmseg_wss.models.decode_heads.head_conventions import check_labels_of, conventions_of
from mmseg_wss.models.dilated_depthwise import speed_up_dilated_depthwise
from mmseg_wss.models.segmentors.network_checks import check_preprocessor, heads_of
from mmseg_wss.registry import MODELS


@MODELS.register_module()
class WeakEncoderDecoder(EncoderDecoder):
    """mmseg's ``EncoderDecoder``, which also gives heads the image when they ask for it.

    What a head asks for, it says by its `HeadConventions`: the image (``image=``, the data
    preprocessor's `to_rgb`) or features at further scales (``scaled_inputs=``). All heads share one
    pass of the backbone. The `tag_scores` of a decode head that predicts tags are added to the
    predicted samples, as pred_score, beside gt_score, the objects of the true mask: what
    mmpretrain's multi-label metrics read.

    Auxiliary heads are trained with the images that they can learn from; their losses of a batch
    without any are zeros, with the same keys and a gradient path.

    Losses may have class weights (`mend_class_weights`).

    A backbone of more than 3 input channels takes pretrained weights for RGB (`widen_on_load`).

    Args:
        new_channels (str): what the filters of the further channels start as, 'zero' or 'mean'.
        channels_last (bool): keep the weights in the channels-last memory format, and with them
            the feature maps, and take dilated depthwise convolutions in parts
            (`speed_up_dilated_depthwise`): the same numbers up to rounding, faster on CPUs (the
            format on GPUs with AMP, too).
        frozen_norm (bool): keep the backbone's batch normalisation as it was loaded: its running
            statistics are used and stay, its weights are not trained.
        *args, **kwargs: see ``EncoderDecoder``.

    Raises:
        ConfigError: a head of more than 255 classes, one that `check_labels_of` refuses, or one
            that needs the output of another head (OCRHead); mmseg's ``SegDataPreProcessor`` with a
            head that needs more of its samples than masks. In training, a DataError: an image
            without the mask that the decode head needs.
    """

    def __init__(self, *args, new_channels='zero', channels_last=False, frozen_norm=False,
                 **kwargs):
        super().__init__(*args, **kwargs)
        for head in heads_of(self).values():
            check_class_number(head.num_classes, type(head).__name__)
            check_labels_of(head)
            check_inputs(head, type(self).__name__, "Take mmseg's segmentor for it, "
                         'CascadeEncoderDecoder (without labels other than masks).')
        check_preprocessor(self)
        mend_class_weights(self)
        widen_on_load(self.backbone, new_channels)
        if channels_last:
            self.to(memory_format=torch.channels_last)
            speed_up_dilated_depthwise(self)
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
        for prefix, head in heads_of(self).items():
            asked, extra = conventions_of(head), {}
            if asked.takes_image:
                extra['image'] = self.data_preprocessor.to_rgb(inputs)
            if asked.extra_scales:
                extra['scaled_inputs'] = self._features_at(inputs, asked.extra_scales)
            if head is self.decode_head:
                loss = head.loss
                if asked.needs_masks:
                    check_masks(data_samples)
            else:
                loss = partial(_auxiliary_loss, head, inputs.shape[-2:])
            losses.update(add_prefix(
                loss(features, data_samples, self.train_cfg, **extra), prefix))
        return losses

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


def _auxiliary_loss(head, shape, features, samples, train_cfg, **extra):
    """The loss of a head on the samples that it can learn from.

    Where there are none, it sees all of them without labels, and its losses count nothing: every
    step has the same keys, and a gradient path to all parameters, so that all ranks agree.
    """
    members = [i for i, sample in enumerate(samples)
               if conventions_of(head).learns_from(sample)]
    if not members:
        blanks = [without_labels(sample, shape, head.num_classes, features[0].device)
                  for sample in samples]
        losses = head.loss(features, blanks, train_cfg, **extra)
        return {key: 0 * value if 'loss' in key else torch.zeros_like(value)
                for key, value in losses.items()}
    if len(members) < len(samples):
        features = [take(level, members) for level in features]
        samples = [samples[i] for i in members]
        if 'image' in extra:
            extra['image'] = take(extra['image'], members)
        if 'scaled_inputs' in extra:
            extra['scaled_inputs'] = [[take(level, members) for level in levels]
                                      for levels in extra['scaled_inputs']]
    return head.loss(features, samples, train_cfg, **extra)


def _objects_of(sample, scores):
    """1 for each object that the true mask of a sample has, 0 for the others, like `scores`."""
    objects = torch.zeros_like(scores)
    classes = sample.gt_sem_seg.data.unique()
    objects[classes[(classes > 0) & (classes <= len(objects))].long() - 1] = 1
    return objects
