"""A run that resumes with other options, against one that had them from the start."""
import logging
from copy import deepcopy
from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import PARAM_SCHEDULERS

from mmseg_wss.engine.resumed_options import ResumedOptions


def make_run(lr=0.1, end=10, **options):
    one, two = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD([dict(params=one.parameters(), lr=lr),
                                 dict(params=two.parameters(), lr=10 * lr)],
                                lr=lr, **dict(dict(momentum=0.9), **options))
    wrapper = OptimWrapper(optimizer)
    return SimpleNamespace(
        logger=logging.getLogger('test'), optim_wrapper=wrapper,
        param_schedulers=[
            PARAM_SCHEDULERS.build(dict(one, by_epoch=False), default_args=dict(
                optimizer=wrapper)) for one in (
                dict(type='LinearLR', start_factor=0.1, end=3),
                dict(type='PolyLR', power=0.9, begin=3, end=end),
                dict(type='MultiStepLR', milestones=[6]))])


def step(run, number):
    rates = []
    for _ in range(number):
        rates.append([group['lr'] for group in run.optim_wrapper.param_groups])
        run.optim_wrapper.optimizer.step()
        for schedule in run.param_schedulers:
            schedule.step()
    return rates


def resume(run, saved):
    """As mmengine does, with the options of `run`."""
    options = ResumedOptions(run)
    run.optim_wrapper.load_state_dict(deepcopy(saved.optim_wrapper.state_dict()))
    for one, other in zip(run.param_schedulers, saved.param_schedulers):
        one.load_state_dict(deepcopy(other.state_dict()))
    options.apply(run)
    return run


@pytest.mark.parametrize('at', [1, 4, 8])
def test_another_learning_rate(at):
    saved, expected = make_run(), make_run(lr=0.02)
    step(saved, at), step(expected, at)
    torch.testing.assert_close(step(resume(make_run(lr=0.02), saved), 10 - at),
                               step(expected, 10 - at))


def test_the_same_options_change_no_bit(caplog):
    saved = make_run()
    step(saved, 5)
    resumed = resume(make_run(), saved)
    assert step(resumed, 4) == step(saved, 4)
    assert not caplog.records


def test_other_options_of_the_optimiser(caplog):
    caplog.set_level(logging.INFO)
    resumed = resume(make_run(momentum=0.5, weight_decay=0.1), make_run())
    for group in resumed.optim_wrapper.param_groups:
        assert (group['momentum'], group['weight_decay'], group['nesterov']) == (0.5, 0.1, False)
    assert 'momentum of parameter group 1: 0.5 by the config, no longer 0.9' in caplog.text


def test_what_a_schedule_cannot_change_is_named(caplog):
    resume(make_run(end=20), make_run())
    assert 'PolyLR (param_scheduler 1) goes on as it was' in caplog.text
    assert 'end 10, not 20' in caplog.text and 'load_from=CHECKPOINT' in caplog.text
