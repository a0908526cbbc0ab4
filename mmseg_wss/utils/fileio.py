"""Files that are either whole or not there."""
import errno
import hashlib
import os
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path

from mmseg_wss.errors import DiskFullError, ReadOnlyError

_PREFIX = '.tmp-'
_REMEDIES = {  # error -> its numbers, and what to do
    DiskFullError: ((errno.ENOSPC, errno.EDQUOT), 'Free space on this disk'),
    ReadOnlyError: ((errno.EACCES, errno.EPERM, errno.EROFS), 'Choose a folder that you may write '
                    'to, or change the rights of this one,')}


@contextmanager
def atomic_path(path):
    """Write a file under a temporary name; it appears under `path` when complete.

    A reader sees the old file or the new one, never a part. The temporary file lies in the folder
    of `path` (which is made if need be), because a rename is atomic within one file system only,
    and has the suffix of `path`. A process that is killed leaves it: see `remove_temporaries`.

    Args:
        path (str | Path): where the file shall be.

    Yields:
        Path: the name to write to. At the end it is flushed to disk and renamed to `path`; after an
        exception it is removed.

    Raises:
        DiskFullError: no space is left.
        FileNotFoundError: the body wrote nothing to the yielded name.
        ReadOnlyError: the folder takes no file.
    """
    path = Path(path)
    # Not `tempfile`: it would create the file, readable by its owner alone.
    temporary = path.with_name(f'{_PREFIX}{os.getpid()}-{uuid.uuid4().hex[:8]}-{path.name}')
    with name_disk_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with open(temporary, 'rb+') as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:  # KeyboardInterrupt too; it is raised again
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def read_bytes(path, backend_args=None):
    """The content of a file, local or of a backend of mmengine.

    Args:
        path (str | Path): a local path, or what a backend of ``mmengine.fileio`` knows
            (``s3://...``, ``https://...``).
        backend_args (dict, optional): see ``mmengine.fileio``.

    Raises:
        OSError: a local file cannot be read.
    """
    if is_local(path, backend_args):
        return Path(path).read_bytes()
    from mmengine import fileio  # here: it takes longer to load than many tools run
    return fileio.get(path, backend_args=backend_args)


def file_exists(path, backend_args=None):
    """Whether there is such a file or folder, see `read_bytes`."""
    if is_local(path, backend_args):
        return os.path.exists(path)
    from mmengine import fileio
    return fileio.exists(path, backend_args=backend_args)


def is_local(path, backend_args=None):
    """Whether a path is that of a local file, see `read_bytes`."""
    return not backend_args and '://' not in str(path)


def remove_temporaries(folder, name='*'):
    """Remove what killed writers left in `folder` (not in its subfolders).

    Call it only where nobody else is writing to these files with `atomic_path`.

    Args:
        folder (str | Path): may be missing.
        name (str): what was written: the name of a file, or a glob pattern.

    Returns:
        list[Path]: the files that were removed.
    """
    stale = sorted(path for path in Path(folder).glob(f'{_PREFIX}*-{name}') if path.is_file())
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


@contextmanager
def name_disk_faults(path):
    """Turn the error of a disk or folder that takes no file into one with the file and the remedy.

    Args:
        path (str | Path): what is written inside the context.

    Raises:
        DiskFullError: no space is left.
        ReadOnlyError: this user may not write there, or the file system is mounted for reading.
            Other errors pass as they are.
    """
    try:
        yield
    except (DiskFullError, ReadOnlyError):
        raise
    except OSError as error:
        for kind, (numbers, remedy) in _REMEDIES.items():
            if error.errno in numbers:
                raise kind(error.errno, f'{path}: {os.strerror(error.errno)}. The file was not '
                           f'written. {remedy} and run the command again: finished files are kept.'
                           ) from error
        raise
