"""DPT's head behind any backbone that gives the maps of a vision transformer."""
from mmseg.models.decode_heads import DPTHead

from mmseg_wss.registry import MODELS


@MODELS.register_module()
class DPTMapsHead(DPTHead):
    """mmseg's ``DPTHead`` (Ranftl et al., ICCV 2021) for four maps without class tokens.

    ``DPTHead`` wants pairs of a map (N, C, h, w) and a class token (N, C), which only mmseg's own
    transformer gives; a map's mean stands for the token here. With ``readout_type='ignore'``, the
    default, it is not used.

    Args:
        **kwargs: see ``mmseg.models.DPTHead``.
    """

    def forward(self, inputs):
        """Logits (N, K, 8h, 8w) of maps (N, C, h, w)."""
        return super().forward([(maps, maps.mean((2, 3))) for maps in inputs])
