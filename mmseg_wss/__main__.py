"""Run a tool of this package from any folder, with or without a clone.

    python -m mmseg_wss                      the list of the tools
    python -m mmseg_wss TOOL [OPTIONS]       run one, such as train CONFIG
    python -m mmseg_wss configs [CONFIG]     where the configs are, or one of them
    python -m mmseg_wss --version

CONFIG may be mmseg_wss::NAME, the name of a config that came with the package, such as
mmseg_wss::msrc/mixed_dual_efflite0_msrc.py.
"""
import ast
import os
import runpy
import sys
from difflib import get_close_matches
from pathlib import Path

from mmseg_wss.version import __version__

TOOLS = Path(__file__).parent / '.mim/tools'


def find_tools():
    """Files of the tools by their names, without folder and suffix."""
    paths = sorted(path for suffix in ('py', 'sh') for path in TOOLS.rglob(f'*.{suffix}'))
    return {path.stem: path for path in paths}


def summary(path):
    """The first line of what a tool says about itself."""
    text = path.read_text(encoding='utf-8')
    if path.suffix == '.py':
        return (ast.get_docstring(ast.parse(text)) or '').partition('\n')[0]
    return text.splitlines()[1].lstrip('# ').partition(': tools/')[0]


def show_list(tools):
    print(__doc__.partition('CONFIG may be')[0])
    width = max(map(len, tools))
    for name, path in tools.items():
        print(f'{name:{width}}  {summary(path)}')
    print('\npython -m mmseg_wss TOOL --help says which options a tool has.')


def show_configs(names):
    from mmseg_wss.utils.packaged_configs import CONFIGS, packaged_config
    print(*map(packaged_config, names) if names else [CONFIGS], sep='\n')


def with_config_paths(arguments):
    """Arguments, and the paths of the package's configs for their names."""
    if not any(argument.startswith('mmseg_wss::') for argument in arguments):
        return arguments
    from mmseg_wss.utils.packaged_configs import PREFIX, packaged_config  # it takes a second
    return [packaged_config(argument) if argument.startswith(PREFIX) else argument
            for argument in arguments]


def main():
    name, *arguments = sys.argv[1:] or ['--help']
    tools = find_tools()
    if name in ('-h', '--help'):
        return show_list(tools)
    if name == '--version':
        return print(f'mmseg_wss {__version__}')
    try:
        if name == 'configs':
            return show_configs(arguments)
        arguments = with_config_paths(arguments)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    path = tools.get(Path(name).stem)
    if path is None:
        similar = get_close_matches(name, tools, 3) or ['train', 'test']
        print(f'{name}: there is no such tool; did you mean {" or ".join(similar)}? '
              'python -m mmseg_wss lists all.', file=sys.stderr)
        raise SystemExit(2)
    if path.suffix == '.sh':
        os.execvp('bash', ['bash', str(path), *arguments])
    sys.argv = [str(path), *arguments]
    runpy.run_path(str(path), run_name='__main__')


if __name__ == '__main__':
    main()
