"""Who may write to a folder of masks: the shards of one count together, or one process alone."""
import errno
import os
import warnings
import weakref
from contextlib import ExitStack

try:
    import fcntl
except ImportError:  # Windows has no flock: nothing is locked there
    fcntl = None

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def lock_folder(root, manifest, shard):
    """Keep those out of a folder of masks who would disturb this process, until it ends.

    The lock is that of the file ``.lock`` (flock): shards have it in common, a process that is not
    a shard has it alone, since it clears away and merges what it finds. A shard also locks its
    manifest, which refuses the same shard a second time, and shards of another count: they would
    make the same masks.

    Args:
        root (Path): an existing folder.
        manifest (Path): in `root`; the shard's own, ``manifest.I-of-N.jsonl``.
        shard (tuple): (index, count).

    Returns:
        ExitStack: closing it gives the folder free.

    Raises:
        BlockingIOError: another process is writing there.
    """
    count = shard[1]
    with ExitStack() as stack:
        try:
            stack.enter_context(_Lock(root / '.lock', shared=count > 1))
            if count > 1:
                stack.enter_context(_Lock(manifest))
                # after its own: of two that start at the same time, one at least sees the other
                for other in root.glob('manifest.*-of-*.jsonl'):
                    if not other.name.endswith(f'-of-{count}.jsonl'):
                        _Lock(other, shared=True).close()
        except BlockingIOError as error:
            raise BlockingIOError(
                f'{root}: another process is writing masks there. Wait for its end and start '
                'again, or choose another folder. Only different shards of one count share a '
                'folder; a start without shards has it alone.') from error
        return stack.pop_all()


class _Lock:
    """A lock of a file, which is made if need be; raises BlockingIOError where it is taken."""

    _alive = weakref.WeakSet()

    def __init__(self, path, shared=False):
        self._file = open(path, 'ab', buffering=0)  # for writing: NFS wants that of an owner
        try:
            _flock(self._file, path, shared)
        except OSError:
            self._file.close()
            raise
        self._alive.add(self)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self._file.close()

    @classmethod
    def leave_to_parent(cls):
        """In a forked child (a data loader's worker): it must not keep the lock of a killed run."""
        for lock in list(cls._alive):
            lock.close()


def _flock(file, path, shared):
    if fcntl is None:
        return
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        warnings.warn(
            f'{path}: this file system has no locks ({error.strerror}), so nothing keeps another '
            'process from writing to this folder at the same time.', stacklevel=2)


if fcntl is not None:
    os.register_at_fork(after_in_child=_Lock.leave_to_parent)
