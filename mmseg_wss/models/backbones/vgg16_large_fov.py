"""VGG16 as DeepLab-LargeFOV has it."""
import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import nn

from mmseg_wss.registry import MODELS

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


@MODELS.register_module()
class VGG16LargeFOV(BaseModule):
    """VGG16 made dense, with a large field of view (DeepLab-LargeFOV, Chen et al., 2015).

    The 13 convolutions of VGG16 in five blocks, each with a 3x3 max pool of padding 1 behind it;
    then a 3x3 average pool of stride 1, and the first two fully connected layers as convolutions:
    fc6 3x3 with dilation, fc7 1x1, each with ReLU and dropout. With the default strides the output
    stride is 8 and the convolutions of block 5 have dilation 2: a pool of stride 1 doubles the
    dilation of all blocks behind it, so that a convolution still takes every sample it would have
    taken at full stride.

    Convolutions have torchvision's names (``features.N``), so ImageNet weights of its VGG16 load
    through ``init_cfg=dict(type='Pretrained', checkpoint='torchvision://vgg16')``; they expect
    RGB normalised as for torchvision's other models. Its first two fully connected layers become
    fc6 and fc7 (`decimate`); otherwise these start fresh (Kaiming).

    Args:
        in_channels (int): channels of the input.
        pool_strides (Sequence[int]): strides, 1 or 2, of the five pools.
        fc_channels (int): channels of fc6 and fc7.
        fc6_dilation (int): dilation of fc6, at the resolution of the output.
        dropout_ratio (float): behind fc6 and behind fc7.
        decimate_fc (bool): fc6 and fc7 take part of the weights of VGG16's fully connected layers,
            where these are loaded.
        out_indices (Sequence[int]): outputs to return: 0 to 4 for the five blocks, behind their
            max pools, and 5 for fc7. Without 5 there are no fc6 and fc7.
        fc6_kernel_size (int): 4, with ``fc_channels=4096, fc6_dilation=4``, makes the small field
            of view with which WSSL learns from image labels.
        average_pool5 (bool): output 4 is behind the average pool, for a head that has its own fc6
            (`DeepLabV2Head`, as in DSRG).
        with_image (bool): the input itself is the first output (`DeepLabMScHead`).
        init_cfg (dict or list[dict], optional): by default, Kaiming's initialisation as in
            torchvision.

    Raises:
        ValueError: an index or a stride that does not exist; a kernel and a dilation of fc6 that
            would change the size of the map; `average_pool5` without output 4.
    """

    def __init__(self, in_channels=3, pool_strides=(2, 2, 2, 1, 1), fc_channels=1024,
                 fc6_dilation=12, dropout_ratio=0.5, out_indices=(5, ), fc6_kernel_size=3,
                 average_pool5=False, decimate_fc=True, with_image=False, init_cfg=None):
        super().__init__(init_cfg)
        if len(pool_strides) != len(BLOCKS) or not set(pool_strides) <= {1, 2}:
            raise ValueError(f'pool_strides must be {len(BLOCKS)} strides of 1 or 2; got '
                             f'{pool_strides}.')
        if not out_indices or not set(out_indices) <= set(range(len(BLOCKS) + 1)):
            raise ValueError(f'out_indices must be from 0 to {len(BLOCKS)}; got {out_indices}.')
        if average_pool5 and len(BLOCKS) - 1 not in out_indices:
            raise ValueError(f'average_pool5=True is about output {len(BLOCKS) - 1}; got '
                             f'out_indices={out_indices}.')
        reach = fc6_dilation * (fc6_kernel_size - 1)
        if reach % 2:
            raise ValueError(
                f'fc6_kernel_size={fc6_kernel_size} with fc6_dilation={fc6_dilation} has no middle '
                'pixel, so the map would change its size: set an odd kernel or an even dilation.')
        self.out_indices = tuple(out_indices)
        self.average_pool5 = average_pool5
        self.with_image = with_image
        self.features = nn.Sequential(*_features(in_channels, pool_strides))
        self.with_fc = len(BLOCKS) in self.out_indices
        if self.with_fc:
            self.fc6 = nn.Conv2d(BLOCKS[-1][-1], fc_channels, fc6_kernel_size, padding=reach // 2,
                                 dilation=fc6_dilation)
            self.fc7 = nn.Conv2d(fc_channels, fc_channels, 1)
            self.dropout = nn.Dropout(dropout_ratio)
            if decimate_fc:
                self._register_load_state_dict_pre_hook(_take_classifier, with_module=True)
        # Here rather than by init_cfg, whose 'Pretrained' may leave fc6 and fc7 as PyTorch's
        # Conv2d makes them: too small for a network without batch norm.
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
                nn.init.zeros_(module.bias)

    def forward(self, x):
        """Compute the feature maps.

        Args:
            x (Tensor): (N, in_channels, H, W), of any size.

        Returns:
            tuple[Tensor]: one (N, C, ceil(H / s), ceil(W / s)) per index in `out_indices`, in
            ascending order; s is the product of the strides of the pools up to there.
        """
        outs = [x] if self.with_image else []
        block = 0
        for layer in self.features:
            x = layer(x)
            if isinstance(layer, nn.MaxPool2d):
                if block in self.out_indices:
                    outs.append(x)
                block += 1
        if self.with_fc or self.average_pool5:
            x = F.avg_pool2d(x, 3, stride=1, padding=1)
        if self.average_pool5:
            outs[-1] = x
        if self.with_fc:
            x = self.dropout(F.relu(self.fc6(x), inplace=True))
            outs.append(self.dropout(F.relu(self.fc7(x), inplace=True)))
        return tuple(outs)


