"""Segmentor for heads that learn from strong and weak labels."""
from mmseg.models.segmentors import EncoderDecoder
from mmseg.utils import add_prefix
from torch import nn

from mmseg_wss.registry import MODELS


@MODELS.register_module()
class WeakEncoderDecoder(EncoderDecoder):
    """mmseg's ``EncoderDecoder``, with one backbone pass for all heads, weak or strong.

    It differs in two things. A head that has ``takes_image = True`` is also given the image:
    ``head.loss(features, samples, train_cfg, image=...)`` with float (N, 3, H, W), RGB in 0..255
    (the data preprocessor's `to_rgb`). And two heads that log the same key are an error: mmengine
    would count one of them and drop the other.

    Raises:
        ValueError: two heads give a loss of the same name.
    """

    def loss(self, inputs, data_samples):
        """Losses of all heads: ``decode.*``, ``aux.*`` or ``aux_0.*``, ...

        Args:
            inputs (Tensor): (N, C, H, W), as the data preprocessor returns it.
            data_samples (list[SegDataSample]): N samples.

        Returns:
            dict[str, Tensor]: scalars.
        """
        heads = [('decode', self.decode_head)]
        if self.with_auxiliary_head:
            several = isinstance(self.auxiliary_head, nn.ModuleList)
            heads += ([(f'aux_{i}', head) for i, head in enumerate(self.auxiliary_head)]
                      if several else [('aux', self.auxiliary_head)])
        features = self.extract_feat(inputs)
        losses = {}
        for prefix, head in heads:
            extra = (dict(image=self.data_preprocessor.to_rgb(inputs))
                     if getattr(head, 'takes_image', False) else {})
            for name, value in add_prefix(
                    head.loss(features, data_samples, self.train_cfg, **extra), prefix).items():
                if name in losses:
                    raise ValueError(f'two heads give a loss named {name!r}: rename one with '
                                     'loss_name.')
                losses[name] = value
        return losses
