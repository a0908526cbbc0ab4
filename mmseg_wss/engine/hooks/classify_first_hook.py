"""RRM's two phases of training."""
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmseg_wss.models.decode_heads.head_conventions import conventions_of
from mmseg_wss.registry import HOOKS


@HOOKS.register_module()
class ClassifyFirstHook(Hook):
    """Train the classifier of an `RRMHead` alone for the first share of the steps, then everything.

    Activation maps of a classifier that knows nothing label nothing. The phase follows from the
    step, so a resumed run is in the right one. In the first, the optimiser does not touch the
    segmentation branch: no weight decay, no momentum. With a classifier that is trained already,
    leave this hook away.

    Args:
        share (float): of the run's iterations, in [0, 1].

    Raises:
        ValueError: a `share` outside [0, 1]; a decode head without phases.
    """

    def __init__(self, share=0.5):
        if not 0 <= share <= 1:
            raise ValueError(f'share must be in [0, 1], got {share}.')
        self.share = share

    def before_train(self, runner):
        head = _head(runner)

        def keep_from_optimizer(*_):
            """The branch's gradients are zeros, with which DDP is content; they are no step."""
            if head.classify_only:
                for parameter in head.segmentation_parameters():
                    parameter.grad = None

        self._registered = runner.optim_wrapper.optimizer.register_step_pre_hook(
            keep_from_optimizer)

    def after_train(self, runner):
        self._registered.remove()

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        head = _head(runner)
        classify_only = runner.iter < round(self.share * runner.max_iters)
        if head.classify_only and not classify_only:
            runner.logger.info('From here on the segmentation branch is trained, too.')
        head.classify_only = classify_only


def _head(runner):
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    head = model.decode_head
    if conventions_of(head).classify_only is None:
        raise ValueError(
            f'ClassifyFirstHook is for an RRMHead; this model has {type(head).__name__}.')
    return head
