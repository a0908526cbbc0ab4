import pytest
import torch
import torch.nn.functional as F
from mmseg.models.losses import CrossEntropyLoss, DiceLoss

from mmseg_wss.models.class_weights import mend_class_weights, total_weight

WEIGHTS = [1., 0., 5.]


def batch(share):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (2, 5, 6), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < share] = 255
    return torch.randn(2, 3, 5, 6, generator=generator), labels


@pytest.mark.parametrize('share', [0., 0.5, 1.])
def test_the_total_weight_is_a_sum_over_the_labelled_pixels(share):
    _, labels = batch(share)
    expected = sum(WEIGHTS[label] for label in labels.flatten().tolist() if label != 255)
    assert total_weight(WEIGHTS, labels, labels != 255) == expected


@pytest.mark.parametrize('share', [0., 0.5])
def test_the_mended_mean_is_that_of_pytorch(share):
    logits, labels = batch(share)
    loss = CrossEntropyLoss(avg_non_ignore=True, class_weight=WEIGHTS, loss_weight=0.5)
    mend_class_weights(torch.nn.ModuleList([loss]))
    expected = F.cross_entropy(logits, labels, torch.tensor(WEIGHTS), ignore_index=255)
    torch.testing.assert_close(loss(logits, labels, ignore_index=255), 0.5 * expected)
    twice = loss(logits, labels, ignore_index=255, avg_factor=total_weight(
        WEIGHTS, labels, labels != 255) / 2)
    torch.testing.assert_close(twice, expected)  # a factor that is given stays


def test_other_losses_stay_as_they_are():
    others = torch.nn.ModuleList([
        CrossEntropyLoss(avg_non_ignore=True), DiceLoss(),
        CrossEntropyLoss(avg_non_ignore=True, class_weight=WEIGHTS, use_sigmoid=True)])
    mend_class_weights(others)
    assert not any(loss._forward_pre_hooks for loss in others)
