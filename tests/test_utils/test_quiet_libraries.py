"""What a user of the tools need not read."""
import subprocess
import sys

from tiny_run import environment


def test_a_tool_loads_without_a_word():
    """It loads models first, which other libraries speak of."""
    done = subprocess.run([sys.executable, '-c', 'import mmseg_wss.engine.prediction'],
                          env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
