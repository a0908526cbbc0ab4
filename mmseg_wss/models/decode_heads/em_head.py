"""EM from weak labels, for any head (Papandreou et al., WSSL, ICCV 2015)."""
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmseg_wss.errors import ConfigError
from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.labels.kinds import is_partial, is_truth
from mmseg_wss.models.decode_heads.batch_fields import (
    boxed_classes_of,
    known_empty,
    masks_of,
    supervisions_of,
    tags_of,
    valid_of,
)
from mmseg_wss.models.decode_heads.batch_parts import losses_of_parts, take
from mmseg_wss.models.decode_heads.head_conventions import check_labels_of
from mmseg_wss.models.decode_heads.head_wrapper import HeadWrapper
from mmseg_wss.models.decode_heads.label_shrinking import shrink, shrink_clicks
from mmseg_wss.models.decode_heads.routing import route_samples
from mmseg_wss.models.decode_heads.two_branch_head import TwoBranchHead
from mmseg_wss.pseudo_labels.em_labels import (
    adaptive_bias_labels,
    box_bias_labels,
    fixed_bias_labels,
)
from mmseg_wss.registry import MODELS


def _labels_as_they_are(scores, masks):
    return masks


E_STEPS = dict(fixed=fixed_bias_labels, adapt=adaptive_bias_labels, box=box_bias_labels,
               mask=_labels_as_they_are)
OF_MASKS = 'box', 'mask'  # E-steps that read gt_sem_seg