def decimate(weight, channels, kernel_size):
    """Fully connected layers of VGG16 as convolutions of fewer filters and taps.

    Every s-th filter, and of a kernel rows and columns that are spread over it, without rescaling
    (DeepLab, Chen et al., 2015, section 3.1, "simple decimation").

    Args:
        weight (Tensor): (O, C, kH, kW), with O >= `channels` and kH, kW >= `kernel_size`.
        channels (int): filters that are left.
        kernel_size (int): of the kernel that is left.

    Returns:
        Tensor: (channels, C, kernel_size, kernel_size).
    """
    weight = weight[_every(weight.shape[0], channels)]
    rows, columns = (
        torch.tensor([round((size - 1) * (i / (kernel_size - 1) if kernel_size > 1 else 0.5))
                      for i in range(kernel_size)]) for size in weight.shape[2:])
    return weight[:, :, rows[:, None], columns]


def _every(size, number):
    return torch.arange(number) * (size // number)


def _take_classifier(vgg, state_dict, prefix, *_):
    """``classifier`` of torchvision's VGG16 -> fc6 and fc7, where it has their size or more."""
    old = {key: state_dict.get(f'{prefix}classifier.{key}')
           for key in ('0.weight', '0.bias', '3.weight', '3.bias')}
    channels, inputs, kernel_size, _ = vgg.fc6.weight.shape
    taps = 7  # of the feature map that VGG16 classifies
    if any(value is None for value in old.values()) or old['0.weight'].shape[1:] != (
            inputs * taps * taps, ) or kernel_size > taps or channels > len(old['0.bias']):
        return
    kept = _every(len(old['0.bias']), channels)
    fc6 = old['0.weight'].unflatten(1, (inputs, taps, taps))
    fc7 = old['3.weight'][:, kept, None, None]  # the inputs that are left
    state_dict.update({
        f'{prefix}fc6.weight': decimate(fc6, channels, kernel_size),
        f'{prefix}fc6.bias': old['0.bias'][kept],
        f'{prefix}fc7.weight': decimate(fc7, channels, 1),
        f'{prefix}fc7.bias': old['3.bias'][kept]})
    for key in old:
        del state_dict[f'{prefix}classifier.{key}']


def _features(in_channels, pool_strides):
    """The layers of the five blocks, at torchvision's places."""
    dilation = 1
    for widths, stride in zip(BLOCKS, pool_strides):
        for width in widths:
            yield nn.Conv2d(in_channels, width, 3, padding=dilation, dilation=dilation)
            yield nn.ReLU(inplace=True)
            in_channels = width
        yield nn.MaxPool2d(3, stride, padding=1)
        dilation *= 2 // stride
