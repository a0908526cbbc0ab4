from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import CheckpointHook, EMAHook, LoggerHook, RuntimeInfoHook
from mmengine.runner.priority import get_priority

from mmseg_wss.engine.hooks import NonFiniteLossHook, ResumableCheckpointHook
from mmseg_wss.engine.hooks.non_finite_loss_hook import image_paths

RUNNER = SimpleNamespace(iter=41)


def sample(path):
    return SimpleNamespace(img_path=path)


def check(outputs, batch=None):
    NonFiniteLossHook().after_train_iter(RUNNER, 0, data_batch=batch, outputs=outputs)


@pytest.mark.parametrize('value', ['nan', 'inf', '-inf'])
def test_error_names_iteration_losses_and_files(value):
    outputs = dict(loss=torch.tensor(float(value)), loss_ce=torch.tensor(0.25),
                   loss_crf=torch.tensor(float(value)), acc_seg=torch.tensor(87.5))
    batch = dict(inputs=[torch.zeros(3, 2, 2)] * 2,
                 data_samples=[sample('a/one.jpg'), sample('b/two.jpg')])
    with pytest.raises(FloatingPointError) as error:
        check(outputs, batch)
    message = str(error.value)
    assert 'iteration 42;' in message
    assert message.startswith('loss, loss_crf ')
    for part in [f'loss: {value}', 'loss_ce: 0.25', f'loss_crf: {value}', 'acc_seg: 87.5',
                 'a/one.jpg', 'b/two.jpg', '--cfg-options optim_wrapper.optimizer.lr']:
        assert part in message


def test_one_part_of_the_loss_is_enough():
    with pytest.raises(FloatingPointError, match='loss_b not finite'):
        check(dict(loss_a=torch.tensor(1.), loss_b=torch.tensor(float('inf'))))


def test_batch_without_paths_is_said_to_be_unknown():
    with pytest.raises(FloatingPointError, match='no img_path'):
        check(dict(loss=float('nan')), dict(inputs=torch.zeros(1), data_samples=[object()]))


@pytest.mark.parametrize('outputs', [
    None, {}, dict(loss=torch.tensor(1e30)), dict(loss=torch.tensor(0.), acc=float('nan'))])
def test_finite_losses_pass(outputs):
    check(outputs)


def test_image_paths_of_nested_batches():
    batch = dict(labelled=dict(inputs=torch.zeros(2), data_samples=[sample('1')]),
                 weak=(['x'], [sample('2'), object(), sample('3')]))
    assert image_paths(batch) == ['1', '2', '3']
    assert image_paths(None) == []


def test_comes_before_anything_that_keeps_the_weights():
    own = get_priority(NonFiniteLossHook.priority)
    assert get_priority(RuntimeInfoHook.priority) < own
    for later in (CheckpointHook, ResumableCheckpointHook, EMAHook, LoggerHook):
        assert own < get_priority(later.priority)
