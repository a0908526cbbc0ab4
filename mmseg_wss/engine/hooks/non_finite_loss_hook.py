"""Stop a run at the first loss that is not finite."""
import math

import torch
from mmengine.hooks import Hook

from mmseg_wss.registry import HOOKS


def image_paths(batch):
    """Collect the ``img_path`` of every sample in a batch.

    Args:
        batch (object): a data batch: dicts, lists and tuples, nested in any way, that hold data
            samples and whatever else.

    Returns:
        list[str]: in the order of the batch; samples without an ``img_path`` are left out.
    """
    if isinstance(batch, (dict, list, tuple)):
        children = batch.values() if isinstance(batch, dict) else batch
        return [path for child in children for path in image_paths(child)]
    path = getattr(batch, 'img_path', None)
    return [] if path is None else [str(path)]


@HOOKS.register_module()
class NonFiniteLossHook(Hook):
    """Raise an error when a loss is NaN or infinite.

    Every value whose name contains 'loss' is looked at (the names that mmengine adds up into the
    total), after every iteration. The hook comes before the checkpoint hook, so the weights of
    such a step are never saved. It makes no GPU wait: mmengine reads each loss for its log anyway.

    Raises:
        FloatingPointError: with the iteration (counted from 1, as in the log), all losses and the
            image files of the batch.
    """

    priority = 'HIGH'  # after RuntimeInfoHook (VERY_HIGH), before the optimiser-side hooks

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        """Check the losses of this iteration; `outputs` are the log variables of the model."""
        values = {name: float(torch.as_tensor(value).detach())
                  for name, value in (outputs or {}).items()}
        bad = [name for name, value in values.items()
               if 'loss' in name and not math.isfinite(value)]
        if not bad:
            return
        losses = ''.join(f'\n  {name}: {value:g}' for name, value in values.items())
        files = image_paths(data_batch) or ['unknown: the data samples have no img_path']
        raise FloatingPointError(
            f'{", ".join(bad)} not finite at iteration {runner.iter + 1}; the run stops and these '
            f'weights are not saved.\nLosses:{losses}\nImages of the batch:'
            + ''.join(f'\n  {file}' for file in files)
            + '\nWhat to do: look at these images and their labels; if they are sound, lower the '
            'learning rate (--cfg-options optim_wrapper.optimizer.lr=...), clip the gradients '
            '(--cfg-options optim_wrapper.clip_grad.max_norm=1) or train without mixed precision, '
            'and resume from the last checkpoint with --resume.')
