"""Whatever loads a checkpoint executes nothing of it, and says what is wrong with the file."""
import json
import sys

import bad_checkpoints as bad
import pytest
from tiny_run import ROOT, finish, write_config

WAYS = ('test.py', 'test.py --ensemble', 'train.py --resume PATH', 'train.py --resume', 'load_from',
        'init_cfg', 'generate_pseudo_masks.py', 'publish_strong.py', "mmseg's test.py",
        "mmseg's train.py --resume")


def walk(folder, checkpoint):
    """Name of a way to load -> what it said of the checkpoint."""
    printed = finish(sys.executable, ROOT / 'tests/walk_checkpoints.py',
                     write_config(folder, iterations=1), checkpoint, folder)
    return json.loads(printed.splitlines()[-1])


@pytest.fixture(scope='module')
def malicious(tmp_path_factory):
    folder = tmp_path_factory.mktemp('malicious')
    return walk(folder, bad.malicious(folder / 'x.pth', folder / 'mark')), folder / 'mark'


@pytest.mark.parametrize('way', WAYS)
def test_no_code_is_run(malicious, way):
    said, mark = malicious
    assert set(said) == set(WAYS) and not mark.exists()
    assert '.pth: loading it would run code: it names posix.mkdir' in said[way]
    assert '--trust-checkpoint' in said[way]


@pytest.fixture(scope='module')
def truncated(tmp_path_factory):
    folder = tmp_path_factory.mktemp('truncated')
    bad.truncated(folder / 'x.pth')
    return walk(folder, folder / 'x.pth')


@pytest.mark.parametrize('way', WAYS)
def test_a_truncated_file_is_named(truncated, way):
    assert '.pth: its end is missing' in truncated[way]
