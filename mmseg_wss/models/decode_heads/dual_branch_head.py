"""The strong-weak dual branch of Luo and Yang."""
from mmcv.cnn import ConvModule
from torch import nn

from mmseg_wss.models.decode_heads.two_branch_head import TwoBranchHead
from mmseg_wss.registry import MODELS


@MODELS.register_module()
class DualBranchHead(TwoBranchHead):
    """A strong and a weak branch behind n shared convolutions (dual-branch, 3.2.1).

    The number of convolutions between the features and a classifier is fixed; n of them are shared,
    and each branch has the others. Each is followed by ReLU and dropout. The paper does not say
    which convolutions they are: as in DeepLab-LargeFOV, the first is 3x3 with a dilation and the
    others are 1x1.

    Args:
        feature_head (dict): see `TwoBranchHead`; for the paper's network, which has none,
            ``dict(type='FCNHead', num_convs=0, concat_input=False, in_channels=C, channels=C)``.
        num_shared_convs (int): n, 0 to `num_convs`; with 3 of 3 the branches are bare classifiers.
        num_convs (int): convolutions between the features and a classifier.
        channels (int): their width.
        dilation (int): of the first, 3x3 convolution.
        conv_dropout_ratio (float): dropout behind each convolution.
        **kwargs: see `TwoBranchHead`.

    Raises:
        ValueError: `num_convs` is below 1, or n is not in 0..`num_convs`.
    """

    def __init__(self, feature_head, *, num_shared_convs=3, num_convs=3, channels=1024, dilation=12,
                 conv_dropout_ratio=0.5, **kwargs):
        if num_convs < 1 or not 0 <= num_shared_convs <= num_convs:
            raise ValueError(f"num_shared_convs must be in 0..num_convs={num_convs} (>= 1), got "
                             f'{num_shared_convs}.')
        self.num_shared_convs = num_shared_convs
        self.num_convs = num_convs
        self.dilation = dilation
        self.conv_dropout_ratio = conv_dropout_ratio
        super().__init__(feature_head, channels=channels, **kwargs)

    def _build_neck(self):
        return self._convs(0, self.num_shared_convs)

    def _build_layers(self):
        return self._convs(self.num_shared_convs, self.num_convs)

    def _convs(self, begin, end):
        layers = []
        for number in range(begin, end):
            kernel = dict(kernel_size=1) if number else dict(
                kernel_size=3, padding=self.dilation, dilation=self.dilation)
            layers += [
                ConvModule(self.channels if number else self.in_channels, self.channels, **kernel,
                           conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg),
                nn.Dropout2d(self.conv_dropout_ratio)]
        return nn.Sequential(*layers)
