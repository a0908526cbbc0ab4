import logging
from types import SimpleNamespace

import pytest
import torch

from mmseg_wss.engine.hooks import ClassifyFirstHook


def run(hook, steps, max_iters=10, head=None):
    """`classify_only` of the head in each of the steps."""
    head = head or SimpleNamespace(classify_only=False)
    runner = SimpleNamespace(model=SimpleNamespace(decode_head=head), max_iters=max_iters,
                             logger=logging.getLogger('mmengine'))
    phases = []
    for runner.iter in steps:
        hook.before_train_iter(runner, runner.iter)
        phases.append(head.classify_only)
    return phases


@pytest.mark.parametrize('share, steps', [(0., 0), (0.3, 3), (0.5, 5), (1., 10)])
def test_the_first_share_of_the_steps_classifies_only(share, steps):
    assert run(ClassifyFirstHook(share), range(10)) == [True] * steps + [False] * (10 - steps)


def test_a_resumed_run_is_in_the_phase_of_its_step():
    assert run(ClassifyFirstHook(0.5), range(4, 7)) == [True, False, False]


class Head(torch.nn.Module):
    classify_only = False

    def __init__(self):
        super().__init__()
        self.trained, self.resting = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)

    def segmentation_parameters(self):
        return [*self.resting.parameters()]

    def loss(self):
        x = torch.ones(1, 2)
        resting = 0 * sum(p.sum() for p in self.resting.parameters())
        return (self.trained(x) + (resting if self.classify_only else self.resting(x))).sum()


@pytest.mark.parametrize('optimizer', ['AdamW', 'SGD'])
def test_the_optimizer_does_not_touch_what_rests(optimizer):
    """Neither by weight decay nor in its state: its first step is that of a new optimiser."""
    torch.manual_seed(0)
    head, hook = Head(), ClassifyFirstHook(0.5)
    options = dict(lr=0.1, weight_decay=0.5)
    if optimizer == 'SGD':
        options['momentum'] = 0.9
    optimizer = getattr(torch.optim, optimizer)(head.parameters(), **options)
    runner = SimpleNamespace(
        model=SimpleNamespace(decode_head=head), max_iters=6, logger=logging.getLogger('mmengine'),
        optim_wrapper=SimpleNamespace(optimizer=optimizer))
    hook.before_train(runner)
    before = [p.clone() for p in head.parameters()]
    for runner.iter in range(4):
        hook.before_train_iter(runner, runner.iter)
        optimizer.zero_grad()
        head.loss().backward()
        optimizer.step()
        changed = [not torch.equal(p, old) for p, old in zip(head.parameters(), before)]
        resting = runner.iter < 3
        assert changed == [True, True, not resting, not resting]
        assert len(optimizer.state) == (2 if resting else 4)
    hook.after_train(runner)
    head.classify_only = True
    head.loss().backward()
    optimizer.step()
    assert all(p.grad is not None for p in head.parameters())


@pytest.mark.parametrize('share', [-0.1, 1.5])
def test_a_share_outside_zero_and_one(share):
    with pytest.raises(ValueError, match='share must be in'):
        ClassifyFirstHook(share)


def test_a_head_without_phases():
    with pytest.raises(ValueError, match='is for an RRMHead; this model has SimpleNamespace'):
        run(ClassifyFirstHook(), range(1), head=SimpleNamespace(a=1))
