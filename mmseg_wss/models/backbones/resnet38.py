"""ResNet38: the wide, pre-activation residual network of PSA and RRM."""
from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from mmseg_wss.registry import MODELS

# Stages of plain units: name, number of units, channels of the first and of the second convolution
# (in base channels), stride of the first unit, dilation of its first convolution and of all others.
PLAIN_STAGES = (
    ('b2', 3, 2, 2, 2, 1, 1),
    ('b3', 3, 4, 4, 2, 1, 1),
    ('b4', 6, 8, 8, 2, 1, 1),
    ('b5', 3, 8, 16, 1, 1, 2),
)
# Stages of one bottleneck unit: name, channels (in base channels), dilation, channel dropout.
BOTTLENECK_STAGES = (('b6', 32, 4, 0.3), ('b7', 64, 4, 0.5))


def _conv(in_channels, out_channels, kernel, stride=1, dilation=1):
    return nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2 * dilation,
                     dilation=dilation, bias=False)


class PreActUnit(nn.Module, ABC):
    """A residual unit whose convolutions come after batch norm and ReLU (He et al., 2016).

    With a = ReLU(BN(x)), the output is branch(a) + x, or branch(a) + conv(a) with a 1x1 convolution
    where the shape changes. Subclasses write the layers of the branch, under the names of the
    published weights: branch1 is the shortcut, branch2a, branch2b1 and branch2b2 the residual
    branch; a norm has the name of the convolution behind it.
    """

    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        self.bn_branch2a = nn.BatchNorm2d(in_channels)
        self.conv_branch1 = None
        if in_channels != out_channels or stride != 1:
            self.conv_branch1 = _conv(in_channels, out_channels, 1, stride)

    def forward(self, x):
        """(N, C, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride))."""
        activated = F.relu(self.bn_branch2a(x), inplace=True)
        shortcut = x if self.conv_branch1 is None else self.conv_branch1(activated)
        return self.branch(activated) + shortcut

    @abstractmethod
    def branch(self, x):
        """What is added to the shortcut, of the activated input (N, C, H, W)."""


class PlainUnit(PreActUnit):
    """Two 3x3 convolutions; `dilations` are theirs, in order."""

    def __init__(self, in_channels, mid_channels, out_channels, stride=1, dilations=(1, 1)):
        super().__init__(in_channels, out_channels, stride)
        self.conv_branch2a = _conv(in_channels, mid_channels, 3, stride, dilations[0])
        self.bn_branch2b1 = nn.BatchNorm2d(mid_channels)
        self.conv_branch2b1 = _conv(mid_channels, out_channels, 3, 1, dilations[1])

    def branch(self, x):
        x = self.conv_branch2a(x)
        return self.conv_branch2b1(F.relu(self.bn_branch2b1(x), inplace=True))


