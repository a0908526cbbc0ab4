"""What runs a training: hooks, and the random states they save."""
from .hooks import NonFiniteLossHook, ResumableCheckpointHook
from .random_state import get_random_state, preserved_random_state, seeded, set_random_state

__all__ = ['NonFiniteLossHook', 'ResumableCheckpointHook', 'get_random_state',
           'preserved_random_state', 'seeded', 'set_random_state']
