"""The schedule of RRM's config, run step by step, against the released training."""
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS

from mmseg_wss.engine.schedulers import RestartLR

ROOT = Path(__file__).parents[3]
MULTIPLIERS = 1, 2, 10, 20


def rates(epoch_length, scale=1):
    """Rates of four groups in every step of the config's schedule."""
    cfg = Config.fromfile(ROOT / 'configs/wss/rrm_r38_voc.py')
    optimizer = torch.optim.SGD([
        dict(params=[torch.zeros(1, requires_grad=True)],
             lr=scale * cfg.optim_wrapper.optimizer.lr * multiplier)
        for multiplier in MULTIPLIERS], lr=1.)
    schedulers = [
        PARAM_SCHEDULERS.build(
            dict(dict(end=cfg.train_cfg.max_epochs), **one),
            default_args=dict(optimizer=optimizer, epoch_length=epoch_length))
        for one in cfg.param_scheduler]
    found = []
    for _ in range(cfg.train_cfg.max_epochs * epoch_length):
        found.append([group['lr'] for group in optimizer.param_groups])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return torch.tensor(found, dtype=torch.float64)


@pytest.mark.parametrize('scale', [1, 0.5])
def test_the_polynomial_restarts_with_one_rate_for_all_groups(scale):
    """Released: lr * (1 - step / steps) ** 0.9 with 0.01, then, in a new optimiser, 0.0007.

    mmengine's polynomial reaches 0 in its last step, the released one would in the step after it.
    """
    half = 12 * 5
    polynomial = scale * (1 - torch.arange(half, dtype=torch.float64) / (half - 1)) ** 0.9
    expected = torch.cat([0.01 * polynomial[:, None] * torch.tensor(MULTIPLIERS),
                          0.0007 * polynomial[:, None].expand(-1, 4)])
    torch.testing.assert_close(rates(5, scale), expected, rtol=1e-6, atol=1e-12)


def test_a_factor_that_is_no_rate():
    with pytest.raises(ValueError, match='factor must be positive, got 0'):
        RestartLR(torch.optim.SGD([torch.zeros(1)], lr=1.), 0, 1)
