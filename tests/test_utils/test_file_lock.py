import errno
import os
import signal

import pytest

from mmseg_wss.errors import ReadOnlyError
from mmseg_wss.pipeline.folder_lock import folder_lock
from mmseg_wss.utils.file_lock import lock_file


def test_workers_do_not_keep_the_lock(tmp_path):
    """A child that was forked while the file was locked: workers outlive a killed run."""
    reading, writing = os.pipe()
    lock = lock_file(tmp_path / 'a')
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, b'.')
            signal.pause()
        finally:
            os._exit(0)
    try:
        os.read(reading, 1)
        with pytest.raises(BlockingIOError):
            lock_file(tmp_path / 'a')  # the child does not free it either
        lock.close()
        lock_file(tmp_path / 'a').close()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def flock(*args):
        raise OSError(errno.ENOLCK, 'No locks available')
    monkeypatch.setattr('fcntl.flock', flock)
    with pytest.warns(UserWarning, match='a: this file system has no locks'):
        lock_file(tmp_path / 'a')


def test_a_folder_for_reading(read_only):
    with pytest.raises(ReadOnlyError, match=f'{read_only}/a/.lock: .*Choose a folder'):
        lock_file(read_only / 'a/.lock')
    with pytest.raises(ReadOnlyError, match=f'{read_only}/a/.lock: .*Choose a folder'):
        with folder_lock(read_only / 'a'):
            pass
