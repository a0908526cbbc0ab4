"""Files that are either whole or not there."""
import errno
import hashlib
import os
import uuid
from contextlib import contextmanager
from pathlib import Path

_PREFIX = '.tmp-'
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def atomic_path(path):
    """Write a file under a temporary name; it appears under `path` when complete.

    The temporary file lies in the folder of `path` (which is made if need be), because a rename is
    atomic within one file system only. It ends in the name of `path`, so whatever infers a format
    from the suffix still can. A reader sees the old file or the new one, never a part; a process
    that is killed leaves the old file as it was, and a ``.tmp-*`` file that `remove_temporaries`
    clears away.

    Args:
        path (str | Path): where the file shall be.

    Yields:
        Path: the name to write to. On a clean exit it is flushed to disk and renamed to `path`; on
        an exception it is removed.

    Raises:
        FileNotFoundError: the body wrote nothing to the yielded name.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not `tempfile`: it would create the file, readable by its owner alone.
    temporary = path.with_name(f'{_PREFIX}{os.getpid()}-{uuid.uuid4().hex[:8]}-{path.name}')
    try:
        yield temporary
        with open(temporary, 'rb+') as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:  # KeyboardInterrupt too; it is raised again
        temporary.unlink(missing_ok=True)
        raise


def remove_temporaries(folder):
    """Remove what killed writers left in `folder` (not in its subfolders).

    Call it only where nobody else is writing to this folder with `atomic_path`.

    Args:
        folder (str | Path): may be missing.

    Returns:
        list[Path]: the files that were removed.
    """
    stale = sorted(path for path in Path(folder).glob(f'{_PREFIX}*') if path.is_file())
    for path in stale:
        path.unlink(missing_ok=True)
    return stale


def file_sha256(path):
    """SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        for block in iter(lambda: file.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


def is_full_disk(error):
    """Whether an OSError says that no space is left: on the disk, or of the user's quota."""
    return error.errno in _FULL


@contextmanager
def name_full_disk(path):
    """Let the error of a full disk name the file and the remedy: the system's own names neither.

    Args:
        path (str | Path): what is written inside the context.

    Raises:
        OSError: of the same errno. Other errors pass as they are.
    """
    try:
        yield
    except OSError as error:
        if not is_full_disk(error):
            raise
        raise OSError(error.errno, f'{path}: {os.strerror(error.errno)}; no part of the file stays.'
                      ' Free space there and start again: what is finished is kept.') from error
