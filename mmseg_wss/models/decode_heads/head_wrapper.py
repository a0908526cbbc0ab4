"""A head around a head."""
from mmengine.model import BaseModule

from mmseg_wss.registry import MODELS


class HeadWrapper(BaseModule):
    """An mmseg decode head with another loss: what is predicted stays that head's own business.

    A checkpoint of the head without its wrapper can be loaded as it is, to go on from there.

    Args:
        head (dict): config of the decode head.
        init_cfg (dict, optional): see ``mmengine.model.BaseModule``.
    """

    def __init__(self, head, init_cfg=None):
        super().__init__(init_cfg)
        self.head = MODELS.build(head)
        self._register_load_state_dict_pre_hook(_wrap_keys)

    # what mmseg's segmentors and hooks ask of a decode head
    align_corners = property(lambda self: self.head.align_corners)
    num_classes = property(lambda self: self.head.num_classes)
    out_channels = property(lambda self: self.head.out_channels)
    threshold = property(lambda self: self.head.threshold)

    def forward(self, inputs):
        """Logits of the head, (N, K, h, w)."""
        return self.head(inputs)

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
