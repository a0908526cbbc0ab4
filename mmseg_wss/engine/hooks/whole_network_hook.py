"""Refuse a checkpoint that is not of the network it is loaded into."""
from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper

from mmseg_wss.errors import DataError, abridged


def weight_faults(weights, model):
    """How weights differ from those of a network.

    Counts of batches (``num_batches_tracked``) do not matter, and neither do weights of whole parts
    (``auxiliary_head``) that the network does not have.

    Args:
        weights (dict[str, Tensor]): a state dict.
        model (nn.Module): the network.

    Returns:
        list[str]: up to three sentences; empty where they agree in names and shapes.
    """
    wanted = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in weights.items()}
    counts = {key for key in {*wanted, *found} if key.endswith('num_batches_tracked')}
    parts = {key.split('.')[0] for key in wanted}
    missing = sorted(wanted.keys() - found.keys() - counts)
    further = sorted(key for key in found.keys() - wanted.keys() - counts
                     if key.split('.')[0] in parts)
    other = [f'{key} {found[key]} instead of {wanted[key]}'
             for key in sorted(wanted.keys() & found.keys()) if wanted[key] != found[key]]
    return [f'{len(lines)} {what}: {abridged(lines, 3)}' for lines, what in (
        (missing, 'missing'), (further, 'of no layer of the network'),
        (other, 'of another shape')) if lines]


class WholeNetworkHook(Hook):
    """Compare a checkpoint with the network before it is loaded, which mmengine only warns about.

    ``load_checkpoint(strict=True)`` comes too late for that: by then `widen_on_load` has adapted
    the weights, and an RGB network passes for one with priors. This hook sees them before that, and
    after ``EMAHook`` has put the averaged ones in their place. It is for tools that use a trained
    network; a training may well start from the weights of another.

    Args:
        path (str): of the checkpoint, for the message.

    Raises:
        DataError: (when loading) names or shapes differ (`weight_faults`).
    """

    priority = 'VERY_LOW'

    def __init__(self, path):
        self.path = path

    def after_load_checkpoint(self, runner, checkpoint):
        model = runner.model
        while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
            model = model.module
        weights = checkpoint.get('state_dict', checkpoint)
        prefix = 'module.'  # of a network that was saved inside a wrapper; mmengine removes it too
        weights = {key[len(prefix):] if key.startswith(prefix) else key: value
                   for key, value in weights.items()}
        faults = weight_faults(weights, model)
        if faults:
            raise DataError(
                f'{self.path}: the checkpoint is not of the network of the config. Weights '
                f'{"; ".join(faults)}. Name the checkpoint and the config of one training, with '
                'the same --cfg-options.')
