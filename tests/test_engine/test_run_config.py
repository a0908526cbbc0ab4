"""Configs that are missing or broken: what is wrong, without a traceback; and worker processes."""
import sys
from argparse import Namespace

import pytest
from mmengine.runner import Runner
from tiny_run import load_script

from mmseg_wss.engine.run_config import load_config, read_config
from mmseg_wss.errors import ConfigError


def test_a_config_that_is_none_is_named(tmp_path):
    (tmp_path / 'near.py').write_text('a = (1\n')
    (tmp_path / 'child.py').write_text("_base_ = './gone.py'\n")
    for name, said in ('near', r'near: there is no such config \(there is near.py'), \
            ('near.py', r'near.py: it cannot be read as a config.*never closed'), \
            ('child.py', 'child.py: .*gone.py'):
        with pytest.raises(ConfigError, match=said):
            load_config(str(tmp_path / name))
    (tmp_path / 'near.py').write_text('a = 1\n')
    assert load_config(str(tmp_path / 'near.py')).a == 1


@pytest.mark.parametrize('tool, more', [
    ('train', []), ('test', ['none.pth']), ('check_data', []), ('browse_dataset', []),
    ('model_converters/publish_strong', ['none.pth', 'out.pth'])])
def test_a_tool_says_that_there_is_no_config(tool, more, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', [tool, 'none.py', *more])
    script = load_script(f'tools/{tool}.py')
    with pytest.raises(SystemExit) as stopped:
        if hasattr(script, 'main'):
            script.main()
        else:
            script.run_tool(script.run, script.parse_args())
    assert stopped.value.code == 'none.py: there is no such config.'
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize('split', ['train', 'val', 'test'])
def test_no_workers_need_no_second_option(split, tmp_path, monkeypatch):
    """torch refuses persistent_workers=True, which the configs have, with num_workers=0."""
    path = 'configs/quickstart/mixed_dual_shapes.py'
    before = load_config(path)
    cfg = read_config(Namespace(config=path, cfg_options={
        f'{split}_dataloader.num_workers': 0, f'{split}_dataloader.dataset': [],
        f'{split}_dataloader.sampler': dict(type='DefaultSampler', _delete_=True)}))
    assert Runner.build_dataloader(cfg[f'{split}_dataloader']).num_workers == 0
    for other in {'train', 'val', 'test'} - {split}:
        assert before[f'{other}_dataloader'].persistent_workers
        assert cfg[f'{other}_dataloader'] == before[f'{other}_dataloader']
