"""Dice loss of partial labels."""
import torch
from torch import nn

from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.models.losses.loss_inputs import check_loss_inputs
from mmseg_wss.registry import MODELS


def dice_loss(logits, labels, weight=None, ignore_index=IGNORE, with_background=False):
    r"""One minus the soft Dice of the classes that the labels of a batch have.

    With V the labelled pixels of all images, :math:`p_{ic}` the softmax, :math:`g_{ic}` 1 where
    pixel i has class c, else 0, and C the classes with a pixel in V,

    .. math::
        L = 1 - \frac{1}{|C|} \sum_{c \in C} \frac{2 \sum_{i \in V} w_i p_{ic} g_{ic}}
            {\sum_{i \in V} w_i p_{ic} + \sum_{i \in V} w_i g_{ic}}

    A class counts as much as any other, however few pixels it has: a cross entropy is a mean over
    pixels, where a class of 1 in 1000 hardly counts. A class that the batch does not have is left
    out, since nothing would be learned of it but to predict it nowhere, which the cross entropy
    does. So it is a loss to stand beside a cross entropy, not to replace it.

    Source: Milletari et al., V-Net, 3DV 2016 (who square p and g in the denominator); in this form,
    over the batch, without the background and beside a cross entropy, nnU-Net (Isensee et al.,
    Nature Methods 2021). nnU-Net adds up the sums of all GPUs and counts absent classes; here each
    GPU has its own batch.

    Args:
        logits (Tensor): (N, K, H, W); half precision is computed in float32.
        labels (Tensor): int64 (N, H, W).
        weight (Tensor, optional): w, (N, H, W), not negative; 1 without it.
        ignore_index (int): the label of unlabelled pixels.
        with_background (bool): C may hold class 0.

    Returns:
        Tensor: scalar in 0..1; 0 where C is empty.
    """
    if logits.dtype != torch.float64:
        logits = logits.float()
    kept = (labels != ignore_index).to(logits.dtype)
    kept = (kept if weight is None else kept * weight)[:, None]
    classes = torch.arange(logits.shape[1], device=labels.device)
    truth = labels[:, None] == classes[:, None, None]
    probs = logits.softmax(1) * kept
    hits, predicted, true = (
        maps.sum((0, 2, 3))[not with_background:] for maps in (probs * truth, probs, truth * kept))
    present = true > 0
    dice = 2 * hits / (predicted + true).masked_fill(~present, 1)
    return ((1 - dice) * present).sum() / present.sum().clamp(min=1)


@MODELS.register_module()
class DiceLoss(nn.Module):
    """`dice_loss` as one of the ``loss_decode`` of any mmseg head, beside a cross entropy.

    ::

        loss_decode=[dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True),
                     dict(type='mmseg_wss.DiceLoss')]

    mmseg's DiceLoss is another one: it has a single Dice for all classes of an image together, in
    which the large ones decide, and what is predicted on ignored pixels counts as wrong.

    Args:
        with_background (bool): class 0 counts as a class, too.
        loss_weight (float): factor of the loss.
        loss_name (str): its key in the log.
    """

    def __init__(self, with_background=False, loss_weight=1., loss_name='loss_dice'):
        super().__init__()
        self.with_background = with_background
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, cls_score, label, weight=None, ignore_index=IGNORE, **kwargs):
        """The loss of a batch.

        Args:
            cls_score (Tensor): logits (N, K, H, W), K >= 2.
            label (Tensor): int64 (N, H, W).
            weight (Tensor, optional): factor of each pixel in all sums, (N, H, W).
            ignore_index (int): the label of unlabelled pixels.
            **kwargs: other options that mmseg's losses know: None is accepted.

        Returns:
            Tensor: scalar.

        Raises:
            ValueError: shapes that do not agree, logits of one class, or an option that this loss
                does not have.
        """
        check_loss_inputs(cls_score, label, weight, kwargs, 'DiceLoss',
                          'it is a quotient of sums over the labelled pixels, no mean over them.')
        return self.loss_weight * dice_loss(
            cls_score, label, weight, ignore_index, self.with_background)

    def extra_repr(self):
        return (f'with_background={self.with_background}, loss_weight={self.loss_weight}, '
                f'loss_name={self.loss_name!r}')
