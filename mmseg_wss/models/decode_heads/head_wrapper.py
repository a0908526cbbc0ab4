"""A head around a head."""
from mmengine.model import BaseModule

from mmseg_wss.registry import MODELS


class HeadWrapper(BaseModule):
    """An mmseg decode head with another loss: what is predicted stays that head's own business.

    Args:
        head (dict): config of the decode head.
        init_cfg (dict, optional): see ``mmengine.model.BaseModule``.
    """

    def __init__(self, head, init_cfg=None):
        super().__init__(init_cfg)
        self.head = MODELS.build(head)

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
