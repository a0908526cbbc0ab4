"""``python -m mmseg_wss`` and configs by name, here and from a wheel in a fresh environment."""
import os
import runpy
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from devkit import make_devkit
from mmengine.config import Config

from mmseg_wss.errors import ConfigError
from mmseg_wss.utils.packaged_configs import packaged_config
from mmseg_wss.version import __version__

ROOT = Path(__file__).parents[1]
TOOLS = [path for pattern in ('*.py', '*.sh') for path in (ROOT / 'tools').rglob(pattern)]
OWN = """
_base_ = 'mmseg_wss::msrc/mixed_dual_efflite0_msrc.py'
data_root = 'my_devkit'
strong = dict(_base_.strong, data_root=data_root, ann_file='ImageSets/Segmentation/strong.txt')
weak = dict(_base_.weak, data_root=data_root, ann_file='ImageSets/Segmentation/weak.txt')
train_dataloader = dict(dataset=dict(datasets=[strong, weak]))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
model = dict(decode_head=dict(num_classes=3))
"""


@pytest.fixture
def call(monkeypatch, capsys):
    """A function that calls ``python -m mmseg_wss`` in this process."""
    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['mmseg_wss', *arguments])
        code = 0
        try:
            runpy.run_module('mmseg_wss', run_name='__main__')
        except SystemExit as end:
            code = end.code
        printed = capsys.readouterr()
        return code, printed.out + printed.err
    return run


def test_every_tool_is_listed_with_what_it_does(call):
    code, printed = call()
    assert code == 0 and len({path.stem for path in TOOLS}) == len(TOOLS)
    lines = dict(line.split(maxsplit=1) for line in printed.splitlines() if len(line.split()) > 1)
    assert lines.keys() >= {path.stem for path in TOOLS}
    assert lines['train'] == 'Train a model of a config.'
    assert call('--version') == (0, f'mmseg_wss {__version__}\n')


@pytest.mark.parametrize('name', ['make_splits', 'dataset_converters/make_splits.py'])
def test_a_tool_gets_the_rest_of_the_arguments(call, name):
    code, printed = call(name, '--help')
    assert code == 0 and '--strong-list LIST' in printed


def test_unknown_names_get_an_answer(call):
    code, printed = call('check_dat')
    assert code == 2 and 'check_data' in printed
    name = 'mmseg_wss::msrc/mixed_dual_efflite_msrc.py'
    message, _ = call('train', name)
    assert name in message and 'mmseg_wss::msrc/mixed_dual_efflite0_msrc.py' in message
    assert call('configs', name)[0] == message


def test_a_base_by_name_is_the_same_as_by_path(tmp_path):
    """No type is put into another scope, also of variables that the config reads."""
    configs = []
    for base in 'mmseg_wss::', f'{ROOT}/configs/':
        (tmp_path / 'own.py').write_text(OWN.replace('mmseg_wss::', base))
        configs.append(Config.fromfile(tmp_path / 'own.py').to_dict())
    assert configs[0] == configs[1]
    with pytest.raises(ConfigError, match='msrc/mixed_dual_efflite0_msrc.py'):
        packaged_config('msrc/mixed_dual_efflite0.py')


@pytest.fixture
def wheel_python(tmp_path):
    """A Python with this package from a wheel, and all else from the environment of the tests."""
    source = tmp_path / 'source'
    source.mkdir()
    for name in 'mmseg_wss', 'configs', 'tools':
        shutil.copytree(ROOT / name, source / name, symlinks=True,
                        ignore=shutil.ignore_patterns('__pycache__'))
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    subprocess.run(
        [sys.executable, '-m', 'pip', '-q', '--disable-pip-version-check', 'wheel', source,
         '--no-deps', '--no-build-isolation', '-w', tmp_path / 'wheels'], check=True)
    venv = tmp_path / 'venv'
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', venv], check=True)
    python = venv / 'bin/python'
    site = next(venv.glob('lib/python*/site-packages'))
    (site / 'tests.pth').write_text(sysconfig.get_paths()['purelib'] + '\n')
    shutil.unpack_archive(next((tmp_path / 'wheels').glob('*.whl')), site, 'zip')  # as pip does
    return python


def test_tools_and_configs_of_a_wheel(wheel_python, tmp_path):
    pytest.importorskip('timm', reason='the backbone of the config needs the extra [msrc]')
    folder = tmp_path / 'elsewhere'
    make_devkit(folder / 'my_devkit')
    (folder / 'own.py').write_text(OWN)

    def run(*arguments):
        environment = {key: value for key, value in os.environ.items() if key != 'PYTHONPATH'}
        done = subprocess.run([wheel_python, *map(str, arguments)], cwd=folder, text=True,
                              capture_output=True, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    configs = Path(run('-m', 'mmseg_wss', 'configs').strip())
    assert configs.is_relative_to(tmp_path) and not configs.is_symlink()
    for name in 'configs', 'tools':
        found = {path.relative_to(configs.parent) for path in (configs.parent / name).rglob('*.*')}
        assert found >= {path.relative_to(ROOT) for path in (ROOT / name).rglob('*.*')
                         if path.suffix in ('.py', '.sh', '.yml', '.md')}
    assert ' 0 fault(s)' in run('-m', 'mmseg_wss', 'check_data', 'own.py')
    # what `mim run mmseg_wss make_splits --help` starts
    assert '--strong-list' in run(
        configs.parent / 'tools/dataset_converters/make_splits.py', '--help')
