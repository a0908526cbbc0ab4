import io
import random

import numpy as np
import pytest
import torch

from mmseg_wss.utils.random_state import get_random_state, seeded, set_random_state


def draw():
    """Numbers of all generators; odd counts of gaussians, which the generators cache in pairs."""
    return (random.random(), random.gauss(0, 1), np.random.rand(), np.random.randn(),
            torch.rand(()).item(), torch.randn(()).item())


def test_states_go_through_a_safe_checkpoint():
    draw()
    file = io.BytesIO()
    torch.save(get_random_state(), file)
    expected = [draw(), draw()]
    file.seek(0)
    set_random_state(torch.load(file, weights_only=True))
    assert [draw(), draw()] == expected


def test_seeded_repeats_and_leaves_no_trace():
    state = get_random_state()
    expected = draw()
    set_random_state(state)
    with seeded(7):
        first = draw()
    with pytest.raises(KeyError):
        with seeded(7):
            assert draw() == first
            raise KeyError
    with seeded(2**32 - 1):
        assert draw() != first
    assert draw() == expected


@pytest.mark.parametrize('seed', [-1, 2**32])
def test_seed_out_of_range(seed):
    state = get_random_state()
    expected = draw()
    set_random_state(state)
    with pytest.raises(ValueError, match='[Ss]eed'):
        with seeded(seed):
            pass
    assert draw() == expected


def test_seeded_does_not_touch_cuda(monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError('CUDA was seeded')
    monkeypatch.setattr(torch.cuda, 'manual_seed_all', fail)
    monkeypatch.setattr(torch.cuda, 'manual_seed', fail)
    with seeded(1):
        pass


def test_cuda_states_of_all_devices(monkeypatch):
    devices = {0: torch.tensor([1, 2], dtype=torch.uint8), 1: torch.tensor([3], dtype=torch.uint8)}
    monkeypatch.setattr(torch.cuda, 'is_initialized', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    monkeypatch.setattr(torch.cuda, 'get_rng_state_all', lambda: [devices[0], devices[1]])
    put = {}
    monkeypatch.setattr(torch.cuda, 'set_rng_state', lambda s, d: put.update({d: s.tolist()}))
    set_random_state(get_random_state())
    assert put == {0: [1, 2], 1: [3]}


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_cuda_numbers_repeat():
    torch.rand(1, device='cuda')
    state = get_random_state()
    expected = torch.rand(5, device='cuda')
    set_random_state(state)
    assert torch.equal(torch.rand(5, device='cuda'), expected)
