from .cross_joint_head import CrossJointHead
from .deeplab_msc_head import DeepLabMScHead
from .deeplab_v2_head import DeepLabV2Head
from .dense_energy_head import DenseEnergyHead
from .dpt_maps_head import DPTMapsHead
from .dsrg_head import DSRGHead
from .dual_branch_head import DualBranchHead
from .em_head import EMHead
from .mixed_dual_head import MixedDualHead
from .routing import route_samples
from .rrm_head import RRMHead
from .two_branch_head import TwoBranchHead

__all__ = [
    'CrossJointHead', 'DPTMapsHead', 'DSRGHead', 'DeepLabMScHead', 'DeepLabV2Head',
    'DenseEnergyHead', 'DualBranchHead', 'EMHead', 'MixedDualHead', 'RRMHead', 'TwoBranchHead',
    'route_samples'
]
