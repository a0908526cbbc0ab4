"""One writer of the metrics of a test."""
from mmengine.dist import master_only
from mmengine.hooks import LoggerHook

from mmseg_wss.registry import HOOKS


@HOOKS.register_module()
class MasterLoggerHook(LoggerHook):
    """mmengine's LoggerHook, whose metrics of a test (``TIME/TIME.json``) rank 0 alone writes.

    In mmengine every rank writes that file, in the same moment: what one rank writes may end with
    the rest of what another wrote, and such a file is no JSON.

    Args: those of mmengine's ``LoggerHook``.
    """

    @master_only
    def after_test_epoch(self, runner, metrics=None):
        """Log and write the metrics of a test."""
        super().after_test_epoch(runner, metrics)
