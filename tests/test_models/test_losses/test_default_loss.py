"""The loss that two-branch heads use when a config names none, as they build it."""
import torch
from loss_bench import LossBench

from mmseg_wss.models import MixedDualHead


class TestDefaultLoss(LossBench):

    def build(self):
        return MixedDualHead(
            dict(type='mmseg.FCNHead', in_channels=4, channels=4, num_convs=0, concat_input=False),
            num_classes=self.num_classes).loss_decode

    def test_value_is_the_mean_of_minus_log_probability(self):
        logits, labels = self.inputs()
        seen = labels != 255
        truth = -logits.log_softmax(1).gather(1, labels.clamp(max=3)[:, None])[:, 0][seen].mean()
        torch.testing.assert_close(self.build()(logits, labels, ignore_index=255), truth)