class BottleneckUnit(PreActUnit):
    """1x1, dilated 3x3 and 1x1 convolutions to 1/4, 1/2 and all of the channels.

    Whole channels are dropped, with probability `drop_rate`, before the second and the third.
    """

    def __init__(self, in_channels, out_channels, dilation, drop_rate):
        super().__init__(in_channels, out_channels, stride=1)
        self.drop_rate = drop_rate
        self.conv_branch2a = _conv(in_channels, out_channels // 4, 1)
        self.bn_branch2b1 = nn.BatchNorm2d(out_channels // 4)
        self.conv_branch2b1 = _conv(out_channels // 4, out_channels // 2, 3, dilation=dilation)
        self.bn_branch2b2 = nn.BatchNorm2d(out_channels // 2)
        self.conv_branch2b2 = _conv(out_channels // 2, out_channels, 1)

    def branch(self, x):
        x = self.conv_branch2a(x)
        x = self.conv_branch2b1(self._drop(F.relu(self.bn_branch2b1(x), inplace=True)))
        return self.conv_branch2b2(self._drop(F.relu(self.bn_branch2b2(x), inplace=True)))

    def _drop(self, x):
        return F.dropout2d(x, self.drop_rate, self.training)


@MODELS.register_module()
class ResNet38(BaseModule):
    """ResNet38, dilated to an output stride of 8.

    It is model A1 of "Wider or Deeper: Revisiting the ResNet Model for Visual Recognition" (Wu,
    Shen and van den Hengel, 2019), with the dilations of PSA (Ahn and Kwak, 2018) and RRM (Zhang et
    al., 2020): 43 convolutions without bias, 105.1 M parameters. The stem conv1a is followed by six
    stages:

    ========  =====  =====  ====  ====  ====  =====
    stage     b2     b3     b4    b5    b6    b7
    ========  =====  =====  ====  ====  ====  =====
    units     3      3      6     3     1     1
    channels  128    256    512   1024  2048  4096
    stride    2      4      8     8     8     8
    dilation  1      1      1     2     4     4
    ========  =====  =====  ====  ====  ====  =====

    Inputs are RGB, normalised as for torchvision's ImageNet models. Parameters have the names of
    the published PyTorch weights; ``tools/model_converters/resnet38.py`` makes a checkpoint for
    ``init_cfg=dict(type='Pretrained', checkpoint=...)`` of those, or of the original mxnet file.

    Args:
        in_channels (int): channels of the input.
        out_indices (Sequence[int]): stages whose output is returned, 0 for b2 to 5 for b7. The
            output of a stage is taken behind the batch norm and ReLU that follow it: bn7 for b7,
            the first ones of the next stage for the others.
        frozen_stages (int): -1 trains everything (RRM), 0 freezes conv1a, i freezes conv1a and the
            first i stages (PSA: 1, that is conv1a and b2).
        norm_eval (bool): batch norm uses its stored statistics in training too.
        frozen_norm (bool): weight and bias of batch norm are not trained.
        with_cp (bool): gradient checkpointing of every unit: less memory, one more forward pass.
        base_channels (int): channels of the stem; all others are multiples of it.
        init_cfg (dict or list[dict], optional): Kaiming's initialisation by default. To train from
            that, norm_eval and frozen_norm should be False.

    Raises:
        ValueError: an index or a number of stages that does not exist.
    """

    def __init__(self, in_channels=3, out_indices=(5, ), frozen_stages=-1, norm_eval=True,
                 frozen_norm=True, with_cp=False, base_channels=64, init_cfg=None):
        super().__init__(init_cfg or dict(type='Kaiming', layer='Conv2d'))
        self.conv1a = _conv(in_channels, base_channels, 3)
        self._stages = self._make_stages(base_channels)
        self.bn7 = nn.BatchNorm2d(64 * base_channels)
        number = len(self._stages)
        if not out_indices or not set(out_indices) <= set(range(number)):
            raise ValueError(f'out_indices must be from 0 to {number - 1}; got {out_indices}.')
        if frozen_stages not in range(-1, number + 1):
            raise ValueError(f'frozen_stages must be from -1 to {number}; got {frozen_stages}.')
        self.out_indices = tuple(out_indices)
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.with_cp = with_cp
        if frozen_norm:
            for module in self._norms():
                module.requires_grad_(False)
        for module in self._frozen_modules():
            module.requires_grad_(False)

    def _make_stages(self, base):
        """Add the units; returns the names of each stage's."""
        stages = []
        channels = base
        for stage, number, mid, out, stride, first_dilation, dilation in PLAIN_STAGES:
            names = [stage] + [f'{stage}_{k}' for k in range(1, number)]
            stages.append(names)
            for name in names:
                self.add_module(name, PlainUnit(
                    channels, mid * base, out * base, stride, (first_dilation, dilation)))
                channels, stride, first_dilation = out * base, 1, dilation
        for name, out, dilation, drop_rate in BOTTLENECK_STAGES:
            stages.append([name])
            self.add_module(name, BottleneckUnit(channels, out * base, dilation, drop_rate))
            channels = out * base
        return stages

    def forward(self, x):
        """Compute the feature maps.

        Args:
            x (Tensor): (N, in_channels, H, W), of any size.

        Returns:
            tuple[Tensor]: one (N, C, ceil(H / s), ceil(W / s)) per stage in `out_indices`, in the
            order of the stages, with the channels C and strides s of the table above.
        """
        x = self.conv1a(x)
        outs = []
        for index, names in enumerate(self._stages[:max(self.out_indices) + 1]):
            for name in names:
                x = self._run(getattr(self, name), x)
            if index in self.out_indices:
                outs.append(F.relu(self._norm_behind(index)(x), inplace=True))
        return tuple(outs)

    def _run(self, unit, x):
        if self.with_cp and torch.is_grad_enabled():
            return checkpoint(unit, x, use_reentrant=False)
        return unit(x)

    def _norm_behind(self, index):
        if index + 1 == len(self._stages):
            return self.bn7
        return getattr(self, self._stages[index + 1][0]).bn_branch2a

    def train(self, mode=True):
        """Set the mode, except of what is frozen and, with `norm_eval`, of batch norm."""
        super().train(mode)
        for module in self._frozen_modules():
            module.eval()
        if self.norm_eval:
            for module in self._norms():
                module.eval()
        return self

    def _norms(self):
        return [module for module in self.modules() if isinstance(module, _BatchNorm)]

    def _frozen_modules(self):
        if self.frozen_stages < 0:
            return []
        names = [name for stage in self._stages[:self.frozen_stages] for name in stage]
        return [self.conv1a] + [getattr(self, name) for name in names]
