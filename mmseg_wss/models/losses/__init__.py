from .dense_energy_loss import DenseEnergyLoss
from .filtered_cross_entropy_loss import FilteredCrossEntropyLoss

__all__ = ['DenseEnergyLoss', 'FilteredCrossEntropyLoss']
