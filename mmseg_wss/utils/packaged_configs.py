"""Configs of this package by name, wherever it is installed: 'mmseg_wss::msrc/NAME.py'.

Importing this module, as every tool and `mmseg_wss.registry` do, teaches mmengine the name in
``_base_``. Its own table of packages would put every type of the base into the scope mmseg_wss,
where those of mmseg are not found.
"""
import functools
from difflib import get_close_matches
from pathlib import Path

from mmengine.config import Config

from mmseg_wss.errors import ConfigError

PREFIX = 'mmseg_wss::'
CONFIGS = Path(__file__).parents[1] / '.mim/configs'


def packaged_config(name):
    """The file of a config of this package.

    Args:
        name (str): its path below configs/, with or without ``mmseg_wss::``.

    Returns:
        str: absolute path.

    Raises:
        ConfigError: there is no such config.
    """
    name = name.removeprefix(PREFIX)
    path = CONFIGS / name
    if not path.is_file():
        known = [path.relative_to(CONFIGS).as_posix() for path in CONFIGS.rglob('*.py')]
        similar = get_close_matches(name, known) or ['msrc/mixed_dual_efflite0_msrc.py']
        raise ConfigError(f'{PREFIX}{name}: there is no such config in {CONFIGS}. Write a path '
                          f'below this folder, such as {PREFIX}{similar[0]}.')
    return str(path)


def _install():
    get_cfg_path = Config._get_cfg_path
    if hasattr(get_cfg_path, '__wrapped__'):
        return

    @functools.wraps(get_cfg_path)
    def get(cfg_path, filename):
        if cfg_path.startswith(PREFIX):
            return packaged_config(cfg_path), None
        return get_cfg_path(cfg_path, filename)

    Config._get_cfg_path = staticmethod(get)


_install()
