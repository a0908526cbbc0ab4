"""One pipeline at a time in a folder."""
import fcntl
import os
import time
from contextlib import contextmanager
from pathlib import Path

from mmseg_wss.pipeline.stage import PipelineError

_WAIT = 20.  # seconds for the commands of a killed pipeline to end


@contextmanager
def folder_lock(folder):
    """Hold a folder for this process and the commands that it runs with `run_supervised`.

    The lock (flock) is free when all of them have ended. If the process that holds it is dead but
    its commands have not ended yet, this waits for them for a while.

    Args:
        folder (str): is made if need be; the lock is its file .lock.

    Raises:
        PipelineError: another process has the folder.
    """
    path = Path(folder, '.lock')
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        deadline = time.monotonic() + _WAIT
        while not _locked(lock):
            owner = path.read_text()
            if _alive(owner) or time.monotonic() > deadline:
                raise PipelineError(
                    f'{folder}: another pipeline (process {owner or "unknown"}) or a command of it '
                    'is still running there. Wait for its end, or use another --work-dir.')
            time.sleep(0.1)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield lock
    finally:
        os.close(lock)  # not LOCK_UN: that would free it for the commands, too


def _locked(lock):
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(pid):
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass
    return True
