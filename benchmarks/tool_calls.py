"""Calls of the project's tools from a script that takes many of them in turn."""
import os
import subprocess
import sys
from pathlib import Path

from mmseg_wss.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]


def call(tool, *arguments):
    """Run a tool of this tree to its end.

    Args:
        tool (str): a file of tools/.
        *arguments: as one would type them.

    Raises:
        ConfigError: it failed; what it printed is above.
    """
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get('PYTHONPATH'))))
    done = subprocess.run([sys.executable, str(ROOT / 'tools' / tool), *map(str, arguments)],
                          env=dict(os.environ, PYTHONPATH=path))
    if done.returncode:
        raise ConfigError(f'tools/{tool} failed (exit code {done.returncode}); its output is '
                          'above. Mend the cause and start again.')
