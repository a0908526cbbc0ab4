"""Segmentor for heads that learn from strong and weak labels."""
import torch
from mmseg.models.segmentors import EncoderDecoder
from mmseg.utils import add_prefix
from torch import nn

from mmseg_wss.models.backbones import widen_on_load
from mmseg_wss.registry import MODELS


@MODELS.register_module()
class WeakEncoderDecoder(EncoderDecoder):
    """mmseg's ``EncoderDecoder``, which also gives heads the image when they ask for it.

    A head that has ``takes_image = True`` is called as ``head.loss(features, samples, train_cfg,
    image=...)`` with float (N, 3, H, W), RGB in 0..255 (the data preprocessor's `to_rgb`). All
    heads share one pass of the backbone.

    A backbone of more than 3 input channels takes pretrained weights for RGB (`widen_on_load`).

    Args:
        new_channels (str): what the filters of the further channels start as, 'zero' or 'mean'.
        channels_last (bool): keep the weights in the channels-last memory format, and with them
            the feature maps: the same numbers up to rounding, faster on CPUs (and on GPUs with
            AMP).
        *args, **kwargs: see ``EncoderDecoder``.
    """

    def __init__(self, *args, new_channels='zero', channels_last=False, **kwargs):
        super().__init__(*args, **kwargs)
        widen_on_load(self.backbone, new_channels)
        if channels_last:
            self.to(memory_format=torch.channels_last)

    def loss(self, inputs, data_samples):
        """Losses of all heads: ``decode.*``, ``aux.*`` or ``aux_0.*``, ...

        Args:
            inputs (Tensor): (N, C, H, W), as the data preprocessor returns it.
            data_samples (list[SegDataSample]): N samples.

        Returns:
            dict[str, Tensor]: scalars.
        """
        heads = {'decode': self.decode_head}
        if self.with_auxiliary_head:
            heads.update({f'aux_{i}': head for i, head in enumerate(self.auxiliary_head)}
                         if isinstance(self.auxiliary_head, nn.ModuleList)
                         else {'aux': self.auxiliary_head})
        features = self.extract_feat(inputs)
        losses = {}
        for prefix, head in heads.items():
            extra = (dict(image=self.data_preprocessor.to_rgb(inputs))
                     if getattr(head, 'takes_image', False) else {})
            losses.update(add_prefix(
                head.loss(features, data_samples, self.train_cfg, **extra), prefix))
        return losses
