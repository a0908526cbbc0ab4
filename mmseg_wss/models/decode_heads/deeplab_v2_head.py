"""The head of DeepLab-v2."""
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import nn

from mmseg_wss.labels.checks.class_check import check_class_number
from mmseg_wss.registry import MODELS


@MODELS.register_module()
class DeepLabV2Head(BaseDecodeHead):
    """Atrous spatial pyramid of classifiers (Chen et al., DeepLab, TPAMI 2018).

    The logits are the sum of several branches, each with its own dilation:

    - of a 3x3 convolution straight from the features to the classes, as over ResNet-101; or
    - with `hidden_channels`, of VGG16's last layers as convolutions: fc6 3x3 with the dilation, fc7
      1x1, each with ReLU and dropout, and fc8 1x1 to the classes ("DeepLab-ASPP-L", the network of
      DSRG).

    Args:
        in_channels (int): channels of the feature map `in_index`.
        num_classes (int): K, with the background.
        dilations (Sequence[int]): one for each branch.
        hidden_channels (int, optional): channels of fc6 and fc7, 1024 in the paper.
        hidden_dropout_ratio (float): behind fc6 and behind fc7.
        **kwargs: see ``mmseg.models.BaseDecodeHead``.

    Raises:
        ConfigError: more than 255 classes.
    """

    def __init__(self, in_channels, *, num_classes, dilations=(6, 12, 18, 24),
                 hidden_channels=None, hidden_dropout_ratio=0.5, **kwargs):
        check_class_number(num_classes, type(self).__name__)
        # Kaiming, since hidden layers without batch norm would fade with 0.01
        super().__init__(in_channels, hidden_channels or in_channels, num_classes=num_classes,
                         dropout_ratio=0., init_cfg=[
                             dict(type='Kaiming', layer='Conv2d'),
                             dict(type='Normal', std=0.01, override=dict(name='classifiers'))],
                         **kwargs)
        del self.conv_seg
        if hidden_channels is None:
            self.classifiers = nn.ModuleList(
                _dilated(in_channels, self.out_channels, d) for d in dilations)
            self.hidden = nn.ModuleList(nn.Identity() for _ in dilations)
        else:
            self.classifiers = nn.ModuleList(
                nn.Conv2d(hidden_channels, self.out_channels, 1) for _ in dilations)
            self.hidden = nn.ModuleList(nn.Sequential(
                _dilated(in_channels, hidden_channels, d), nn.ReLU(),
                nn.Dropout(hidden_dropout_ratio),
                nn.Conv2d(hidden_channels, hidden_channels, 1), nn.ReLU(),
                nn.Dropout(hidden_dropout_ratio)) for d in dilations)

    def forward(self, inputs):
        """Logits, (N, K, h, w)."""
        features = self._transform_inputs(inputs)
        return sum(classifier(hidden(features))
                   for hidden, classifier in zip(self.hidden, self.classifiers))


def _dilated(in_channels, out_channels, dilation):
    return nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation)
