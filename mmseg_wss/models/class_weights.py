"""Class weights in mmseg's cross entropy, whose mean over labelled pixels fails with them."""
import torch
from mmseg.models.losses import CrossEntropyLoss

from mmseg_wss.labels.checks.label_check import IGNORE


def is_mean_over_labelled(loss):
    """Whether a loss is mmseg's cross entropy with a softmax, as a mean over labelled pixels."""
    return (isinstance(loss, CrossEntropyLoss) and loss.avg_non_ignore and loss.reduction == 'mean'
            and not (loss.use_sigmoid or loss.use_mask))


def total_weight(class_weight, labels, labelled):
    """Sum over the labelled pixels of the weights of their classes.

    Args:
        class_weight (Sequence[float]): of each of K classes.
        labels (Tensor): int64 (N, H, W).
        labelled (Tensor): bool (N, H, W).

    Returns:
        Tensor: scalar, float32.
    """
    weights = torch.tensor(class_weight, dtype=torch.float32, device=labels.device)
    return weights[torch.where(labelled, labels, 0)].masked_fill(~labelled, 0).sum()


def mend_class_weights(model):
    """Let mmseg's heads have class weights: the mean is PyTorch's, over the labelled pixels.

    By itself mmseg takes the labelled pixels out, then masks all of them, which is an IndexError.

    Args:
        model (nn.Module): whatever has losses in it; each that needs it gets a hook.
    """
    for module in model.modules():
        if is_mean_over_labelled(module) and module.class_weight is not None:
            module.register_forward_pre_hook(_give_total_weight, with_kwargs=True)


def _give_total_weight(loss, args, options):
    if options.get('avg_factor') is None:
        labels = args[1]
        labelled = labels != options.get('ignore_index', IGNORE)
        options = dict(options, avg_factor=total_weight(loss.class_weight, labels, labelled))
    return args, options
