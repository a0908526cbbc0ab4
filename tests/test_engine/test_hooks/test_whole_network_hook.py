from types import SimpleNamespace

import pytest
from torch import nn

from mmseg_wss.engine.hooks import WholeNetworkHook
from mmseg_wss.errors import DataError


def test_the_hook_names_the_checkpoint():
    model = nn.ModuleDict(dict(backbone=nn.Sequential(nn.Conv2d(5, 8, 3), nn.BatchNorm2d(8)),
                               head=nn.Conv2d(8, 2, 1)))
    hook, runner = WholeNetworkHook('/x/net.pth'), SimpleNamespace(model=model)
    for key in ('', 'module.'):
        state = {f'{key}{name}': value for name, value in model.state_dict().items()}
        hook.after_load_checkpoint(runner, state)
        hook.after_load_checkpoint(runner, dict(state_dict=state))
    with pytest.raises(DataError, match=r'/x/net\.pth: .*8 missing: backbone\.0\.bias, .*5 more'):
        hook.after_load_checkpoint(runner, dict(state_dict={}))
