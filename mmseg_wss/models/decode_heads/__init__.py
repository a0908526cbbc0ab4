from .dual_branch_head import DualBranchHead
from .mixed_dual_head import MixedDualHead
from .routing import route_samples
from .two_branch_head import TwoBranchHead

__all__ = ['DualBranchHead', 'MixedDualHead', 'TwoBranchHead', 'route_samples']
