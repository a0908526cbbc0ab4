"""RRM: segmentation from image tags, end to end (Zhang et al., AAAI 2020)."""
import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from torch import nn

from mmseg_wss.labels.checks.class_check import check_class_number
from mmseg_wss.models.decode_heads.batch_fields import tags_of, valid_of
from mmseg_wss.models.decode_heads.cam import (
    average_cams,
    mean_average_precision,
    normalise_cams,
)
from mmseg_wss.models.decode_heads.head_conventions import losses_in
from mmseg_wss.pseudo_labels import mine_labels
from mmseg_wss.pseudo_labels.reliable_labels import check_options
from mmseg_wss.registry import MODELS


@MODELS.register_module()
class RRMHead(BaseDecodeHead):
    """A classifier whose activation maps label the pixels that train a segmentation branch.

    Both branches share the features F of the backbone:

    - classification: dropout, mean over all pixels, 1x1 convolution w without bias; its class
      activation maps are ReLU(w F) (eq. 1), here averaged over several scales of the image (eq. 2).
    - segmentation: 3x3 convolution of dilation 12, ReLU, 3x3 convolution of dilation 12.

    The loss is that of the classifier (multi-label soft margin), plus the cross entropy of the
    segmentation branch on the pixels that `mine_labels` finds reliable, plus the dense energy
    of all pixels. While `classify_only` is set (`ClassifyFirstHook`) the segmentation branch and
    the label mining rest, and its losses are zeros with a gradient path.

    Each training image needs gt_tags; no mask is read. At inference only the segmentation branch
    counts.

    Args:
        in_channels (int): channels of the feature map `in_index`.
        channels (int): between the two convolutions of the segmentation branch.
        num_classes (int): K, with the background.
        dilation (int): of both convolutions.
        cls_dropout_ratio (float): dropout of whole channels in front of the classifier.
        scales (Sequence[float]): the image's scales for the activation maps; only 1, which must be
            among them, has a gradient. The segmentor computes the others.
        labels (dict): options of `mine_labels`: rule, ratio, ...
        loss_decode (dict | list[dict]): the loss or losses of labelled pixels.
        loss_energy (dict, optional): `DenseEnergyLoss`; None trains with cross entropy alone.
        loss_cls_weight (float): weight of the classification loss.
        predict_tags (bool): also give the classifier's scores at test time, as pred_score (K - 1,)
            of the samples, beside gt_score, their tags by the mask: what mmpretrain's
            ``AveragePrecision`` reads. It costs a second pass of the backbone.
        **kwargs: see ``mmseg.models.BaseDecodeHead``.

    Raises:
        ConfigError: more than 255 classes.
        ValueError: 1 is not among the scales, or `labels` are no options of `mine_labels`; in
            training: a sample without tags.
    """

    takes_image = True
    needs_masks = False

    def __init__(self, in_channels, channels=512, *, num_classes, dilation=12,
                 cls_dropout_ratio=0.5, scales=(0.5, 1., 1.5, 2.), labels=dict(),
                 loss_decode=dict(type='mmseg_wss.FilteredCrossEntropyLoss'),
                 loss_energy=dict(type='mmseg_wss.DenseEnergyLoss'), loss_cls_weight=1.,
                 predict_tags=False, act_cfg=dict(type='ReLU'), **kwargs):
        check_class_number(num_classes, type(self).__name__)
        super().__init__(in_channels, channels, num_classes=num_classes, loss_decode=loss_decode,
                         dropout_ratio=0., act_cfg=act_cfg,
                         init_cfg=dict(type='Xavier', layer='Conv2d', distribution='uniform'),
                         **kwargs)
        if 1 not in scales:
            raise ValueError(f'scales={tuple(scales)}: 1, the scale that is trained, is missing.')
        self.classifier = nn.Conv2d(in_channels, num_classes - 1, 1, bias=False)
        self.cls_dropout = nn.Dropout2d(cls_dropout_ratio)
        self.hidden = ConvModule(in_channels, channels, 3, padding=dilation, dilation=dilation,
                                 conv_cfg=self.conv_cfg, act_cfg=act_cfg)
        self.conv_seg = nn.Conv2d(channels, num_classes, 3, padding=dilation, dilation=dilation)
        check_options(**labels)  # now: labels are mined only after thousands of steps
        self.scales, self.labels = tuple(scales), dict(labels)
        self.loss_energy = MODELS.build(loss_energy) if loss_energy else None
        self.loss_cls_weight = loss_cls_weight
        self.predict_tags = predict_tags
        self.classify_only = False

    @staticmethod
    def learns_from(sample):
        """See `HeadConventions`."""
        return 'gt_tags' in sample

    @property
    def extra_scales(self):
        """Scales of the image at which the segmentor computes features without gradient."""
        return () if self.classify_only else tuple(s for s in self.scales if s != 1)

    def forward(self, inputs):
        """Logits of the segmentation branch, (N, K, h, w)."""
        return self.conv_seg(self.hidden(self._transform_inputs(inputs)))

    def classify(self, inputs):
        """Logits of the classifier for the K - 1 objects, (N, K - 1)."""
        features = self.cls_dropout(self._transform_inputs(inputs))
        return self.classifier(features.mean((2, 3), keepdim=True)).flatten(1)

    def activation_maps(self, inputs):
        """Class activation maps (eq. 1), float (N, K - 1, h, w), not negative."""
        return self.classifier(self._transform_inputs(inputs)).relu()

    def loss(self, inputs, batch_data_samples, train_cfg, *, image, scaled_inputs=()):
        """Losses of both branches.

        Args:
            inputs (Sequence[Tensor]): feature maps of the backbone for N images.
            batch_data_samples (list[SegDataSample]): N samples with gt_tags and valid.
            train_cfg (dict): not used.
            image (Tensor): float (N, 3, H, W), RGB in 0..255.
            scaled_inputs (Sequence[Sequence[Tensor]]): feature maps at `extra_scales`.

        Returns:
            dict[str, Tensor]: scalars: loss_cls, mAP of the batch's tags, and the segmentation
            branch's losses and accuracy.
        """
        tags = tags_of(batch_data_samples)[:, 1:]
        scores = self.classify(inputs)
        losses = dict(
            loss_cls=self.loss_cls_weight * F.multilabel_soft_margin_loss(scores, tags),
            mAP=mean_average_precision(scores.detach(), tags))
        if self.classify_only:
            return {**losses, **self._resting_losses()}
        valid = valid_of(batch_data_samples)
        cams = self._cams((inputs, *scaled_inputs), valid, tags)
        labels = mine_labels(image, cams, tags, valid, **self.labels)
        logits = resize(self.forward(inputs), image.shape[-2:], mode='bilinear',
                        align_corners=self.align_corners)
        losses.update(self._segmentation_losses(logits, labels, image, valid))
        losses['labelled'] = (labels != self.ignore_index).float().mean()
        return losses

    def tag_scores(self, inputs):
        """Probability of each of the K - 1 objects, (N, K - 1)."""
        return self.classify(inputs).sigmoid()

    @torch.no_grad()
    def _cams(self, inputs_of_scales, valid, tags):
        maps = [self.activation_maps(inputs) for inputs in inputs_of_scales]
        return normalise_cams(average_cams(maps, valid.shape[-2:]), tags, valid)

    def _segmentation_losses(self, logits, labels, image, valid):
        losses = {}
        for loss in losses_in(self):
            value = loss(logits, labels, ignore_index=self.ignore_index)
            losses[loss.loss_name] = losses.get(loss.loss_name, 0) + value
        if self.loss_energy is not None:
            losses[self.loss_energy.loss_name] = self.loss_energy(
                image, logits.softmax(1), labels, valid)
        return losses

    def segmentation_parameters(self):
        """Parameters that rest while `classify_only` is set."""
        return [*self.hidden.parameters(), *self.conv_seg.parameters()]

    def _resting_losses(self):
        zero = 0 * sum(p.sum() for p in self.segmentation_parameters())
        parts = [part for part in (*losses_in(self), self.loss_energy) if part is not None]
        return {part.loss_name: zero for part in parts}
