"""Cross-Joint: one classifier for two data sets (Papandreou et al., WSSL, ICCV 2015)."""
from mmseg_wss.errors import ConfigError
from mmseg_wss.models.decode_heads.batch_fields import path_of
from mmseg_wss.models.decode_heads.batch_parts import losses_of_parts, take
from mmseg_wss.models.decode_heads.channel_groups import group_channels
from mmseg_wss.models.decode_heads.em_head import EMHead
from mmseg_wss.models.decode_heads.head_checks import has_own_loss
from mmseg_wss.models.decode_heads.head_conventions import check_labels_of
from mmseg_wss.models.decode_heads.head_wrapper import HeadWrapper
from mmseg_wss.registry import MODELS


@MODELS.register_module()
class CrossJointHead(HeadWrapper):
    """An mmseg decode head for C classes that also learns from, and predicts, K groups of them.

    Two data sets train one network, COCO with its 81 classes and VOC, whose background is COCO's
    background or any of the 60 classes that VOC does not know. Images of the first train the head
    as it is. For images of the second, whose labels are the groups, the logits are grouped
    (`group_channels`) ahead of the head's loss. Prediction and evaluation are of the groups.

    The number of classes of its data set tells which labels an image has. So samples need
    ``classes`` in their metainfo (`PackWeakSegInputs`). Each batch needs images of both data sets,
    as `StrongWeakSampler` gives it.

    Args:
        head (dict): config of the decode head for C classes; an `EMHead`, where some images of the
            first data set have tags alone (Cross-Joint, Semi).
        groups (Sequence[Sequence[int]]): of each of the K classes, the classes of the head that it
            consists of. Each of the C is in one group.
        loss_weights (tuple[float, float]): of the images with the head's own labels and of those
            with groups.
        num_classes (None): not to be given.
        init_cfg (dict, optional): see ``mmengine.model.BaseModule``.

    Raises:
        ValueError: a class that is in no group or in two, or C groups. In training: a sample that
            does not say its classes, or has neither C nor K; a batch without images of one of
            both.
        ConfigError: see `check_labels_of` and `HeadWrapper`; `num_classes` is given.
    """

    inner_heads = (EMHead, )

    def __init__(self, head, groups, loss_weights=(1., 1.), num_classes=None, init_cfg=None):
        if num_classes is not None:
            raise ConfigError(
                f'CrossJointHead has two numbers of classes, so num_classes={num_classes} does not '
                'say which: set num_classes in its head, and groups, and remove it.')
        super().__init__(head, init_cfg=init_cfg)
        if isinstance(self.head, EMHead) and has_own_loss(self.head.head):
            raise self._loss_refusal(self.head.head)
        check_labels_of(self.head)
        self.groups = [list(group) for group in groups]
        members = sorted(index for group in self.groups for index in group)
        if members != list(range(self.head.out_channels)):
            raise ValueError(
                f'groups must have each of the {self.head.out_channels} classes of the head in '
                f'one group, got {members}.')
        if len(self.groups) == len(members):
            raise ValueError(f'there are as many groups as classes, {len(members)}, so all labels '
                             'are alike: the head needs no wrapper.')
        self.loss_weights = tuple(loss_weights)

    num_classes = property(lambda self: len(self.groups))
    out_channels = property(lambda self: len(self.groups))
    # of the classes that an image's labels may have; see `HeadConventions`
    label_counts = property(lambda self: (self.head.num_classes, self.num_classes))

    def forward(self, inputs):
        """Logits of the groups, (N, K, h, w)."""
        return group_channels(self.logits(inputs), self.groups)

    def predict(self, inputs, batch_img_metas, test_cfg):
        """See ``mmseg.models.BaseDecodeHead.predict``; of the groups."""
        return self.predict_by_feat(self.forward(inputs), batch_img_metas)

    def loss(self, inputs, batch_data_samples, train_cfg):
        """Losses of both kinds of images, with the keys own.* and grouped.*.

        Args:
            inputs (Sequence[Tensor]): feature maps of the backbone for N images.
            batch_data_samples (list[SegDataSample]): N samples with gt_sem_seg, or what the head
                trains with, and, in their metainfo, classes.
            train_cfg (dict): see ``mmseg.models.BaseDecodeHead.loss``.

        Returns:
            dict[str, Tensor]: scalars.
        """
        own, grouped = self._split(batch_data_samples)

        def loss_of_own(members, samples):
            return self.head.loss([take(level, members) for level in inputs], samples, train_cfg)

        def loss_of_grouped(members, samples):
            logits = self.forward([take(level, members) for level in inputs])
            return self.loss_by_feat(logits, samples)

        return losses_of_parts(batch_data_samples, dict(
            own=(own, loss_of_own, self.loss_weights[0]),
            grouped=(grouped, loss_of_grouped, self.loss_weights[1])))

    def _split(self, samples):
        numbers = {count: [] for count in self.label_counts}
        for index, sample in enumerate(samples):
            classes = sample.metainfo.get('classes', ())
            if len(classes) not in numbers:
                raise ValueError(
                    f'{path_of(sample)}: its data set has '
                    f'{len(classes) or "unknown"} classes, but the head is for '
                    f'{" or ".join(map(str, numbers))}. Pack samples with '
                    "mmseg_wss.PackWeakSegInputs, and give each data set its own metainfo.")
            numbers[len(classes)].append(index)
        for number, members in numbers.items():
            if not members:
                raise ValueError(
                    f'a batch has no image with labels of {number} classes: give both data sets a '
                    'share in the source_ratio of mmseg_wss.StrongWeakSampler.')
        return numbers.values()
