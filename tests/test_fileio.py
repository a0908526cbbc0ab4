import os

import pytest

from mmseg_wss.fileio import atomic_path, remove_temporaries


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
