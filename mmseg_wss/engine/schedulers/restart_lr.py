"""A learning rate that starts anew in the middle of a training."""
from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import INF, _ParamScheduler

from mmseg_wss.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class RestartLR(LRSchedulerMixin, _ParamScheduler):
    """Give all parameter groups one learning rate at one step, whatever they had.

    rate(begin) = factor * the smallest initial rate of the groups, so ``auto_scale_lr`` scales it
    too. Before and after that step nothing changes. Put it ahead of the scheduler that goes on from
    there::

        param_scheduler = [
            dict(type='PolyLR', power=0.9, begin=0, end=12),
            dict(type='mmseg_wss.RestartLR', factor=0.07, begin=12),
            dict(type='PolyLR', power=0.9, begin=12)]

    Source: the released training of RRM (Zhang et al.), whose second half has a new polynomial
    without the multipliers of the first.

    Args:
        optimizer (Optimizer | OptimWrapper): of the training.
        factor (float): positive.
        begin (int): the step, an epoch or with ``by_epoch=False`` an iteration.
        **kwargs: see mmengine's ``_ParamScheduler``.

    Raises:
        ValueError: a `factor` that is not positive.
    """

    def __init__(self, optimizer, factor, begin, **kwargs):
        if not factor > 0:
            raise ValueError(f'RestartLR: factor must be positive, got {factor}.')
        self.factor = factor
        super().__init__(optimizer, begin=begin, **kwargs)

    @classmethod
    def build_iter_from_epoch(cls, *args, begin, epoch_length, end=INF, by_epoch=True, **kwargs):
        """A scheduler of iterations from the config of one of epochs, as those of mmengine."""
        return cls(*args, begin=int(begin * epoch_length), by_epoch=False,
                   end=end if end == INF else int(end * epoch_length), **kwargs)

    def _get_value(self):
        groups = self.optimizer.param_groups
        if self.last_step > 0:
            return [group['lr'] for group in groups]
        return [self.factor * min(group['initial_lr'] for group in groups)] * len(groups)
