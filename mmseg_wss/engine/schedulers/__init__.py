from .restart_lr import RestartLR

__all__ = ['RestartLR']
