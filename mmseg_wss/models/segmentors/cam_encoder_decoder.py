"""Class activation maps of a trained classifier, as a segmentor predicts."""
import torch

from mmseg_wss.models.decode_heads.cam import average_cams
from mmseg_wss.models.decode_heads.head_conventions import conventions_of
from mmseg_wss.models.segmentors.weak_encoder_decoder import WeakEncoderDecoder
from mmseg_wss.registry import MODELS


@MODELS.register_module()
class CAMEncoderDecoder(WeakEncoderDecoder):
    """A `WeakEncoderDecoder` that predicts the activation maps of its head's classifier.

    The ``seg_logits`` of a sample are float (K, H, W) at the size of the file: zeros for the
    background, then the K - 1 maps, not negative and not normalised, the mean over the head's
    `scales` of the image (RRM, eq. 2).

    Args:
        *args, **kwargs: see `WeakEncoderDecoder`; weights are the same.

    Raises:
        ValueError: the head has no classifier (`RRMHead` has).
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if conventions_of(self.decode_head).activation_maps is None:
            raise ValueError('activation maps need a head with a classifier, such as RRMHead; got '
                             f'{type(self.decode_head).__name__}.')

    def predict(self, inputs, data_samples=None):
        """See ``EncoderDecoder.predict``; the image is taken as a whole."""
        features = self._features_at(inputs, self.decode_head.scales)
        cams = average_cams([self.decode_head.activation_maps(f) for f in features],
                            inputs.shape[-2:])
        background = torch.zeros_like(cams[:, :1])
        return self.postprocess_result(torch.cat((background, cams), 1), data_samples)
