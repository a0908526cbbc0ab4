"""One loop for every tool that makes a file for each of many images."""
import time
from typing import NamedTuple

from mmseg_wss.errors import DiskFullError, ReadOnlyError
from mmseg_wss.utils.progress import track
from mmseg_wss.utils.worker_pool import Failure, WorkerPool

# every further job would fail, too
_FINAL = {kind.__name__: kind
          for kind in (DiskFullError, ReadOnlyError, ImportError, ModuleNotFoundError)}


class Outcome(NamedTuple):
    """What came of the jobs."""
    made: int
    failures: dict  # name of a job -> what went wrong, str
    seconds: float


def run_jobs(function, jobs, total, workers, what='Making masks', preload=(), write=None):
    """Call a function on every job in several processes, and show how far it is.

    Args:
        function (Callable): called with the elements of a job; it and its results are pickled. Its
            method ``files_of(job)``, if it has one, lists the files that the call reads.
        jobs (Iterable[NamedTuple]): arguments of the calls, each with a ``name``; without
            ``files_of``, its fields whose names end in ``_path`` are the files. A job is fetched
            when a process is free, so a generator never runs ahead.
        total (int): number of jobs.
        workers (int): processes.
        what (str): what is being done, for the progress bar.
        preload (Sequence[str]): modules to import once for all processes; without any, that of
            `function`.
        write (Callable, optional): called in this process with each job and its result.

    Returns:
        Outcome: a job has failed where `function` or `write` raised an error.

    Raises:
        DiskFullError, ReadOnlyError: no file can be written, so every further job would fail.
        ImportError: a library is missing, which is the fault of no single job.
    """
    begin, made, failures = time.perf_counter(), 0, {}
    if not total:
        return Outcome(0, {}, 0.)
    preload = list(preload) or [type(function).__module__]
    with WorkerPool(function, min(workers, total), preload) as pool:
        for job, result in track(pool.run(jobs), what, total=total):
            if not isinstance(result, Failure) and write is not None:
                try:
                    write(job, result)
                except (DiskFullError, ReadOnlyError):
                    raise
                except (OSError, ValueError) as error:  # such as a name outside the folder
                    result = Failure(type(error).__name__, str(error))
            if not isinstance(result, Failure):
                made += 1
            elif result.kind in _FINAL:
                raise _FINAL[result.kind](result.message)
            else:
                files = [] if result.kind else _files(function, job)  # errors name them themselves
                failures[job.name] = ': '.join([*files, result.message])
    return Outcome(made, failures, time.perf_counter() - begin)


def _files(function, job):
    """The files that a job reads, in one text; none or one."""
    if hasattr(function, 'files_of'):
        paths = function.files_of(job)
    else:
        paths = [value for key, value in job._asdict().items() if key.endswith('_path')]
    return [', '.join(path for path in paths if path)] if any(paths) else []
