"""Refuse a checkpoint that is not of the network it is loaded into."""
from mmengine.hooks import Hook

from mmseg_wss.models.checkpoint_fit import check_checkpoint


class WholeNetworkHook(Hook):
    """Compare a checkpoint with the network before it is loaded for predictions.

    `SetupCheckHook` does so, too; this hook is for tools whose configs may be without it. It comes
    after ``EMAHook`` has put the averaged weights in their place.

    Args:
        path (str): of the checkpoint, for the message.

    Raises:
        DataError: (when loading) see `check_checkpoint`.
    """

    priority = 'VERY_LOW'

    def __init__(self, path):
        self.path = path

    def after_load_checkpoint(self, runner, checkpoint):
        check_checkpoint(checkpoint, runner.model, self.path, 'predict')
