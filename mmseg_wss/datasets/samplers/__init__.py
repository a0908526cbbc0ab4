from .strong_weak_sampler import StrongWeakSampler, split_batch

__all__ = ['StrongWeakSampler', 'split_batch']
