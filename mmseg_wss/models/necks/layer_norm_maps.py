"""Layer normalisation of the feature maps of a vision transformer."""
from mmengine.model import BaseModule
from torch import nn

from mmseg_wss.registry import MODELS


@MODELS.register_module()
class LayerNormMaps(BaseModule):
    """Normalise each map over its channels, at every pixel: (N, C, h, w) -> the same shape.

    The maps that timm takes from the blocks of a vision transformer have not been through its last
    norm. What reads DINOv2's tokens reads them normalised; these layers do it, and they learn.

    Args:
        channels (int): C.
        num_maps (int): feature maps of the backbone.
    """

    def __init__(self, channels, num_maps, init_cfg=None):
        super().__init__(init_cfg)
        self.norms = nn.ModuleList(nn.LayerNorm(channels, eps=1e-6) for _ in range(num_maps))

    def forward(self, inputs):
        """Normalise `num_maps` maps, tuple of (N, C, h, w)."""
        if len(inputs) != len(self.norms):
            raise ValueError(f'LayerNormMaps has num_maps={len(self.norms)}, but the backbone gives'
                             f' {len(inputs)} maps: make num_maps the length of its out_indices.')
        return tuple(norm(maps.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
                     for norm, maps in zip(self.norms, inputs))
