"""Start, kill and finish commands whose processes are many: what the kill_*.py have in common."""
import os
import shutil
import signal
import subprocess
from pathlib import Path


def empty_folder(path):
    """Make a folder anew; returns it as a Path."""
    shutil.rmtree(path, ignore_errors=True)
    Path(path).mkdir(parents=True)
    return Path(path)


def start(command, log):
    """Start a command in a session of its own, so that a signal reaches all its processes."""
    with open(log, 'a') as file:
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT,
                                start_new_session=True)


def kill(process):
    """SIGKILL to all processes of a command; returns whether it was still running."""
    running = process.poll() is None
    if running:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return running


def finish(process, log):
    """Wait for the end of a command, which must be a good one."""
    if process.wait():
        raise SystemExit(f'the command failed with exit code {process.returncode}: see {log}')
