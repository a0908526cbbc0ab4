"""The losses of a branch are those that mmseg's heads compute."""
import pytest
import torch
import torch.nn.functional as F
from head_bench import CLASSES, make_samples
from mmseg.models.decode_heads import FCNHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead

from mmseg_wss.models.decode_heads.batch_parts import take
from mmseg_wss.models.decode_heads.branch_losses import losses_of_logits

CROSS_ENTROPY = dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True)
LOSSES = dict(
    one=CROSS_ENTROPY, two=[CROSS_ENTROPY, dict(CROSS_ENTROPY, loss_weight=0.5)],
    all_pixels=dict(CROSS_ENTROPY, avg_non_ignore=False), sum=dict(CROSS_ENTROPY, reduction='sum'),
    weights=dict(CROSS_ENTROPY, class_weight=[1., 2., 3.], avg_non_ignore=False, reduction='sum'),
    sigmoid=dict(CROSS_ENTROPY, use_sigmoid=True),
    names=[CROSS_ENTROPY, dict(type='mmseg.DiceLoss', loss_name='loss_dice')])
UNSAMPLED = 'sigmoid', 'names'  # these losses of mmseg take no weights of pixels


@pytest.mark.parametrize('unlabelled', [0, 0.3, 2])
@pytest.mark.parametrize('name, sampled', [
    *((name, False) for name in LOSSES), *((name, True) for name in LOSSES
                                           if name not in UNSAMPLED)])
def test_value_and_gradient_are_those_of_mmseg(name, sampled, unlabelled):
    sampler = dict(type='mmseg.OHEMPixelSampler', thresh=0.7, min_kept=20) if sampled else None
    head = FCNHead(in_channels=4, channels=4, num_classes=CLASSES, loss_decode=LOSSES[name],
                   sampler=sampler)
    samples, results = make_samples(['pixel'] * 2, unlabelled=unlabelled), []
    logits = 3 * torch.randn(2, CLASSES, 8, 8, generator=torch.Generator().manual_seed(0))
    for compute in BaseDecodeHead.loss_by_feat, losses_of_logits:
        x = logits.clone().requires_grad_()
        losses = compute(head, x, samples)
        sum(value for key, value in losses.items() if 'loss' in key).backward()
        results.append((losses, x.grad))
    (expected, gradient), (found, other) = results
    assert list(found) == list(expected)
    for key, value in expected.items():
        assert found[key].shape == value.shape
        torch.testing.assert_close(found[key], value)
    torch.testing.assert_close(other, gradient)


@pytest.mark.parametrize('unlabelled', [0, 0.3])
def test_the_mean_with_class_weights_is_that_of_pytorch(unlabelled):
    """mmseg's own loss fails there."""
    weights = [1., 2., 4.]
    head = FCNHead(in_channels=4, channels=4, num_classes=CLASSES, loss_decode=dict(
        CROSS_ENTROPY, class_weight=weights, loss_weight=0.5))
    samples = make_samples(['pixel'] * 2, unlabelled=unlabelled)
    logits = 3 * torch.randn(2, CLASSES, 16, 16, generator=torch.Generator().manual_seed(0))
    expected = F.cross_entropy(
        logits, torch.cat([sample.gt_sem_seg.data for sample in samples]),
        torch.tensor(weights), ignore_index=255)
    torch.testing.assert_close(
        losses_of_logits(head, logits, samples)['loss_ce'], 0.5 * expected)


@pytest.mark.parametrize('members', [[1], [0, 1, 2], [2, 0], [0, 3]])
def test_rows_are_those_of_indexing_and_so_is_their_gradient(members):
    maps = torch.rand(4, 2, 3, requires_grad=True)
    weight = torch.rand(len(members), 2, 3)
    found, expected = take(maps, members), maps[members]
    assert torch.equal(found, expected)
    assert torch.equal(*(torch.autograd.grad((x * weight).sum(), maps)[0]
                         for x in (found, expected)))
