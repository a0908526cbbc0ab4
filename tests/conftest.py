"""One thread in each process, and the reference data that lies beside a checkout."""
import os
from pathlib import Path

import pytest

# two processes of tests share two cores, and many start more; read when torch is imported
os.environ.setdefault('OMP_NUM_THREADS', '1')


@pytest.fixture
def shared():
    """A function that gives a folder of reference data, and skips the test where it is absent."""
    def find(name, variable, what):
        folder = Path(os.environ.get(variable, Path(__file__).parents[2] / 'shared' / name))
        if not folder.is_dir():
            pytest.skip(f'{what} are not here: set {variable} to their folder')
        return folder
    return find


@pytest.fixture
def msrc(shared):
    """The 494 photographs of MSRC in VOC layout."""
    return shared('data/msrc', 'MSRC_ROOT', 'the MSRC photographs')


@pytest.fixture
def oracles(shared):
    """What the released code of RRM computes."""
    return shared('oracles', 'WSS_ORACLES', "results of RRM's code")
