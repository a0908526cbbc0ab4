"""The bench, and what section 4.2 of the mixed-dual-head paper says of the branches."""
import logging

import pytest
from head_bench import COMPOSITIONS, HeadBench, branch_inputs, losses_of
from mmengine.logging import MMLogger
from torch import nn


class TestMixedDualHead(HeadBench):
    head = dict(type='mmseg_wss.MixedDualHead', mix_ratio=(2, 1))
    mixed = 1

    def test_a_branch_is_1x1_conv_bn_relu_1x1_conv(self):
        for branch in (self.build().strong_branch, self.build().weak_branch):
            leaves = [m for m in branch.modules() if not list(m.children())
                      and not isinstance(m, nn.Identity)]
            assert [type(m) for m in leaves] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Conv2d]
            assert {m.kernel_size for m in leaves if isinstance(m, nn.Conv2d)} == {(1, 1)}

    def test_the_default_ratio_is_7_to_1(self, monkeypatch):
        monkeypatch.setattr(self, 'head', dict(type='mmseg_wss.MixedDualHead'))
        head = self.build()
        calls = branch_inputs(head, 'strong_branch')
        for _ in range(28):  # 56 strong images
            losses_of(head, COMPOSITIONS['both'])
        assert sum(calls) == 56 + 8

    @pytest.fixture
    def told(self):
        """What is logged as a warning."""
        records = []
        logger, handler = MMLogger.get_current_instance(), logging.Handler(logging.WARNING)
        handler.emit = records.append
        logger.addHandler(handler)
        yield records
        logger.removeHandler(handler)

    def test_too_few_weak_images_are_told_once(self, told):
        head, carries = self.build(mix_ratio=(1, 2)), []
        for _ in range(3):  # 3 strong images are owed 6 weak ones of each batch, 1 is there
            losses_of(head, ['pixel', 'pixel', 'box', 'pixel'])
            carries.append(int(head.mix_carry))
        assert carries == [5, 10, 15]
        assert len(told) == 1 and told[0].levelno == logging.WARNING
        assert 'mix_ratio=(1, 2)' in told[0].msg and 'source_ratio' in told[0].msg

    @pytest.mark.parametrize('kinds', COMPOSITIONS.values(), ids=COMPOSITIONS)
    def test_a_ratio_that_can_be_reached_is_not_worth_a_word(self, kinds, told):
        head = self.build(mix_ratio=(7, 1))
        for _ in range(1 if kinds == COMPOSITIONS['strong'] else 10):
            losses_of(head, kinds)
        assert told == []
