"""The bench, and what section 3.2.1 of the dual-branch paper says of the convolutions."""
import pytest
from head_bench import HeadBench, make_features
from torch import nn


def convs(module):
    return [m for m in module.modules() if isinstance(m, nn.Conv2d)]


class TestDualBranchHead(HeadBench):
    head = dict(type='mmseg_wss.DualBranchHead', channels=8, dilation=2, conv_dropout_ratio=0.,
                num_shared_convs=1, num_convs=2)

    def build_convs(self, shared, total=3, **options):
        return self.build(num_shared_convs=shared, num_convs=total, channels=6, **options)

    @pytest.mark.parametrize('total', [1, 3])
    @pytest.mark.parametrize('shared', [0, 1, 2, 3])
    def test_the_number_of_convolutions_to_a_classifier_is_fixed(self, shared, total):
        shared = min(shared, total)
        head = self.build_convs(shared, total)
        assert len(convs(head.neck)) == shared
        for branch in (head.strong_branch, head.weak_branch):
            path = convs(head.neck) + convs(branch)
            assert len(path) == total + 1  # with the classifier
            assert [conv.kernel_size for conv in path] == [(3, 3)] + [(1, 1)] * total
            assert path[0].dilation == path[0].padding == (2, 2)
            assert [conv.in_channels for conv in path] == [8] + [6] * total
            assert path[-1] is branch.conv_seg

    @pytest.mark.parametrize('shared', [0, 1, 2, 3])
    def test_each_shared_convolution_saves_its_parameters_once(self, shared):
        def count(head):
            return sum(parameter.numel() for parameter in head.parameters())

        sizes = [8 * 6 * 9 + 6] + 2 * [6 * 6 + 6]
        assert count(self.build_convs(0)) - count(self.build_convs(shared)) == sum(sizes[:shared])

    def test_the_neck_trains_on_both_branches_and_is_computed_once(self):
        head, calls = self.build_convs(3), []
        head.neck.register_forward_hook(lambda *args: calls.append(1))
        head.predict_branch = 0.5
        head(make_features(2))
        assert len(calls) == 1

    def test_relu_and_dropout_follow_each_convolution(self):
        head = self.build_convs(2, conv_dropout_ratio=0.4)
        for part, number in ((head.neck, 2), (head.strong_branch, 1), (head.weak_branch, 1)):
            assert sum(isinstance(m, nn.ReLU) for m in part.modules()) == number
            assert [m.p for m in part.modules() if isinstance(m, nn.Dropout2d)] == [0.4] * number

    @pytest.mark.parametrize('shared, total', [(4, 3), (-1, 3), (0, 0), (1, 0)])
    def test_a_bad_number_of_convolutions_is_named(self, shared, total):
        with pytest.raises(ValueError, match=f'num_convs={total}.*got {shared}'):
            self.build_convs(shared, total)
