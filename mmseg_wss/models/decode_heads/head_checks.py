"""What a head must be like to stand inside a head of this package, or inside its segmentor."""
import torch
from mmseg.models.decode_heads import (
    DAHead,
    DDRHead,
    EncHead,
    IterativeDecodeHead,
    PIDHead,
    SideAdapterCLIPHead,
)
from mmseg.models.decode_heads.cascade_decode_head import BaseCascadeDecodeHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead

from mmseg_wss.errors import ConfigError

_OTHER_INPUTS = {BaseCascadeDecodeHead: 'prev_output', SideAdapterCLIPHead: 'deep_supervision_idxs'}
_OTHER_OUTPUTS = DAHead, DDRHead, EncHead, IterativeDecodeHead, PIDHead
_OTHERS = 'Take another head, such as FCNHead, DepthwiseSeparableASPPHead or UPerHead.'


def refusal(owner, head, fault, remedy=_OTHERS):
    """The error of a head that gives no single map.

    Args:
        owner (str): who was to use it.
        head (nn.Module): the head.
        fault (str): what it does instead.
        remedy (str): a sentence.

    Returns:
        ConfigError
    """
    return ConfigError(
        f"{owner}: expected a head that makes one map of the backbone's feature maps, but "
        f'{type(head).__name__} {fault}. {remedy}')


def check_inputs(head, owner, remedy=_OTHERS):
    """Refuse a head that needs more than the backbone's feature maps, as one of a cascade does.

    Raises:
        ConfigError: it is one of mmseg's that do.
    """
    for kind, needed in _OTHER_INPUTS.items():
        if isinstance(head, kind):
            raise refusal(owner, head, f'needs {needed} as well', remedy)


def check_one_map(head, owner):
    """Refuse a head that does not make one map of logits, and nothing else, of feature maps.

    Raises:
        ConfigError: it is one of mmseg's that do more. If it is none of mmseg's, `one_map` sees it.
    """
    check_inputs(head, owner)
    if isinstance(head, _OTHER_OUTPUTS):
        raise refusal(owner, head, 'has further outputs, which its loss reads')


def one_map(head, inputs, owner):
    """What a head makes of feature maps, float (N, C, h, w).

    Raises:
        ConfigError: it is not one tensor.
    """
    maps = head(inputs)
    if not isinstance(maps, torch.Tensor):
        raise refusal(owner, head, f'gives a {type(maps).__name__}')
    return maps


def has_own_loss(head):
    """Whether the loss of a head is more than that of its logits, as for mmseg's it is not."""
    return (not isinstance(head, BaseDecodeHead)
            or type(head).loss is not BaseDecodeHead.loss)
