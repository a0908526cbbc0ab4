"""Options of a run that resumes, which the state in a checkpoint would cover."""
from mmengine.optim import OptimWrapper, _ParamScheduler

_PROGRESS = 'last_step', '_global_step', '_last_value', 'base_values', 'verbose'


class ResumedOptions:
    """What a run's own config says of the optimiser, kept while a checkpoint is loaded.

    mmengine restores the whole state of the optimiser and of the schedules, so that options that
    were changed for the rest of a run had no effect.

    Args:
        runner (Runner): before it loads the checkpoint.
    """

    def __init__(self, runner):
        self.groups, self.schedules = None, None
        if isinstance(runner.optim_wrapper, OptimWrapper):
            self.groups = [{key: value for key, value in group.items() if key != 'params'}
                           for group in runner.optim_wrapper.param_groups]
        schedules = runner.param_schedulers
        if isinstance(schedules, list) and all(  # else a test, which builds none
                isinstance(one, _ParamScheduler) for one in schedules):
            self.schedules = [_settings(one) for one in schedules]

    def apply(self, runner):
        """Lay them over the restored state, and say what changes and what cannot.

        Initial learning rates: all that the schedules have made of the old ones is multiplied with
        new / old. Other options of the optimiser (momentum, weight decay) are set. Options of the
        schedules stay as they were, with a warning.

        Args:
            runner (Runner): with the state of the checkpoint.
        """
        for number, (old, new) in enumerate(zip(
                runner.optim_wrapper.param_groups if self.groups else (), self.groups or ())):
            self._apply_rate(runner, number, old, new)
            scheduled = {one.param_name for one in runner.param_schedulers or ()}
            for key in new.keys() & old.keys() - {'lr', 'initial_lr', *scheduled}:
                if old[key] != new[key]:
                    runner.logger.info(f'{key} of parameter group {number}: {new[key]} by the '
                                       f'config, no longer {old[key]}.')
                    old[key] = new[key]
        for number, (settings, schedule) in enumerate(zip(
                self.schedules or (), runner.param_schedulers or ())):
            kept = _settings(schedule)
            changed = [f'{key} {kept[key]!r}, not {settings[key]!r}'
                       for key in kept if key in settings and settings[key] != kept[key]]
            if changed:
                runner.logger.warning(
                    f'{type(schedule).__name__} (param_scheduler {number}) goes on as it was in '
                    f'the checkpoint, with {"; ".join(changed)} of the config. For a new schedule, '
                    'start from the weights: load_from=CHECKPOINT without --resume.')

    def _apply_rate(self, runner, number, old, new):
        before, after = (group.get('initial_lr', group['lr']) for group in (old, new))
        if before == after or not before:
            return
        runner.logger.info(f'Initial learning rate of parameter group {number}: {after:g} by the '
                           f'config, no longer {before:g}.')
        factor = after / before
        old['lr'] *= factor
        old['initial_lr'] = after
        for schedule in runner.param_schedulers or ():
            if schedule.param_name == 'lr':
                for values in schedule.base_values, schedule._last_value:
                    values[number] *= factor


def _settings(schedule):
    """What a schedule is told by its config, of its state."""
    return {key: value for key, value in schedule.state_dict().items() if key not in _PROGRESS}
