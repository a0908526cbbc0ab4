"""The head of DeepLab-v2."""
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import nn

from mmseg_wss.registry import MODELS


@MODELS.register_module()
class DeepLabV2Head(BaseDecodeHead):
    """Atrous spatial pyramid of classifiers (Chen et al., DeepLab, TPAMI 2018).

    The logits are the sum of 3x3 convolutions of several dilations, each straight from the features
    to the classes.

    Args:
        in_channels (int): channels of the feature map `in_index`.
        num_classes (int): K, with the background.
        dilations (Sequence[int]): one for each classifier.
        **kwargs: see ``mmseg.models.BaseDecodeHead``.
    """

    def __init__(self, in_channels, *, num_classes, dilations=(6, 12, 18, 24), **kwargs):
        super().__init__(in_channels, in_channels, num_classes=num_classes, dropout_ratio=0.,
                         init_cfg=dict(type='Normal', std=0.01, layer='Conv2d'), **kwargs)
        del self.conv_seg
        self.classifiers = nn.ModuleList(
            nn.Conv2d(in_channels, self.out_channels, 3, padding=d, dilation=d) for d in dilations)

    def forward(self, inputs):
        """Logits, (N, K, h, w)."""
        features = self._transform_inputs(inputs)
        return sum(classifier(features) for classifier in self.classifiers)
