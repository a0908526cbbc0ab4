"""One pipeline at a time in a folder."""
import os
import time
from contextlib import contextmanager
from pathlib import Path

from mmseg_wss.pipeline.stage import PipelineError
from mmseg_wss.utils.file_lock import is_running, lock_file

_WAIT = 20.  # seconds for the commands of a killed pipeline to end


@contextmanager
def folder_lock(folder):
    """Hold a folder for this process and the commands that it runs with `run_supervised`.

    The lock is free when all of them have ended. If the process that holds it is dead but its
    commands have not ended yet, this waits for them for a while.

    Args:
        folder (str): is made if need be; the lock is its file .lock.

    Yields:
        int: the file descriptor of the lock, for the commands.

    Raises:
        PipelineError: another process has the folder.
    """
    path = Path(folder, '.lock')
    with _wait_for_lock(path) as lock:  # its end closes the file, which the commands still hold
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())
        yield lock.fileno()


def _wait_for_lock(path):
    deadline = time.monotonic() + _WAIT
    while True:
        try:
            return lock_file(path)
        except BlockingIOError as error:
            owner = path.read_text()
            if is_running(owner) or time.monotonic() > deadline:
                raise PipelineError(
                    f'{path.parent}: another pipeline (process {owner or "unknown"}) or a command '
                    'of it is still running there. Wait for its end, or use another --work-dir.'
                ) from error
        time.sleep(0.1)
