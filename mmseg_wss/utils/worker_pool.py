"""Single-threaded processes that share out independent jobs."""
import multiprocessing
import os
import signal
import sys
import traceback
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from typing import NamedTuple

_THREAD_COUNTS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS',
                  'OPENCV_FOR_THREADS_NUM')  # for what is imported later


class Failure(NamedTuple):
    """Why a job has no result."""
    kind: str  # name of the exception's class, '' where the process died
    message: str  # one line


class WorkerPool:
    """Processes that call a function, each with one thread, each on one job at a time.

    As ``multiprocessing.Pool`` and ``concurrent.futures`` it shares out jobs, but each process has
    a pipe of its own: one that is killed (out of memory) costs its job alone and is replaced, and
    when this process dies, the others see the end of their pipe and leave too.

    Use it as a context manager; on leaving it, the processes are killed.

    Args:
        function (Callable): called with the elements of a job; it and its results are pickled.
        num_workers (int): processes.
        preload (Sequence[str]): modules to import once for all processes, before they start.

    Raises:
        RuntimeError: a process ends before it could take a job; its own error is on stderr.
        ValueError: `num_workers` below 1.
    """

    def __init__(self, function, num_workers, preload=()):
        if num_workers < 1:
            raise ValueError(f'num_workers must be at least 1, got {num_workers}.')
        self._function = function
        # Not 'fork': it would copy the threads' locks of this process (torch, the progress bar)
        # but not the threads, and every process would hold the pipes of the earlier ones open.
        server = 'forkserver' in multiprocessing.get_all_start_methods()
        self._context = multiprocessing.get_context('forkserver' if server else 'spawn')
        if server:
            self._context.set_forkserver_preload(list(preload))
        self._workers = {}  # connection -> process
        try:
            for connection in [self._start() for _ in range(num_workers)]:
                self._see_ready(connection)
        except BaseException:  # KeyboardInterrupt too; it is raised again
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Kill the processes, with whatever they work on."""
        for process in self._workers.values():
            process.kill()
        for connection, process in self._workers.items():
            process.join()
            connection.close()
        self._workers = {}

    def run(self, jobs):
        """Call the function on every job.

        Args:
            jobs (Iterable[tuple]): arguments of the calls; a job is fetched when a process is free.

        Yields:
            tuple: the job, and what the function returned, or a `Failure` where it raised; in the
            order in which they are completed.
        """
        jobs = iter(jobs)
        busy = {}

        def feed(connection):
            for job in jobs:
                busy[connection] = job
                with suppress(ConnectionError):  # it died: seen at once below
                    connection.send(job)
                return

        for connection in list(self._workers):
            feed(connection)
        while busy:
            for connection in wait(list(busy)):
                job = busy.pop(connection)
                try:
                    result = connection.recv()
                except (EOFError, ConnectionError):
                    result, connection = self._replace(connection)
                feed(connection)
                yield job, result

    def _start(self):
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_serve, args=(theirs, self._function), daemon=True)
        with _single_threaded_children():
            process.start()
        theirs.close()  # so that its end is seen here when the process dies
        self._workers[ours] = process
        return ours

    def _see_ready(self, connection):
        try:
            connection.recv()
        except (EOFError, ConnectionError) as error:
            raise RuntimeError('a worker process ended while it started; what it wrote to stderr '
                               'says why.') from error

    def _replace(self, connection):
        process = self._workers.pop(connection)
        connection.close()
        process.join()
        failure = Failure('', _death(process.exitcode))
        connection = self._start()
        self._see_ready(connection)
        return failure, connection


def _serve(connection, function):
    """The life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent decides
    # again: a fork server that somebody else started has the environment of then
    os.environ.update(dict.fromkeys(_THREAD_COUNTS, '1'))
    if 'cv2' in sys.modules:
        sys.modules['cv2'].setNumThreads(0)
    if 'torch' in sys.modules:
        sys.modules['torch'].set_num_threads(1)
    try:
        connection.send('ready')
        while True:
            job = connection.recv()
            try:
                result = function(*job)
            except Exception as error:
                result = _failure(error)
            connection.send(result)
    except (EOFError, ConnectionError):
        return  # the parent is gone


def _death(code):
    """Words for the end of a process that was working on a job."""
    if code == -signal.SIGKILL:
        return (f'the worker process died (exit code {code}: it was killed). If memory ran out, '
                'use fewer workers.')
    names = {-number: number.name for number in signal.Signals}
    if code in names:
        return (f'the worker process died (exit code {code}: {names[code]}). A library crashed, as '
                'some do on a damaged file. Take the files of this image from their source again, '
                'or remove it from the list.')
    return f'the worker process died (exit code {code}). What it wrote to stderr says why.'


def _failure(error):
    kind = type(error).__name__
    message = ' '.join(str(error).split())
    if not isinstance(error, (ImportError, OSError, ValueError)):  # not written for users
        place = traceback.extract_tb(error.__traceback__)[-1]
        message = f'{kind}: {message} ({os.path.basename(place.filename)}:{place.lineno})'
    return Failure(kind, message)


@contextmanager
def _single_threaded_children():
    """Processes that are started inside see the environment variables for one thread."""
    before = {name: os.environ.get(name) for name in _THREAD_COUNTS}
    os.environ.update(dict.fromkeys(_THREAD_COUNTS, '1'))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
