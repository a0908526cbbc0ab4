import subprocess
import sys

import pytest
from tiny_run import environment

from mmseg_wss.utils.cli import run_tool


def formatted(_):
    """As mmengine formats a config: any exception becomes one that blames the config."""
    try:
        raise KeyboardInterrupt
    except BaseException:
        raise SyntaxError('Failed to format the config file')  # noqa: B904


def broken(_):
    try:
        raise OSError('x')
    except OSError:
        raise SyntaxError('a real one')  # noqa: B904


def test_a_stop_that_a_library_turned_into_another_error(capsys):
    with pytest.raises(SystemExit) as stop:
        run_tool(formatted, None)
    assert stop.value.code == 130 and capsys.readouterr().out == 'Stopped.\n'
    with pytest.raises(SyntaxError):
        run_tool(broken, None)


def test_a_stop_while_libraries_are_loaded_quietly():
    """What they print is held back meanwhile; the stop is said."""
    process = subprocess.run([sys.executable, '-c', """
import signal
from mmseg_wss.utils.cli import allow_stop
from mmseg_wss.utils.quiet_libraries import quiet_imports
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
allow_stop()
with quiet_imports():
    signal.raise_signal(signal.SIGINT)
"""], env=environment(), capture_output=True, text=True)
    assert (process.returncode, process.stdout) == (130, 'Stopped.\n'), process.stderr
