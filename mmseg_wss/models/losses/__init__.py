from .dense_energy_loss import DenseEnergyLoss
from .filtered_cross_entropy_loss import FilteredCrossEntropyLoss
from .seeding import balanced_seeding_loss, boundary_loss

__all__ = [
    'DenseEnergyLoss', 'FilteredCrossEntropyLoss', 'balanced_seeding_loss', 'boundary_loss'
]
