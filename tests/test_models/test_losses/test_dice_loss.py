"""Dice of partial labels: the bench of all losses, counts of pixels, and heads that have it."""
import pytest
import torch
from head_bench import COMPOSITIONS, FEATURE_HEADS, backward, losses_of
from loss_bench import LossBench
from mmengine.structures import PixelData
from mmseg.models.decode_heads import FCNHead
from mmseg.models.losses import DiceLoss as SegDiceLoss
from mmseg.structures import SegDataSample
from torch import nn

from mmseg_wss.models.losses import DiceLoss
from mmseg_wss.registry import MODELS

LOSSES = [dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True), dict(type='mmseg_wss.DiceLoss')]


def certain(labels, num_classes=4):
    """Logits whose softmax is 1 at the labels."""
    return 100 * nn.functional.one_hot(labels, num_classes).permute(0, 3, 1, 2).double()


class TestDiceLoss(LossBench):

    def build(self):
        return DiceLoss()

    def test_value_by_a_loop_over_pixels(self):
        logits, labels = self.inputs()
        labels[labels == 2] = 0  # of which nothing is learned then
        probs = logits.detach().softmax(1)
        scores = []
        for label in (1, 3):
            hits = total = 0.
            for n, y, x in (labels != 255).nonzero().tolist():
                hits += probs[n, label, y, x] * (labels[n, y, x] == label)
                total += probs[n, label, y, x] + (labels[n, y, x] == label)
            scores.append(2 * hits / total)
        torch.testing.assert_close(self.build()(logits, labels), 1 - sum(scores) / 2)

    def test_certain_predictions_give_the_dice_of_the_masks(self):
        """2 |A and B| / (|A| + |B|): class 1 with 3 of 4 and 5 pixels, class 2 with 1 of 1 and 2"""
        labels = torch.tensor([[[1, 1, 1, 1], [0, 0, 0, 2], [255, 255, 255, 255]]])
        found = torch.tensor([[[1, 1, 1, 0], [1, 1, 2, 2], [1, 2, 3, 0]]])
        torch.testing.assert_close(self.build()(certain(found), labels),
                                   torch.tensor(1 - (6 / 9 + 2 / 3) / 2).double())
        with_background = DiceLoss(with_background=True)(certain(found), labels)
        torch.testing.assert_close(with_background,  # none of 3 and 1 pixels
                                   torch.tensor(1 - (6 / 9 + 2 / 3) / 3).double())
        assert self.build()(certain(labels.clamp(max=3)), labels) < 1e-12
        torch.testing.assert_close(self.build()(certain(torch.zeros_like(found)), labels),
                                   torch.ones(()).double())

    def test_a_small_object_counts_as_much_as_a_large_one(self):
        labels = torch.ones(1, 20, 20).long()
        labels[0, 0, 0] = 2
        missed = certain(torch.ones_like(labels))
        torch.testing.assert_close(self.build()(missed, labels),
                                   torch.tensor((1 + 1 / 799) / 2).double())

    def test_the_sums_are_over_the_batch(self):
        """An image without the class, in which it is predicted, counts with the others."""
        labels = torch.zeros(2, 1, 4).long()
        labels[0, 0, :2] = 1
        found = torch.zeros_like(labels)
        found[:, 0, :2] = 1
        torch.testing.assert_close(self.build()(certain(found), labels),
                                   torch.tensor(1 - 4 / 6).double())

    def test_an_image_of_background_alone_gives_zero_with_a_gradient_path(self):
        logits, labels = self.inputs()
        value = self.build()(logits, labels.clamp(max=0))
        value.backward()
        assert value == 0 and logits.grad.abs().max() == 0

    def test_weights_of_0_are_ignored_pixels_and_of_2_are_two_pixels(self):
        logits, labels = self.inputs()
        weight = torch.ones(labels.shape)
        weight[:, 0] = 0
        torch.testing.assert_close(self.build()(logits, labels, weight=weight),
                                   self.build()(logits[:, :, 1:], labels[:, 1:]))
        weight[:, 0] = 2
        torch.testing.assert_close(
            self.build()(logits, labels, weight=weight), self.build()(
                torch.cat([logits, logits[:, :, :1]], 2), torch.cat([labels, labels[:, :1]], 1)))

    def test_options(self):
        logits, labels = self.inputs()
        loss = DiceLoss(loss_weight=0.5, loss_name='loss_small')
        assert (loss.loss_name, self.build().loss_name) == ('loss_small', 'loss_dice')
        torch.testing.assert_close(2 * loss(logits, labels), self.build()(logits, labels))
        with pytest.raises(ValueError, match='no option avg_factor'):
            loss(logits, labels, avg_factor=3)
        with pytest.raises(ValueError, match='K >= 2'):
            loss(logits[:, :1], labels)

    def test_mmsegs_counts_ignored_pixels(self):
        """Why there is one of our own: this is the first truth of the bench, broken."""
        logits, labels = self.inputs()
        changed = logits.detach().clone()
        changed[:, :, 2:] += 5
        changed[:, 0, 2:] -= 10
        theirs = SegDiceLoss(use_sigmoid=False)
        assert abs(theirs(changed, labels) - theirs(logits, labels)) > 0.001
        assert self.build()(changed, labels) == self.build()(logits, labels)


# ---- beside a cross entropy

def test_in_a_head_of_mmseg():
    head = FCNHead(in_channels=4, channels=4, num_convs=0, concat_input=False, num_classes=4,
                   loss_decode=LOSSES)
    logits, labels = TestDiceLoss().inputs(torch.float)
    losses = head.loss_by_feat(
        logits, [SegDataSample(gt_sem_seg=PixelData(data=label[None])) for label in labels])
    torch.testing.assert_close(losses['loss_dice'], DiceLoss()(logits, labels))
    torch.testing.assert_close(
        losses['loss_ce'], nn.functional.cross_entropy(logits, labels, ignore_index=255))


@pytest.mark.parametrize('kind', ['DualBranchHead', 'MixedDualHead'])
@pytest.mark.parametrize('composition', COMPOSITIONS)
def test_in_each_branch(kind, composition):
    torch.manual_seed(0)
    head = MODELS.build(dict(type=f'mmseg_wss.{kind}', num_classes=3, loss_decode=LOSSES,
                             feature_head=FEATURE_HEADS['fcn']))
    losses = losses_of(head, COMPOSITIONS[composition])
    assert {name for name in losses if 'loss' in name} == {
        f'{branch}.loss_{name}' for branch in ('strong', 'weak') for name in ('ce', 'dice')}
    for branch in ('strong', 'weak'):
        absent = branch == dict(strong='weak', weak='strong').get(composition)
        assert (losses[f'{branch}.loss_dice'] == 0) == (absent and losses[f'{branch}.loss_ce'] == 0)
    dice = {name: value for name, value in losses.items() if 'dice' in name}
    grads = backward(head, dice)
    assert all(grad is not None and grad.isfinite().all() for grad in grads.values())
    assert any(grad.abs().sum() > 0 for grad in grads.values())
