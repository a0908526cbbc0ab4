"""RRM's cross entropy on reliable labels."""
import torch
import torch.nn.functional as F
from torch import nn

from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.models.losses.loss_inputs import check_loss_inputs
from mmseg_wss.registry import MODELS


def filtered_cross_entropy(logits, labels, weight=None, ignore_index=IGNORE):
    """Cross entropy of labelled pixels, background and foreground averaged apart (RRM, eq. 9).

    With B the pixels of the batch that are labelled as class 0, and F those of any other class,

        L = -1/|B| sum over i in B of w_i log p_i(0)  -  1/|F| sum over i in F of w_i log p_i(l_i).

    The sides are averaged apart, since one may have most of the labelled pixels. An empty side
    contributes 0.

    Args:
        logits (Tensor): (N, K, H, W); half precision is computed in float32.
        labels (Tensor): int64 (N, H, W).
        weight (Tensor, optional): w, (N, H, W).
        ignore_index (int): the label of unlabelled pixels.

    Returns:
        Tensor: scalar.
    """
    if logits.dtype != torch.float64:
        logits = logits.float()
    losses = F.cross_entropy(logits, labels, reduction='none', ignore_index=ignore_index)
    if weight is not None:
        losses = losses * weight
    labelled = labels != ignore_index
    sides = labelled & (labels == 0), labelled & (labels != 0)
    return sum((losses * side).sum() / side.sum().clamp(min=1) for side in sides)


@MODELS.register_module()
class FilteredCrossEntropyLoss(nn.Module):
    """Cross entropy of any mmseg head, background and foreground averaged apart (RRM, eq. 9).

    See `filtered_cross_entropy`.

    Args:
        loss_weight (float): factor of the loss.
        loss_name (str): its key in the log.
    """

    def __init__(self, loss_weight=1., loss_name='loss_ce'):
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, cls_score, label, weight=None, ignore_index=IGNORE, **kwargs):
        """The loss of a batch.

        Args:
            cls_score (Tensor): logits (N, K, H, W), K >= 2.
            label (Tensor): int64 (N, H, W).
            weight (Tensor, optional): factor of each pixel's loss, (N, H, W).
            ignore_index (int): the label of unlabelled pixels.
            **kwargs: other options that mmseg's losses know: None is accepted.

        Returns:
            Tensor: scalar.

        Raises:
            ValueError: shapes that do not agree, logits of one class, or an option that this loss
                does not have.
        """
        check_loss_inputs(
            cls_score, label, weight, kwargs, 'FilteredCrossEntropyLoss',
            'it averages background and foreground apart. (A pixel sampler such as '
            'OHEMPixelSampler needs another loss.)')
        return self.loss_weight * filtered_cross_entropy(cls_score, label, weight, ignore_index)

    def extra_repr(self):
        return f'loss_weight={self.loss_weight}, loss_name={self.loss_name!r}'
