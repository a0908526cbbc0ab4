"""Locks of files, which end with the process that holds them."""
import errno
import os
import warnings
import weakref
from pathlib import Path

from mmseg_wss.utils.fileio import name_disk_faults

try:
    import fcntl
except ImportError:  # Windows has no flock: nothing is locked there
    fcntl = None

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_held = weakref.WeakSet()


def lock_file(path, shared=False):
    """Lock a file (flock), until what is returned is closed or this process ends.

    Args:
        path (str | Path): the file and its folder are made if need be.
        shared (bool): others may share the lock; else this process has it alone.

    Returns:
        file: an open file, a context manager.

    Raises:
        BlockingIOError: another process has the lock.
        ReadOnlyError: the folder takes no file.
        OSError: the file cannot be opened for writing.
    """
    with name_disk_faults(path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        file = open(path, 'ab', buffering=0)  # NFS locks only what is open for writing
    try:
        if fcntl is not None:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            file.close()
            raise
        warnings.warn(
            f'{path}: this file system has no locks ({error.strerror}), so nothing keeps another '
            'process from writing to this folder at the same time.', stacklevel=2)
    _held.add(file)
    return file


def is_running(pid):
    """Whether a process of this machine runs.

    Args:
        pid (int | str): its number; a text that is none is no process.
    """
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass
    return True


def _leave_to_parent():
    """In a forked child (a data loader's worker): it must not keep the lock of a killed run."""
    for file in list(_held):
        file.close()


if fcntl is not None:
    os.register_at_fork(after_in_child=_leave_to_parent)
