"""Checkpoints are plain and sealed: what was saved comes back, or is refused."""
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmseg_wss.engine.checkpoint_contents import open_sealed, seal
from mmseg_wss.errors import DataError


def checkpoint():
    generator = torch.Generator().manual_seed(0)
    log = HistoryBuffer([3., 1., 2.], [1, 1, 2], max_length=7)
    return dict(
        meta=dict(iter=4, cfg='a = 1', dataset_meta=dict(classes=('a', 'b'))),
        state_dict=dict(weight=torch.rand(5, 3, generator=generator)),
        message_hub=dict(
            log_scalars={'train/loss': log}, resumed_keys={'train/loss': True},
            runtime_info=dict(best_score=np.float32(0.5), eta=np.float64(3), steps=np.int64(7),
                              palette=np.arange(3), best_ckpt=Path('best.pth'))),
        param_schedulers=[dict(base_values=[np.float64(0.1)], last_step=4)])


def stored(value):
    """What comes back of a file, without a pickle being believed."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)


def test_what_comes_back():
    one = checkpoint()
    seal(one)
    other = stored(one)
    open_sealed(other, 'x.pth')
    info = other['message_hub']['runtime_info']
    assert (info['best_score'], info['eta'], info['steps']) == (0.5, 3, 7)
    assert type(info['best_score']) is float and info['best_ckpt'] == 'best.pth'
    log = other['message_hub']['log_scalars']['train/loss']
    assert log.mean() == (3 + 1 + 2) / (1 + 1 + 2) and log.max_length == 7
    log.update(5.)
    assert log.current() == 5
    assert other['param_schedulers'][0]['base_values'] == [0.1]
    assert torch.equal(other['state_dict']['weight'], one['state_dict']['weight'])


def flip_bit(one):
    one['state_dict']['weight'].view(torch.uint8)[3, 5] ^= 4


@pytest.mark.parametrize('change', [
    flip_bit,
    lambda one: one['meta'].update(iter=5),
    lambda one: one['param_schedulers'][0].update(last_step=5),
    lambda one: one['message_hub']['runtime_info'].update(best_score=0.6),
    lambda one: one['state_dict'].pop('weight'),
    lambda one: one.update(extra=1)])
def test_a_change_is_refused(change):
    one = checkpoint()
    seal(one)
    change(one)
    with pytest.raises(DataError, match=r'x\.pth: the checkpoint is damaged.*another checkpoint'):
        open_sealed(stored(one), 'x.pth')


def test_sealed_twice_is_sealed_once():
    """mmengine saves a checkpoint again when it was the best one."""
    one = checkpoint()
    seal(one)
    first = one['meta']['checksum']
    seal(one)
    assert one['meta']['checksum'] == first


@pytest.mark.parametrize('foreign', [{}, dict(state_dict={}), dict(meta=None), dict(
    message_hub=dict(log_scalars=dict(loss=HistoryBuffer([1.], [1]))))])
def test_what_others_wrote_stays_as_it_is(foreign):
    before = dict(foreign)
    open_sealed(foreign, 'x.pth')
    assert foreign == before
