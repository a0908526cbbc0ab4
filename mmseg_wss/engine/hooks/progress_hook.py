"""How far a test is."""
from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from mmseg_wss.registry import HOOKS
from mmseg_wss.utils.progress import track


@HOOKS.register_module()
class ProgressHook(Hook):
    """Show how many images of a test are done, and how long the rest takes (`track`).

    Args:
        what (str): what is being done. With several processes, the first one speaks for its share.
    """

    def __init__(self, what='Predicting'):
        self.what = what
        self._steps = iter(())

    def before_test_epoch(self, runner):
        if is_main_process():
            total = len(runner.test_dataloader)
            self._steps = iter(track(range(total), self.what, total))
            next(self._steps, None)

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        next(self._steps, None)
