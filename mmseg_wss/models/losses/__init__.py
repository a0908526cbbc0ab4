from .dense_energy_loss import DenseEnergyLoss
from .dice_loss import DiceLoss, dice_loss
from .filtered_cross_entropy_loss import FilteredCrossEntropyLoss
from .seeding import balanced_seeding_loss, boundary_loss

__all__ = [
    'DenseEnergyLoss', 'DiceLoss', 'FilteredCrossEntropyLoss', 'balanced_seeding_loss',
    'boundary_loss', 'dice_loss'
]
