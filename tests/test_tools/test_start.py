import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / 'tools/dataset_converters'
HELP = '''
import runpy, sys
sys.argv = [sys.argv[1], '--help']
try:
    runpy.run_path(sys.argv[0], run_name='__main__')
except SystemExit as end:
    assert not end.code
heavy = {'numpy', 'PIL', 'scipy', 'cv2', 'multiprocessing'} & set(sys.modules)
assert not heavy, heavy
'''


@pytest.mark.parametrize('tool', ['voc_aug.py', 'coco_semantic.py', 'make_splits.py', 'msrc.py'])
def test_help_loads_nothing_heavy(tool):
    done = subprocess.run(
        [sys.executable, '-c', HELP, TOOLS / tool], capture_output=True, text=True)
    assert done.returncode == 0 and '--out DIR' in done.stdout, done.stderr
