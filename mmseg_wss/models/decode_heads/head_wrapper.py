"""A head around a head."""
from mmengine.model import BaseModule

from mmseg_wss.errors import ConfigError
from mmseg_wss.labels.checks.class_check import check_class_number
from mmseg_wss.models.decode_heads.head_checks import check_one_map, has_own_loss, one_map
from mmseg_wss.models.decode_heads.head_conventions import conventions_of
from mmseg_wss.registry import MODELS


class HeadWrapper(BaseModule):
    """An mmseg decode head with another loss: what is predicted stays that head's own business.

    A checkpoint of the head without its wrapper can be loaded as it is, to go on from there.

    The head's forward makes one tensor of logits of the feature maps alone.

    A subclass that can go on with the loss of other heads of this package names their classes in
    `inner_heads`. It calls their ``loss`` with ``part_loss=``, a function that takes the place of
    ``loss_by_feat``: it gets the logits of a part of the batch, the samples that the inner head
    trains them with, and their numbers in the batch (list[int]), and returns the losses.

    Args:
        head (dict): config of the decode head.
        num_classes (int, optional): K, with the background; that of `head` when None.
        init_cfg (dict, optional): see ``mmengine.model.BaseModule``.

    Raises:
        ConfigError: more than 255 classes; a head that needs more than feature maps, as one of a
            cascade does (OCRHead), or gives more than one map of logits in training (DAHead,
            EncHead, PIDHead; if it is none of mmseg's, this shows in training); a head with a loss
            of its own that would not be used.
    """

    inner_heads = ()  # classes with a loss of their own, which the wrapper goes on with
    needs_masks = False  # it sees to its samples itself; see `HeadConventions`

    def __init__(self, head, num_classes=None, init_cfg=None):
        super().__init__(init_cfg)
        if num_classes is not None:
            head = {**head, 'num_classes': num_classes}
        self.head = MODELS.build(head)
        check_class_number(self.head.num_classes, type(self).__name__)
        check_one_map(self.head, type(self).__name__)
        if has_own_loss(self.head) and not isinstance(self.head, self.inner_heads):
            raise self._loss_refusal(self.head)
        self._register_load_state_dict_pre_hook(wrap_keys)

    def _loss_refusal(self, head):
        inner = ', '.join(kind.__name__ for kind in self.inner_heads)
        return ConfigError(
            f'{type(head).__name__} has a loss of its own, which {type(self).__name__} around it '
            f'would not use. Use one of the two alone, or give {type(self).__name__} a head of '
            f'mmseg, such as FCNHead{inner and f" (it also takes {inner})"}.')

    def learns_from(self, sample):
        """See `HeadConventions`: what the head inside learns from."""
        return conventions_of(self.head).learns_from(sample)

    def logits(self, inputs):
        """Logits of the bare head, in training too."""
        return one_map(self.head, inputs, type(self).__name__)

    def loss_of_parts(self, inputs, samples, train_cfg, part_loss):
        """Losses of the head, with `part_loss` in place of its ``loss_by_feat``.

        Args:
            inputs (Sequence[Tensor]): feature maps of the backbone for N images.
            samples (list[SegDataSample]): N samples.
            train_cfg (dict): see ``mmseg.models.BaseDecodeHead.loss``.
            part_loss (Callable): (logits, samples, their numbers in the batch) -> losses.

        Returns:
            dict[str, Tensor]: scalars.
        """
        if has_own_loss(self.head):
            return self.head.loss(inputs, samples, train_cfg, part_loss=part_loss)
        return part_loss(self.logits(inputs), samples, list(range(len(samples))))

    # what mmseg's segmentors and hooks ask of a decode head
    align_corners = property(lambda self: self.head.align_corners)
    num_classes = property(lambda self: self.head.num_classes)
    out_channels = property(lambda self: self.head.out_channels)
    threshold = property(lambda self: self.head.threshold)

    def forward(self, inputs):
        """Logits that are predicted, (N, K, h, w)."""
        return self.logits(inputs)

    def predict(self, inputs, batch_img_metas, test_cfg):
        """See ``mmseg.models.BaseDecodeHead.predict``."""
        return self.head.predict(inputs, batch_img_metas, test_cfg)

    def predict_by_feat(self, seg_logits, batch_img_metas):
        """See ``mmseg.models.BaseDecodeHead.predict_by_feat``."""
        return self.head.predict_by_feat(seg_logits, batch_img_metas)

    def loss_by_feat(self, seg_logits, batch_data_samples):
        """The loss of the bare head, see ``mmseg.models.BaseDecodeHead.loss_by_feat``."""
        return self.head.loss_by_feat(seg_logits, batch_data_samples)


def wrap_keys(state_dict, prefix, *_):
    """Keys of a bare head -> those of a wrapped one."""
    own = [key for key in state_dict if key.startswith(prefix)]
    if not any(key.startswith(f'{prefix}head.') for key in own):
        for key in own:
            state_dict[f'{prefix}head.{key[len(prefix):]}'] = state_dict.pop(key)
