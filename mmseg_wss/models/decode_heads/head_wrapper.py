"""A head around a head."""
import inspect
import typing

from mmengine.model import BaseModule

from mmseg_wss.registry import MODELS


class HeadWrapper(BaseModule):
    """An mmseg decode head with another loss: what is predicted stays that head's own business.

    A checkpoint of the head without its wrapper can be loaded as it is, to go on from there.

    The head's forward makes one tensor of logits of the feature maps alone.

    Args:
        head (dict): config of the decode head.
        init_cfg (dict, optional): see ``mmengine.model.BaseModule``.

    Raises:
        ValueError: a head that needs more than feature maps, as one of a cascade does (OCRHead), or
            gives more than one map of logits in training (DAHead, EncHead, PIDHead).
    """

    def __init__(self, head, init_cfg=None):
        super().__init__(init_cfg)
        self.head = MODELS.build(head)
        self._check_head()
        self._register_load_state_dict_pre_hook(_wrap_keys)

    def _check_head(self):
        needed = [parameter.name for parameter in _parameters(self.head.forward)[1:]
                  if parameter.default is parameter.empty
                  and parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
        if needed or _reads_several(self.head):
            fault = (f'needs {", ".join(needed)} as well' if needed
                     else 'has further outputs, which its loss reads')
            raise ValueError(
                f'{type(self).__name__} expected a head that makes one tensor of logits of the '
                f"backbone's feature maps, but {type(self.head).__name__} {fault}. Take another "
                'head, such as FCNHead, DepthwiseSeparableASPPHead or UPerHead.')

    # what mmseg's segmentors and hooks ask of a decode head
    align_corners = property(lambda self: self.head.align_corners)
    num_classes = property(lambda self: self.head.num_classes)
    out_channels = property(lambda self: self.head.out_channels)
    threshold = property(lambda self: self.head.threshold)

    def forward(self, inputs):
        """Logits of the head, (N, K, h, w)."""
        return self.head(inputs)

    def predict(self, inputs, batch_img_metas, test_cfg):
        """See ``mmseg.models.BaseDecodeHead.predict``."""
        return self.head.predict(inputs, batch_img_metas, test_cfg)

    def predict_by_feat(self, seg_logits, batch_img_metas):
        """See ``mmseg.models.BaseDecodeHead.predict_by_feat``."""
        return self.head.predict_by_feat(seg_logits, batch_img_metas)

    def loss_by_feat(self, seg_logits, batch_data_samples):
        """The loss of the bare head, see ``mmseg.models.BaseDecodeHead.loss_by_feat``."""
        return self.head.loss_by_feat(seg_logits, batch_data_samples)


def _parameters(function):
    return list(inspect.signature(function).parameters.values())


def _reads_several(head):
    """Its `loss_by_feat` takes a tuple or a list: the type hint says so in all such of mmseg."""
    loss = getattr(head, 'loss_by_feat', None)
    return loss is not None and typing.get_origin(_parameters(loss)[0].annotation) in (tuple, list)


def _wrap_keys(state_dict, prefix, *_):
    """Keys of a bare head -> those of a wrapped one."""
    own = [key for key in state_dict if key.startswith(prefix)]
    if not any(key.startswith(f'{prefix}head.') for key in own):
        for key in own:
            state_dict[f'{prefix}head.{key[len(prefix):]}'] = state_dict.pop(key)
