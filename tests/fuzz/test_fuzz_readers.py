"""A few files of the long run, and each kind of fault made on purpose."""
import os
import subprocess
import sys
import time
from pathlib import Path

import fuzz_readers
import pytest
from fuzz_readers import READERS
from readers import Reader

SLOW = 'checkpoint', 'mxnet', 'validation_log'  # torch and mmseg are loaded for them


def test_two_hundred_files():
    names = [name for name in READERS if name not in SLOW]
    done = subprocess.run(
        [sys.executable, fuzz_readers.__file__, '--files', '200', '--reader', *names],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def read(text, after=None):
    """A reader of a text file that does this with a damaged one."""
    def function(path):
        if Path(path).read_bytes() == text:
            return text
        return after(path)
    return function


def raises(message):
    def function(path):
        raise ValueError(message.format(path))
    return function


@pytest.mark.parametrize('kind, after', [
    ('refused', raises('{}: damaged. Write it again.')), ('other', lambda path: 'another text'),
    ('no name', raises('damaged. Write it again.')), ('no remedy', raises('{}: damaged.')),
    ('error', lambda path: {}['key']), ('silent', lambda path: None),
    ('hang', lambda path: time.sleep(60)), ('crash', lambda path: os.abort())])
def test_each_kind_of_fault_is_found(monkeypatch, kind, after):
    monkeypatch.setattr(fuzz_readers, 'PATIENCE', 1)
    text = b'some words of a text\n' * 20
    reader = Reader([text], read(text, after), (ValueError, ), lambda content: content is not None,
                    name='a.txt')
    found = [outcome for outcome, _ in fuzz_readers.outcomes('a', reader, [b'x'], 0, 3)]
    assert len(found) == 3 and set(found) <= {kind, 'same'} and kind in found


def test_the_same_seed_gives_the_same_files():
    reader = Reader([b'some words'], None, ())
    files = [[fuzz_readers.Case('a', reader, [b'x'], seed, number).content for number in range(50)]
             for seed in (0, 0, 1)]
    assert files[0] == files[1] != files[2]
