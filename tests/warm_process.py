"""Scripts in processes that have the libraries loaded: what takes a fresh one seconds."""
import atexit
import multiprocessing
import os
import runpy
import signal
import sys
import tempfile
import time
from multiprocessing import forkserver
from pathlib import Path

from plain_configs import leave_configs_unformatted

from mmseg_wss.engine.side_by_side import Ended

PROCESSES = multiprocessing.get_context('forkserver')


def start_server():
    """Start the process that imports everything once.

    The scripts are its children, free of pytest's threads. The first one to start it says what it
    imports, so this comes ahead of all tests: a tool's worker processes are its children, too.
    """
    PROCESSES.set_forkserver_preload([
        'matplotlib.pyplot', 'mmengine.runner', 'mmseg.apis', 'mmseg.datasets', 'mmseg.models',
        'mmseg_wss.datasets', 'mmseg_wss.engine', 'mmseg_wss.evaluation', 'mmseg_wss.models'])
    forkserver.ensure_running()


def run_script(path, arguments, environment, output, seconds):
    """Run a Python file as ``python PATH ARGUMENTS`` does.

    Args:
        path (str): the file.
        arguments (Sequence[str]): for it.
        environment (dict): all variables; what a library reads as it is loaded has no effect.
        output (Path): a file that gets stdout and stderr.
        seconds (float): the time it may take.

    Returns:
        int or None: the exit code; None where the time was over, and the process was killed.
    """
    process = PROCESSES.Process(
        target=_script, args=(path, list(arguments), environment, os.getcwd(), str(output)))
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        return None
    return process.exitcode


def run_one_by_one(commands, at_a_time, environment=None):
    """In place of `run_side_by_side`, for scripts that load the libraries."""
    for command in commands:
        begin = time.monotonic()
        code = _run_and_print(command.arguments, environment)
        yield Ended(command.name, code, time.monotonic() - begin, None)


def run_unsupervised(command, log, lock, environment=None):
    """In place of `run_supervised`, for scripts that load the libraries."""
    return _run_and_print(command, environment)


def _run_and_print(command, environment):
    _, script, *arguments = command
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, 'output')
        code = run_script(script, arguments, dict(environment or os.environ), output, 900)
        print(output.read_text(), flush=True)
    return code


def _script(path, arguments, environment, folder, output):
    leave_configs_unformatted()
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with open(output, 'wb') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [path, *arguments]
    sys.path[:0] = [str(Path(path).parent), *filter(None, environment.get(
        'PYTHONPATH', '').split(os.pathsep))]
    try:
        runpy.run_path(path, run_name='__main__')
    finally:  # a child of a fork leaves without them
        atexit._run_exitfuncs()