@MODELS.register_module()
class EMHead(HeadWrapper):
    """An mmseg decode head that estimates the labels of weak images from its own scores.

    In each step the E-step labels the weak images of the batch at the resolution of the head's
    logits f, by the best of f plus a bias for what the weak label says; it has no gradient. The
    M-step is the head's own loss of f, without the biases, for these labels. Strong images train
    on their masks, shrunk to the same resolution (every s-th pixel, from the first one). A weak
    image whose tags have no object is background all over, whatever the scores. Points and
    scribbles keep their classes, whatever the E-step estimates there (`shrink_clicks`). Those on
    the background alone, without a tag file, exclude no class: the scores alone decide the rest.

    A two-branch head routes the images as it does without the wrapper: each branch estimates the
    labels of the weak images that it is trained with from its own scores.

    The losses of both kinds of images are means over their own pixels, then weighted, so the weight
    of a kind does not depend on how many pixels of it are labelled.

    Args:
        head (dict): config of the decode head. Its losses average over labelled pixels
            (CrossEntropyLoss: ``avg_non_ignore=True``).
        e_step (dict | str): type is 'fixed' (`fixed_bias_labels`; EM-Fixed), 'adapt'
            (`adaptive_bias_labels`; EM-Adapt), 'box' (`box_bias_labels`; Bbox-EM-Fixed) or 'mask'
            (Bbox-Rect and Bbox-Seg: no E-step, the mask of a weak image is its labels), the rest
            are its options; a text is the type alone. 'fixed' and 'adapt' read gt_tags; 'box' reads
            gt_sem_seg, where ``PseudoMask(kind='rect')`` has painted the boxes; 'mask' reads it,
            too, where it may also be a mask from a file (supervision 'pseudo').
        labels_from (str): 'image': the tags are those of the whole image; 'crop': of these, only
            objects with a box that reaches into the crop count (for supervision 'box').
        loss_weights (tuple[float, float]): of the strong and of the weak images' losses; of the
            branches' losses, where `head` has two.
        num_classes (int, optional): see `HeadWrapper`.
        init_cfg (dict, optional): see ``mmengine.model.BaseModule``.

    Raises:
        ConfigError: a head that `HeadWrapper` does not take, that predicts a single channel, or
            whose loss also averages over unlabelled pixels.
        ValueError: an unknown E-step or `labels_from`. In training: a sample lacks the label that
            the E-step reads.
        TypeError: an option that the E-step does not have.
    """

    inner_heads = (TwoBranchHead, )

    def __init__(self, head, e_step=dict(type='adapt'), labels_from='image',
                 loss_weights=(0.7, 0.3), num_classes=None, init_cfg=None):
        super().__init__(head, num_classes, init_cfg)
        options = dict(type=e_step) if isinstance(e_step, str) else dict(e_step)
        kind = options.pop('type', None)
        if kind not in E_STEPS:
            raise ValueError(f'e_step must have a type of {", ".join(E_STEPS)}; got {kind!r}.')
        if labels_from not in ('image', 'crop'):
            raise ValueError(f"labels_from must be 'image' or 'crop', got {labels_from!r}.")
        if labels_from == 'crop' and kind in OF_MASKS:
            raise ValueError(f"labels_from='crop' is for e_step 'fixed' and 'adapt'; {kind!r} "
                             'has the labels of the crop anyway. Remove labels_from.')
        self.e_step, self.options = kind, options
        self.labels_from, self.loss_weights = labels_from, tuple(loss_weights)
        self._check_options()
        self._check_logits_and_loss()

    def _check_options(self):
        """Refuse bad options now, not in the first step of a training."""
        with torch.device('cpu'):  # a model may be built on 'meta', which has no values to check
            scores = torch.zeros(1, 2, 1, 1)
            weak_label = torch.zeros(1, 1, 1) if self.e_step in OF_MASKS else torch.ones(1, 2)
            E_STEPS[self.e_step](scores, weak_label.long(), **self.options)

    def _check_logits_and_loss(self):
        name = type(self.head).__name__
        if self.out_channels < 2:
            raise ConfigError(f'EMHead needs the scores of all classes, but {name} predicts one '
                              'channel: set out_channels=num_classes in it.')
        check_labels_of(self.head)

    def learns_from(self, sample):
        """See `HeadConventions`: a mask, or the tags that the E-step reads."""
        kind, = supervisions_of([sample])
        reads_mask = is_truth(kind) or is_partial(kind) or self.e_step in OF_MASKS
        reads_boxes = self.labels_from == 'crop' and not is_truth(kind)
        return (('gt_sem_seg' if reads_mask else 'gt_tags') in sample
                and ('gt_boxes' in sample or not reads_boxes))

    def loss(self, inputs, batch_data_samples, train_cfg, part_loss=None):
        """Losses of the head, with the keys strong.* and weak.*.

        Args:
            inputs (Sequence[Tensor]): feature maps of the backbone for N images.
            batch_data_samples (list[SegDataSample]): N samples with, in their metainfo,
                supervision; strong ones with gt_sem_seg, weak ones with what the E-step reads.
            train_cfg (dict): see ``mmseg.models.BaseDecodeHead.loss``.
            part_loss (Callable, optional): see `HeadWrapper`; the samples that it gets have the
                estimated labels.

        Returns:
            dict[str, Tensor]: scalars; zeros with a gradient path for a kind that the batch has no
            image of.
        """
        def m_step(logits, samples, members):
            labelled = _with_labels(self._labels(logits.detach(), samples))
            if part_loss is None:
                return self.head.loss_by_feat(logits, labelled)
            return part_loss(logits, labelled, members)

        if getattr(self.head, 'weak_branch', None) is not None:
            losses = self.head.loss(inputs, batch_data_samples, train_cfg, part_loss=m_step)
            weights = dict(zip(('strong', 'weak'), self.loss_weights))
            return {key: weights.get(key.split('.')[0], 1) * value if 'loss' in key else value
                    for key, value in losses.items()}
        logits = self.logits(inputs)
        strong, weak, _ = route_samples(supervisions_of(batch_data_samples))

        def loss_of(members, samples):
            if members:
                return m_step(take(logits, members), samples, members)
            # one image without labels: the loss is 0, and its gradient too
            nothing = torch.full_like(logits[:1, 0], IGNORE).long()
            return self.head.loss_by_feat(logits[:1], _with_labels(nothing))

        return losses_of_parts(batch_data_samples, dict(
            strong=(strong, loss_of, self.loss_weights[0]),
            weak=(weak, loss_of, self.loss_weights[1])))

    def _labels(self, scores, samples):
        """Masks of strong images, estimates of weak ones, int64 (N, h, w)."""
        strong, weak, _ = route_samples(supervisions_of(samples))
        if not weak:
            return self._masks(scores, samples)
        if not strong:
            return self._estimate(scores, samples)
        labels = torch.cat([
            label(take(scores, members), [samples[i] for i in members])
            for members, label in ((strong, self._masks), (weak, self._estimate))])
        order = strong + weak
        return take(labels, sorted(range(len(order)), key=order.__getitem__))

    def _masks(self, scores, samples):
        return shrink(masks_of(samples), scores.shape[2:])

    def _estimate(self, scores, samples):
        """E-step: labels of weak images, 255 on padding."""
        options = self.options
        valid = shrink(valid_of(samples), scores.shape[2:])
        if self.e_step in OF_MASKS:
            weak_labels = self._masks(scores, samples)
        else:
            weak_labels = self._tags(scores, samples)
            if self.labels_from == 'crop':
                weak_labels = weak_labels * boxed_classes_of(
                    samples, scores.shape[1], scores.device)
            if self.e_step == 'adapt':
                options = dict(options, valid=valid)
        labels = E_STEPS[self.e_step](scores, weak_labels, **options)
        labels = labels.masked_fill(known_empty(samples, labels.device)[:, None, None], 0)
        for estimated, sample in zip(labels, samples):
            if is_partial(sample.supervision):
                clicks = shrink_clicks(masks_of([sample]), estimated.shape, scores.shape[1])[0]
                estimated.copy_(torch.where(clicks == IGNORE, estimated, clicks))
        return labels.masked_fill(~valid, IGNORE)

    def _tags(self, scores, samples):
        """Tags of weak images, (N, K): a row of zeros where there are none beside clicks."""
        unknown = scores.new_zeros(1, scores.shape[1])
        return torch.cat([
            unknown if 'gt_tags' not in sample and is_partial(sample.supervision)
            else tags_of([sample]) for sample in samples])


def _with_labels(labels):
    """Samples of labels, (N, h, w)."""
    return [SegDataSample(gt_sem_seg=PixelData(data=one[None])) for one in labels]
