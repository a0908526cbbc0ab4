"""The losses of a branch, none of which reads a value back: on a GPU that is a wait for it."""
import torch
import torch.nn.functional as F
from mmseg.models.utils import resize

from mmseg_wss.models.class_weights import is_mean_over_labelled, total_weight
from mmseg_wss.models.decode_heads.batch_fields import masks_of, valid_of
from mmseg_wss.models.decode_heads.head_conventions import losses_in
from mmseg_wss.models.decode_heads.label_shrinking import shrink

EPS = torch.finfo(torch.float32).eps  # mmseg's guard against a batch without labelled pixels


def losses_of_logits(head, logits, samples):
    """What mmseg's ``BaseDecodeHead.loss_by_feat`` gives, which reads counts of pixels back.

    Args:
        head (BaseDecodeHead): has the losses and the sampler.
        logits (Tensor): (N, K, h, w).
        samples (list[SegDataSample]): N samples with gt_sem_seg.

    Returns:
        dict[str, Tensor]: the losses by name, scalars, and acc_seg, the percentage of labelled
        pixels that are right, (1,).
    """
    labels = masks_of(samples)
    logits = resize(logits, labels.shape[1:], mode='bilinear', align_corners=head.align_corners)
    weight = None if head.sampler is None else head.sampler.sample(logits, labels[:, None])
    labelled = labels != head.ignore_index
    number = labelled.sum()
    losses = {}
    for loss in losses_in(head):
        options = {}
        if is_mean_over_labelled(loss):  # it would count the labelled pixels, and read that back
            options['avg_factor'] = number if loss.class_weight is None else total_weight(
                loss.class_weight, labels, labelled)
        value = loss(logits, labels, weight=weight, ignore_index=head.ignore_index, **options)
        losses[loss.loss_name] = losses.get(loss.loss_name, 0) + value
    right = ((logits.argmax(1) == labels) & labelled).sum()
    return dict(losses, acc_seg=(100 * (right + EPS) / (number + EPS)).view(1))


def divergence(strong_logits, weak_logits, samples):
    """Mean of KL(strong || weak) over the pixels that are image.

    Args:
        strong_logits, weak_logits (Tensor): (N, K, h, w).
        samples (list[SegDataSample]): N samples with valid.

    Returns:
        Tensor: scalar, float32.
    """
    log_strong, log_weak = (logits.float().log_softmax(1) for logits in
                            (strong_logits, weak_logits))
    pixels = F.kl_div(log_weak, log_strong, reduction='none', log_target=True).sum(1)
    valid = shrink(valid_of(samples), pixels.shape[1:])
    return pixels.masked_fill(~valid, 0).sum() / valid.sum()
