"""The multi-scale predictions of DeepLab."""
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import nn

from mmseg_wss.labels.checks.class_check import check_class_number
from mmseg_wss.registry import MODELS


@MODELS.register_module()
class DeepLabMScHead(BaseDecodeHead):
    """DeepLab's classifier with the image and early maps beside the last map (DeepLab-MSc).

    Each early map goes through a two-layer perceptron of its own: a 3x3 and a 1x1 convolution,
    each with ReLU and dropout. The paper classifies their outputs together with the last map
    (Chen et al., ICLR 2015, section 4.2):

        logits = classifier([last, mlp_1(early_1), mlp_2(early_2), ...])

    A 1x1 classifier of stacked channels is a sum of classifiers, which is how it is computed here.
    So ``conv_seg``, the last map's own, has the shape that it has without early maps, and takes
    the weights of a network without them.

    Args:
        in_channels (Sequence[int]): channels of the maps `in_index`; the last map is the one to be
            classified, all others are early.
        early_strides (Sequence[int]): of the 3x3 convolution of each early map: how many times
            finer the map is than the last one.
        num_classes (int): K, with the background.
        early_channels (int): width of both layers.
        early_dropout_ratio (float): behind both.
        dropout_ratio (float): in front of ``conv_seg``.
        **kwargs: see ``mmseg.models.BaseDecodeHead``; `in_index` is needed.

    Raises:
        ConfigError: more than 255 classes.
        ValueError: no early map, or not one stride for each. In training and prediction: maps that
            are not as fine as `early_strides` says.
    """

    def __init__(self, in_channels, early_strides, *, num_classes, early_channels=128,
                 early_dropout_ratio=0.5, dropout_ratio=0., **kwargs):
        check_class_number(num_classes, type(self).__name__)
        *early, last = in_channels
        if not early or len(early) != len(early_strides):
            raise ValueError(
                'expected one of early_strides for each of in_channels but the last, got '
                f'in_channels={tuple(in_channels)} and early_strides={tuple(early_strides)}.')
        super().__init__(
            in_channels, last, num_classes=num_classes, dropout_ratio=dropout_ratio,
            input_transform='multiple_select', init_cfg=[  # as `DeepLabV2Head` starts
                dict(type='Kaiming', layer='Conv2d'),
                dict(type='Normal', std=0.01, override=[
                    dict(name='conv_seg'), dict(name='early_classifiers')])], **kwargs)
        self.perceptrons = nn.ModuleList(nn.Sequential(
            nn.Conv2d(channels, early_channels, 3, stride, padding=1), nn.ReLU(),
            nn.Dropout(early_dropout_ratio),
            nn.Conv2d(early_channels, early_channels, 1), nn.ReLU(),
            nn.Dropout(early_dropout_ratio)) for channels, stride in zip(early, early_strides))
        self.early_classifiers = nn.ModuleList(
            nn.Conv2d(early_channels, self.out_channels, 1, bias=False) for _ in early)

    def forward(self, inputs):
        """Logits, (N, K, h, w), of feature maps of which the last is (N, C, h, w)."""
        *early, last = self._transform_inputs(inputs)
        logits = self.cls_seg(last)
        for features, perceptron, classifier in zip(
                early, self.perceptrons, self.early_classifiers):
            hidden = perceptron(features)
            if hidden.shape[2:] != logits.shape[2:]:
                raise ValueError(
                    f'a map of {tuple(features.shape[2:])} pixels and its stride give '
                    f'{tuple(hidden.shape[2:])}, but the last map has {tuple(logits.shape[2:])}: '
                    'set early_strides.')
            logits = logits + classifier(hidden)
        return logits
