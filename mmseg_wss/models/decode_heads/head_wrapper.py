"""A head around a head."""
import torch
from mmengine.model import BaseModule
from mmseg.models.decode_heads import (
    DAHead,
    DDRHead,
    EncHead,
    IterativeDecodeHead,
    PIDHead,
    SideAdapterCLIPHead,
)
from mmseg.models.decode_heads.cascade_decode_head import BaseCascadeDecodeHead

from mmseg_wss.labels.checks.class_check import check_class_number
from mmseg_wss.registry import MODELS

_OTHER_INPUTS = {BaseCascadeDecodeHead: 'prev_output', SideAdapterCLIPHead: 'deep_supervision_idxs'}
_OTHER_OUTPUTS = DAHead, DDRHead, EncHead, IterativeDecodeHead, PIDHead


class HeadWrapper(BaseModule):
    """An mmseg decode head with another loss: what is predicted stays that head's own business.

    A checkpoint of the head without its wrapper can be loaded as it is, to go on from there.

    The head's forward makes one tensor of logits of the feature maps alone.

    Args:
        head (dict): config of the decode head.
        init_cfg (dict, optional): see ``mmengine.model.BaseModule``.

    Raises:
        ConfigError: more than 255 classes.
        ValueError: a head that needs more than feature maps, as one of a cascade does (OCRHead), or
            gives more than one map of logits in training (DAHead, EncHead, PIDHead). If it is none
            of mmseg's, this shows in training.
    """

    def __init__(self, head, init_cfg=None):
        super().__init__(init_cfg)
        self.head = MODELS.build(head)
        check_class_number(self.head.num_classes, type(self).__name__)
        for kind, needed in _OTHER_INPUTS.items():
            if isinstance(self.head, kind):
                raise self._refusal(f'needs {needed} as well')
        if isinstance(self.head, _OTHER_OUTPUTS):
            raise self._refusal('has further outputs, which its loss reads')
        self._register_load_state_dict_pre_hook(_wrap_keys)

    def _refusal(self, fault):
        return ValueError(
            f'{type(self).__name__} expected a head that makes one tensor of logits of the '
            f"backbone's feature maps, but {type(self.head).__name__} {fault}. Take another "
            'head, such as FCNHead, DepthwiseSeparableASPPHead or UPerHead.')

    def logits(self, inputs):
        """Logits of the bare head, in training too."""
        logits = self.head(inputs)
        if not isinstance(logits, torch.Tensor):
            raise self._refusal(f'gives a {type(logits).__name__}')
        return logits

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


def _wrap_keys(state_dict, prefix, *_):
    """Keys of a bare head -> those of a wrapped one."""
    own = [key for key in state_dict if key.startswith(prefix)]
    if not any(key.startswith(f'{prefix}head.') for key in own):
        for key in own:
            state_dict[f'{prefix}head.{key[len(prefix):]}'] = state_dict.pop(key)
