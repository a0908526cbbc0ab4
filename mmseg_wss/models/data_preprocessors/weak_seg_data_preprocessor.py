"""Normalise images of any number of channels and pad whatever maps their samples have."""
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.model import BaseDataPreprocessor
from mmengine.structures import PixelData

from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.registry import MODELS


@MODELS.register_module()
class WeakSegDataPreprocessor(BaseDataPreprocessor):
    """Move a batch to the device, swap BGR to RGB, normalise, and in training pad to one size.

    It differs from mmseg's ``SegDataPreProcessor`` where that loses data: inputs may have more than
    three channels (only the first three are swapped, none is dropped), a sample without a mask is
    padded like the others, and every map (``PixelData``) of a sample is padded with its own value.
    In training each sample gets the map ``valid`` (bool (1, H, W)): True inside the image, False on
    the padding.

    Args:
        mean, std (Sequence[float]): one number for each of the C channels, first R, G, B, in the
            units of the image (0..255).
        bgr_to_rgb (bool): the first three channels come as B, G, R.
        size (tuple, optional): (H, W) to pad to in training.
        size_divisor (int, optional): instead of `size`: pad to the largest image of the batch,
            rounded up to a multiple of this. Without both: to the largest image.
        pad_val (float): padding of the normalised image.
        extra_pad_vals (Sequence[float], optional): padding of the channels behind the third, in the
            units of the input: (255, 0) for the maps of `BoxPriors`. Without it: `pad_val`.
        seg_pad_val (int): padding of the mask and of any map not named in `map_pad_vals`.
        map_pad_vals (dict, optional): name of a map -> its padding value.
        test_cfg (dict, optional): ``dict(size=...)`` or ``dict(size_divisor=...)`` to pad at test
            time too; the prediction is cut back.

    Raises:
        ValueError: the number of channels is not that of `mean`; images of one batch differ in
            size at test time, or are larger than `size`; `size` and `size_divisor` are both given.
    """

    def __init__(self, mean, std, bgr_to_rgb=True, size=None, size_divisor=None, pad_val=0,
                 extra_pad_vals=None, seg_pad_val=IGNORE, map_pad_vals=None, test_cfg=None,
                 non_blocking=False):
        super().__init__(non_blocking=non_blocking)
        if len(mean) != len(std) or len(mean) < 3:
            raise ValueError('mean and std need a number for each channel, three at least, got '
                             f'{list(mean)} and {list(std)}.')
        if extra_pad_vals is not None and len(extra_pad_vals) != len(mean) - 3:
            raise ValueError(f'extra_pad_vals={list(extra_pad_vals)}: {len(mean)} channels have '
                             f'{len(mean) - 3} behind the third; give a number for each.')
        if size is not None and size_divisor is not None:
            raise ValueError(f'size={size} and size_divisor={size_divisor}: give one of the two.')
        self.register_buffer('mean', torch.tensor(mean, dtype=torch.float).view(-1, 1, 1), False)
        self.register_buffer('std', torch.tensor(std, dtype=torch.float).view(-1, 1, 1), False)
        self.bgr_to_rgb = bgr_to_rgb
        self.size = size
        self.size_divisor = size_divisor
        self.pad_val = pad_val
        # normalised now: read back from the buffers, they would make every batch wait for the GPU
        self.extra_pad_vals = None if extra_pad_vals is None else [
            float((value - np.float32(m)) / np.float32(s)) for value, m, s in zip(
                np.float32(extra_pad_vals), mean[3:], std[3:])]
        self.seg_pad_val = seg_pad_val
        self.map_pad_vals = map_pad_vals or {}
        self.test_cfg = test_cfg or {}

    def forward(self, data, training=False):
        """Prepare a batch.

        Args:
            data (dict): inputs: list of (C, H_i, W_i) tensors, 0..255; data_samples: list of
                ``SegDataSample``, optional at test time.
            training (bool): pad, and mark valid pixels.

        Returns:
            dict: inputs, float (N, C, H, W), RGB and normalised; data_samples.
        """
        data = self.cast_data(data)
        inputs, samples = data['inputs'], data.get('data_samples')
        inputs = [self._normalise(image) for image in inputs]
        if training:
            shape = self._padded_shape(inputs, self.size, self.size_divisor)
            for image, sample in zip(inputs, samples):
                self._pad_sample(sample, image.shape[-2:], shape)
        else:
            shape = inputs[0].shape[-2:]
            if any(image.shape[-2:] != shape for image in inputs):
                raise ValueError(
                    'images of one test batch have different sizes '
                    f'{sorted({tuple(image.shape[-2:]) for image in inputs})}: set batch_size=1 '
                    'in val_dataloader and test_dataloader.')
            if self.test_cfg:
                shape = self._padded_shape(inputs, self.test_cfg.get('size'),
                                           self.test_cfg.get('size_divisor'))
                for image, sample in zip(inputs, samples or ()):
                    sample.set_metainfo(dict(
                        img_padding_size=_padding(image.shape[-2:], shape), pad_shape=shape))
        inputs = torch.stack([self._pad_image(image, shape) for image in inputs])
        return dict(inputs=inputs, data_samples=samples)

    def to_rgb(self, inputs):
        """Undo the normalisation of the first three channels.

        Args:
            inputs (Tensor): (N, C, H, W), as `forward` returns them.

        Returns:
            Tensor: float (N, 3, H, W), RGB in 0..255 (padding: whatever `pad_val` stands for).
        """
        return (inputs[:, :3] * self.std[:3] + self.mean[:3]).clamp(0, 255)

    def _normalise(self, image):
        if image.shape[0] != len(self.mean):
            raise ValueError(
                f'an input has {image.shape[0]} channels, but mean and std of the data '
                f'preprocessor have {len(self.mean)} numbers: make them agree.')
        if self.bgr_to_rgb:
            image = torch.cat((image[:3].flip(0), image[3:]))
        return (image.float() - self.mean) / self.std

    def _pad_image(self, image, shape):
        padding = _padding(image.shape[-2:], shape)
        if self.extra_pad_vals is None:
            return F.pad(image, padding, value=self.pad_val)
        return torch.cat([
            F.pad(image[:3], padding, value=self.pad_val),
            *(F.pad(channel[None], padding, value=value)
              for channel, value in zip(image[3:], self.extra_pad_vals))])

    @staticmethod
    def _padded_shape(inputs, size, divisor):
        largest = [max(image.shape[d] for image in inputs) for d in (-2, -1)]
        if size is None:
            return tuple(-(-side // (divisor or 1)) * (divisor or 1) for side in largest)
        if largest[0] > size[0] or largest[1] > size[1]:
            raise ValueError(f'an image of {tuple(largest)} (height, width) does not fit in size='
                             f'{tuple(size)}: crop first, or use a larger size.')
        return tuple(size)

    def _pad_sample(self, sample, image_shape, shape):
        padding = _padding(image_shape, shape)
        for name in sample.keys():
            field = sample.get(name)
            if isinstance(field, PixelData):
                value = self.map_pad_vals.get(name, self.seg_pad_val)
                sample.set_data({name: PixelData(
                    data=F.pad(field.data, padding, value=value), metainfo=field.metainfo)})
        valid = torch.ones(1, *image_shape, dtype=torch.bool, device=self.device)
        sample.valid = PixelData(data=F.pad(valid, padding, value=False))
        sample.set_metainfo(
            dict(img_shape=tuple(image_shape), pad_shape=shape, padding_size=padding))


def _padding(image_shape, shape):
    """(left, right, top, bottom) to pad an image on the right and below."""
    return [0, shape[1] - image_shape[1], 0, shape[0] - image_shape[0]]
