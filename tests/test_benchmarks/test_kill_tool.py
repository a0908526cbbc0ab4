"""kill_tool.py on a tool that goes on rightly, and on one that takes half of a file for a whole."""
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_run import environment

ROOT = Path(__file__).parents[2]
TOOL = """
import os, sys, time
out, atomic = sys.argv[1], sys.argv[2] == 'atomic'
os.makedirs(out, exist_ok=True)
for number in range(30):
    path = os.path.join(out, str(number))
    if os.path.exists(path):
        continue
    with open(path + '.tmp' if atomic else path, 'w') as file:
        file.write('half')
        file.flush()
        time.sleep(0.05)
        file.write(' and half')
    if atomic:
        os.replace(path + '.tmp', path)
"""


@pytest.mark.parametrize('kind, code, said', [
    ('atomic', 0, 'a second start: 3 of 3'), ('careless', 1, 'a second start: 0 of 3')])
def test_half_of_a_file_is_found(tmp_path, kind, code, said):
    (tmp_path / 'tool.py').write_text(TOOL)
    done = subprocess.run(
        [sys.executable, ROOT / 'benchmarks/kill_tool.py', '--times', '3', '--work-dir',
         tmp_path / 'work', '--', sys.executable, tmp_path / 'tool.py', '{out}', kind],
        env=environment(), capture_output=True, text=True)
    assert (done.returncode, said in done.stdout) == (code, True), done.stdout + done.stderr
    assert done.stdout.count('killed with') == 3
