"""The folder of a run: who has it, and what is in it, by name."""
import os
import socket
from contextlib import contextmanager
from pathlib import Path

from mmseg_wss.errors import ConfigError, DataError
from mmseg_wss.utils.file_lock import lock_file


@contextmanager
def own_work_dir(work_dir, use):
    """Hold a work dir for a run; of several processes the first one does.

    A training and a test may share a folder, two trainings or two tests may not: they would write
    to each other's files and delete them.

    Args:
        work_dir (str | Path): is made if need be; the lock is its file ``.USE.lock``.
        use (str): 'training' or 'test'.

    Raises:
        ConfigError: another process has it, on this machine or on another one that shares the
            folder; or it cannot be written to.
    """
    rank = os.environ.get('RANK') or os.environ.get('SLURM_PROCID') or '0'
    if rank != '0':
        yield
        return
    path = Path(work_dir, f'.{use}.lock')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = lock_file(path)
    except BlockingIOError as error:
        raise ConfigError(
            f'{work_dir}: another {use} is running there ({path.read_text() or "unknown"}). Wait '
            'for its end, or use another --work-dir.') from error
    except OSError as error:
        raise ConfigError(f'{work_dir}: nothing can be written there ({error.strerror}). Use '
                          'another --work-dir.') from error
    with lock:
        lock.truncate(0)
        lock.write(f'process {os.getpid()} on {socket.gethostname()}'.encode())
        yield


def latest_checkpoint(work_dir):
    """The checkpoint that a run in this folder would resume from.

    ``last_checkpoint`` has the path at the time of writing; where a file of that name lies beside
    it, that one counts, so that a work dir can be renamed, moved and copied.

    Args:
        work_dir (str | Path): may be missing.

    Returns:
        str or None: None where there is none yet.

    Raises:
        DataError: the file that it names is gone, or it names none.
    """
    pointer = Path(work_dir, 'last_checkpoint')
    if not pointer.is_file():
        return None
    remedy = 'Name a checkpoint (--resume CHECKPOINT), or start in another work dir.'
    try:
        saved = Path(pointer.read_text('utf-8').strip())
        for path in pointer.parent / saved.name, saved:
            if path.is_file():
                return str(path)
    except (OSError, ValueError) as error:  # no text, or one that cannot be a path
        raise DataError(f'{pointer}: it does not hold the path of a checkpoint '
                        f'({str(error)[:100]}). {remedy}') from error
    found = (f'{saved.name}, which is neither beside it nor at {saved}' if saved.name
             else 'no checkpoint')
    raise DataError(f'{pointer}: it names {found}. {remedy}')
