"""Run a command of which nothing outlives the process that asked for it, whatever ends that one.

A process that gets SIGKILL cannot end its children. So a small process (this file as a script) sits
between: it starts the command and holds the reading end of a pipe, the lifeline, whose other end
only the caller has open. The system closes that when the caller is gone, for whatever reason; then
the small process ends the command, its children, and theirs (workers of data loaders, processes of
torchrun in sessions of their own).
"""
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_GRACE = 3.  # seconds between SIGTERM and SIGKILL


def run_supervised(command, log, lock, environment=None):
    """Run a command to its end; what it prints goes to the terminal and into a file.

    Args:
        command (Sequence[str]): the arguments.
        log (BinaryIO): open for writing.
        lock (int): a file descriptor that the command shall hold, too; see `folder_lock`.
        environment (dict, optional): of the command.

    Returns:
        int: the exit code; 128 + the number of the signal that ended it.
    """
    reading, lifeline = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, '-I', '-S', __file__, str(reading), *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=environment, pass_fds=(reading, lock), start_new_session=True)
    except BaseException:
        os.close(lifeline)
        raise
    finally:
        os.close(reading)
    with process.stdout:
        try:
            for text in iter(lambda: os.read(process.stdout.fileno(), 1 << 16), b''):
                for file in (log, sys.stdout.buffer):
                    file.write(text)
                    file.flush()
        finally:
            os.close(lifeline)  # if it is still running (Ctrl-C, SIGTERM), this ends it
            code = process.wait()
    return code


# ---- the small process

def main():
    lifeline, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(lifeline, False)
    if sys.platform == 'linux':  # orphans among the descendants become children of this process
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # close_fds=False: the lock is inherited
    child = subprocess.Popen(command, close_fds=False)
    threading.Thread(target=_end_with, args=(lifeline, ), daemon=True).start()
    try:
        code = child.wait()
    finally:
        end_descendants()
    sys.exit(code if code >= 0 else 128 - code)


def _end_with(lifeline):
    os.read(lifeline, 1)  # returns when the other end is closed: nobody writes
    end_descendants()
    os._exit(1)


def end_descendants():
    """End all descendants of this process: SIGTERM, and SIGKILL to what stays."""
    deadline, told = time.monotonic() + _GRACE, set()
    while True:
        family = descendants(os.getpid())
        if not family:
            return
        late = time.monotonic() > deadline
        for pid in family if late else family - told:
            try:
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
            except ProcessLookupError:
                pass
        told |= family
        _reap()
        time.sleep(0.02)


def _reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def descendants(pid):
    """Process ids of the children of a process, their children, ...; zombies among them.

    Returns:
        set[int]: without `pid`.
    """
    children = {}
    for line in _process_table():
        child, parent = map(int, line)
        children.setdefault(parent, []).append(child)
    found, new = set(), [pid]
    while new:
        new = [child for parent in new for child in children.get(parent, ())]
        found.update(new)
    return found


def _process_table():
    """(pid, parent's pid) of all processes."""
    if sys.platform != 'linux':
        with subprocess.Popen(['ps', '-A', '-o', 'pid=,ppid='], stdout=subprocess.PIPE) as ps:
            rows = [line.split() for line in ps.stdout]
        return [row for row in rows if int(row[0]) != ps.pid]
    table = []
    for path in Path('/proc').glob('[0-9]*/stat'):
        try:  # "pid (name) state ppid ...", and the name may hold anything
            table.append((path.parent.name, path.read_text().rpartition(')')[2].split()[1]))
        except (FileNotFoundError, ProcessLookupError):
            pass  # it ended
    return table


if __name__ == '__main__':
    main()
