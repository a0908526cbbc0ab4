from .checkpoint_hook import ResumableCheckpointHook
from .non_finite_loss_hook import NonFiniteLossHook
from .setup_check_hook import SetupCheckHook

__all__ = ['NonFiniteLossHook', 'ResumableCheckpointHook', 'SetupCheckHook']
