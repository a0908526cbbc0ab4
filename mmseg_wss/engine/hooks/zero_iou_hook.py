"""Name the classes that a training does not find."""
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmseg_wss.models.decode_heads.head_conventions import conventions_of
from mmseg_wss.registry import HOOKS

PREFIX = 'IoU/'  # of the metrics of `ClassIoUMetric`


@HOOKS.register_module()
class ZeroIoUHook(Hook):
    """Warn of each class whose IoU on val is still 0 after a part of the training, once a class.

    It reads what `ClassIoUMetric` logs, ``IoU/NAME``. It says nothing where that is not there: with
    another metric, of classes that are in no mask of val and in no prediction, and while a head
    trains its classifier alone (`HeadConventions`), as it predicts no masks then.

    Args:
        share (float): of the iterations, from which on a class should have been found.

    Raises:
        ValueError: `share` outside of 0..1.
    """

    def __init__(self, share=1 / 3):
        if not 0 <= share <= 1:
            raise ValueError(f'share must be a part of the iterations in 0..1, got {share}.')
        self.share = share
        self._named = set()

    def after_val_epoch(self, runner, metrics=None):
        """Compare the IoU of each class with 0; `metrics` are those of this validation."""
        if not runner.iter or runner.iter < self.share * runner.max_iters:  # 0: no training
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if conventions_of(getattr(model, 'decode_head', None)).classify_only:
            return
        names = [key[len(PREFIX):] for key, value in (metrics or {}).items()
                 if key.startswith(PREFIX) and value == 0]
        new = [name for name in names if name not in self._named]
        self._named.update(new)
        if new:
            runner.logger.warning(
                f'{", ".join(map(repr, new))}: IoU 0 on val after {runner.iter} of '
                f'{runner.max_iters} iterations: the network does not find '
                f'{"this class" if len(new) == 1 else "these classes"}. tools/check_data.py shows '
                'the share of each class in the labels. If the objects are small or rare, set '
                'object_prob=0.33 in mmseg_wss.RandomCrop and repeat_threshold=0.3 in '
                'StrongWeakSampler, add mmseg_wss.DiceLoss to loss_decode, or scale the images up '
                'and take a larger crop_size (docs/own_data.md, "A class stays at 0").')
