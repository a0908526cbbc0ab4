"""Commands side by side, and the time and memory that each took."""
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from mmseg_wss.engine.launch import die_with_parent

_GRACE = 3.  # seconds between SIGTERM and SIGKILL
_KILOBYTE = 1024 if sys.platform == 'linux' else 1  # ru_maxrss counts in these


class Command(NamedTuple):
    """What shall be run."""
    name: str
    arguments: list
    output: str = None  # the file that gets what it prints; None: the terminal


class Ended(NamedTuple):
    """What came of a command."""
    name: str
    code: int  # exit code; minus the number of the signal that ended it
    seconds: float
    megabytes: float  # the most that one of its processes had in memory; None: not known


def run_side_by_side(commands, at_a_time, environment=None):
    """Run commands, and tell of each when it has ended.

    None of them outlives this process, however that ends (on Linux), nor the loop over the results.

    Args:
        commands (Iterable[Command]): one is fetched when there is room for it.
        at_a_time (int): how many run at the same time.
        environment (dict, optional): of all of them.

    Yields:
        Ended: in the order in which they end.
    """
    commands, running = iter(commands), []
    try:
        while True:
            while len(running) < at_a_time and (command := next(commands, None)) is not None:
                running.append((command, _start(command, environment), time.monotonic()))
            if not running:
                return
            for job in list(running):
                command, process, begin = job
                ended, megabytes = _look(process)
                if ended:
                    running.remove(job)
                    yield Ended(command.name, process.returncode, time.monotonic() - begin,
                                megabytes)
            time.sleep(0.05)
    finally:
        _end([process for _, process, _ in running])


def _start(command, environment):
    if command.output:
        Path(command.output).parent.mkdir(parents=True, exist_ok=True)
    with open(command.output, 'ab') if command.output else nullcontext() as output:
        return subprocess.Popen(
            command.arguments, env=environment, stdout=output,
            stderr=subprocess.STDOUT if output else None,
            preexec_fn=die_with_parent if os.name == 'posix' else None)


def _look(process):
    """Whether a process has ended, and then its memory in megabytes."""
    if not hasattr(os, 'wait4'):  # Windows
        return process.poll() is not None, None
    pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    if not pid:
        return False, None
    process.returncode = os.waitstatus_to_exitcode(status)
    return True, usage.ru_maxrss * _KILOBYTE / 2 ** 20


def _end(processes):
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _GRACE
    for process in processes:
        try:
            process.wait(max(0., deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
