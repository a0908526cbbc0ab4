import logging
from types import SimpleNamespace

import pytest

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


@pytest.mark.parametrize('share', [-0.1, 1.5])
def test_a_share_outside_zero_and_one(share):
    with pytest.raises(ValueError, match='share must be in'):
        ClassifyFirstHook(share)


def test_a_head_without_phases():
    with pytest.raises(ValueError, match='is for an RRMHead; this model has SimpleNamespace'):
        run(ClassifyFirstHook(), range(1), head=SimpleNamespace(a=1))
