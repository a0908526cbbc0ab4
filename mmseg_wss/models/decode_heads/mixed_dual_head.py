"""The mixed dual head of Chen et al., Mixed-dual-head Meets Box Priors."""
from mmcv.cnn import ConvModule

from mmseg_wss.models.decode_heads.two_branch_head import TwoBranchHead
from mmseg_wss.registry import MODELS


@MODELS.register_module()
class MixedDualHead(TwoBranchHead):
    """A strong and a weak branch of 1x1 conv, BN, ReLU, 1x1 classifier (mixed dual head, 4.2).

    The strong branch is trained on the strong images and on some weak ones (section 3.3), the weak
    branch on the weak images.

    Args:
        feature_head (dict): see `TwoBranchHead`.
        mix_ratio (tuple[int, int] | None): strong to weak images in the strong branch, in the long
            run; None trains the branches apart (the paper's dual-head).
        norm_cfg (dict): the branches' normalisation; that of `feature_head` is its own.
        **kwargs: see `TwoBranchHead`.
    """

    def __init__(self, feature_head, *, mix_ratio=(7, 1), norm_cfg=dict(type='BN'), **kwargs):
        super().__init__(feature_head, mix_ratio=mix_ratio, norm_cfg=norm_cfg, **kwargs)

    def _build_layers(self):
        return ConvModule(self.in_channels, self.channels, 1, conv_cfg=self.conv_cfg,
                          norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
