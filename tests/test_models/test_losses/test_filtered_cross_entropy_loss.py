"""RRM's cross entropy: the bench of all losses, and what sets it apart."""
import pytest
import torch
from loss_bench import LossBench
from mmengine.structures import PixelData
from mmseg.models.decode_heads import FCNHead
from mmseg.structures import SegDataSample

from mmseg_wss.models.losses import FilteredCrossEntropyLoss


def mean_over(logits, labels, chosen):
    """Mean of -log p(label) over the chosen pixels, pixel by pixel."""
    log_probs = logits.detach().double().log_softmax(1)
    terms = [-log_probs[n, labels[n, y, x], y, x] for n, y, x in chosen.nonzero().tolist()]
    return sum(terms) / len(terms)


class TestFilteredCrossEntropyLoss(LossBench):

    def build(self):
        return FilteredCrossEntropyLoss()

    def test_value_is_the_mean_of_the_background_plus_that_of_the_foreground(self):
        logits, labels = self.inputs()
        background = mean_over(logits, labels, labels == 0)
        foreground = mean_over(logits, labels, (labels > 0) & (labels < 255))
        torch.testing.assert_close(self.build()(logits, labels), background + foreground)

    @pytest.mark.parametrize('label', [0, 2])
    def test_an_empty_side_counts_nothing(self, label):
        logits, labels = self.inputs()
        labels[labels != 255] = label
        loss = self.build()(logits, labels)
        torch.testing.assert_close(loss, mean_over(logits, labels, labels == label))
        loss.backward()
        assert logits.grad.isfinite().all()

    def test_options(self):
        logits, labels = self.inputs()
        loss = FilteredCrossEntropyLoss(loss_weight=0.5, loss_name='loss_reliable')
        assert loss.loss_name == 'loss_reliable'
        torch.testing.assert_close(2 * loss(logits, labels), self.build()(logits, labels))
        assert self.build().loss_name == 'loss_ce'

    def test_weights_scale_the_loss_of_each_pixel(self):
        logits, labels = self.inputs()
        weight = torch.full(labels.shape, 3.)
        torch.testing.assert_close(
            self.build()(logits, labels, weight=weight), 3 * self.build()(logits, labels))
        weight[labels == 0] = 0
        torch.testing.assert_close(self.build()(logits, labels, weight=weight), 3 * mean_over(
            logits, labels, (labels > 0) & (labels < 255)))

    def test_it_is_the_loss_of_an_mmseg_head(self):
        head = FCNHead(in_channels=4, channels=4, num_convs=0, concat_input=False, num_classes=4,
                       loss_decode=dict(type='mmseg_wss.FilteredCrossEntropyLoss'))
        logits, labels = self.inputs(torch.float)
        samples = [SegDataSample(gt_sem_seg=PixelData(data=label[None])) for label in labels]
        losses = head.loss_by_feat(logits, samples)
        torch.testing.assert_close(losses['loss_ce'], self.build()(logits, labels))

    @pytest.mark.parametrize('change, message', [
        (dict(label=torch.zeros(2, 5, 5).long()), r'label must have shape \(2, 5, 6\)'),
        (dict(weight=torch.ones(2, 1, 5, 6)), r'weight must have shape \(2, 5, 6\)'),
        (dict(cls_score=torch.zeros(2, 1, 5, 6)), 'K >= 2'),
        (dict(reduction_override='none'), 'no option reduction_override')])
    def test_what_would_go_wrong_in_silence_is_refused(self, change, message):
        logits, labels = self.inputs()
        with pytest.raises(ValueError, match=message):
            self.build()(**{**dict(cls_score=logits, label=labels), **change})

    def test_options_that_are_not_set_pass(self):
        logits, labels = self.inputs()
        assert self.build()(logits, labels, avg_factor=None) == self.build()(logits, labels)
