import errno
import os

import pytest

from mmseg_wss.errors import DiskFullError, ReadOnlyError
from mmseg_wss.utils.fileio import atomic_path, file_sha256, remove_temporaries


def test_file_appears_on_exit_only(tmp_path):
    target = tmp_path / 'new' / 'folder' / 'image.nii.gz'
    with atomic_path(str(target)) as temporary:
        assert temporary.parent == target.parent
        assert temporary.name.endswith('image.nii.gz')
        assert str(os.getpid()) in temporary.name
        temporary.write_bytes(b'whole')
        assert not target.exists()
    assert target.read_bytes() == b'whole'
    assert os.listdir(target.parent) == [target.name]


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_exception_keeps_the_old_file(tmp_path, error):
    target = tmp_path / 'file.txt'
    target.write_text('old')
    with pytest.raises(error):
        with atomic_path(target) as temporary:
            temporary.write_text('half')
            raise error
    assert target.read_text() == 'old'
    assert os.listdir(tmp_path) == ['file.txt']


def test_data_is_on_disk_before_the_rename(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, 'fsync', lambda fd: (calls.append('fsync'), fsync(fd)))
    monkeypatch.setattr(os, 'replace', lambda a, b: (calls.append('replace'), replace(a, b)))
    with atomic_path(tmp_path / 'a') as temporary:
        temporary.write_text('x')
    assert calls == ['fsync', 'replace']


def test_body_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        with atomic_path(tmp_path / 'a'):
            pass
    assert os.listdir(tmp_path) == []


def test_writers_of_one_file_do_not_meet(tmp_path):
    with atomic_path(tmp_path / 'a') as first, atomic_path(tmp_path / 'a') as second:
        assert first != second
        first.write_text('1')
        second.write_text('2')
    assert (tmp_path / 'a').read_text() == '1'  # the outer one ends last


def test_remove_temporaries(tmp_path):
    (tmp_path / 'kept.pth').write_text('x')
    (tmp_path / '.hidden').write_text('x')
    context = atomic_path(tmp_path / 'a.pth')
    left = context.__enter__()  # as a kill leaves it: never exited
    left.write_text('half')
    assert remove_temporaries(tmp_path) == [left]
    assert sorted(os.listdir(tmp_path)) == ['.hidden', 'kept.pth']
    assert remove_temporaries(tmp_path / 'missing') == []


def test_other_errors_pass_as_they_are(tmp_path, full_disk):
    with full_disk(0, errno.EIO), pytest.raises(OSError) as raised:
        with atomic_path(tmp_path / 'x') as temporary:
            temporary.write_text('new')
    assert type(raised.value) is OSError and str(tmp_path) not in str(raised.value)


@pytest.mark.parametrize('number, error, words', [
    (errno.ENOSPC, DiskFullError, 'No space left on device.*Free space'),
    (errno.EDQUOT, DiskFullError, 'Free space'),
    (errno.EROFS, ReadOnlyError, 'Read-only file system.*Choose a folder'),
    (errno.EACCES, ReadOnlyError, 'Permission denied.*change the rights'),
    (errno.EPERM, ReadOnlyError, 'Choose a folder')])
def test_a_file_that_cannot_be_written_is_named(tmp_path, full_disk, number, error, words):
    """Not its temporary name, which is gone when the message is read."""
    (tmp_path / 'a.txt').write_text('old')
    with full_disk(0, number), pytest.raises(error, match=f'/a.txt: .*{words}') as raised:
        with atomic_path(tmp_path / 'a.txt') as temporary:
            temporary.write_text('new')
    assert raised.value.errno == number and '.tmp-' not in str(raised.value)
    assert os.listdir(tmp_path) == ['a.txt'] and (tmp_path / 'a.txt').read_text() == 'old'


def test_the_temporaries_of_one_file(tmp_path):
    left = [atomic_path(tmp_path / name) for name in ('a.txt', 'b.txt')]
    paths = [context.__enter__() for context in left]
    for path in paths:
        path.write_text('half')
    assert remove_temporaries(tmp_path, 'a.txt') == paths[:1]
    assert os.listdir(tmp_path) == [paths[1].name]


def test_sha256_of_the_standard(tmp_path):
    """FIPS 180-2: a million times "a"."""
    (tmp_path / 'x').write_bytes(b'a' * 1000000)
    assert file_sha256(tmp_path / 'x') == (
        'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0')
