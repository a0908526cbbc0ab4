"""One thread in each process, the tools, and the reference data that lies beside a checkout."""
import errno
import os
import runpy
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from plain_configs import leave_configs_unformatted

# two processes of tests share two cores, and many start more; read when torch is imported
os.environ.setdefault('OMP_NUM_THREADS', '1')


leave_configs_unformatted()


def pytest_collection_finish():
    """Where a test starts processes, have the libraries loaded for all of them."""
    if 'warm_process' in sys.modules:
        sys.modules['warm_process'].start_server()


@pytest.fixture
def run_tool(monkeypatch, capsys):
    """A function that runs a file of tools/ as from the command line.

    It returns the exit code, and the error if the tool ended by one, else what it printed.
    """
    def run(name, *args):
        path = str(Path(__file__).parents[1] / 'tools' / name)
        monkeypatch.setattr(sys, 'argv', [path, *map(str, args)])
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            with pytest.raises(SystemExit) as stop:
                runpy.run_path(path, run_name='__main__')
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        code, printed = stop.value.code, capsys.readouterr()
        if isinstance(code, str):  # sys.exit('message')
            return 1, code
        return int(code), printed.err if code == 2 else printed.out

    return run


@pytest.fixture
def full_disk(monkeypatch):
    """A context: after so many files the disk takes no more; it yields how many more would fit."""
    @contextmanager
    def full(files, number=errno.ENOSPC):
        left = [files]

        def fsync(_):
            left[0] -= 1
            if left[0] < 0:
                raise OSError(number, os.strerror(number))
        with monkeypatch.context() as patch:
            patch.setattr(os, 'fsync', fsync)
            yield left

    return full


@pytest.fixture
def read_only():
    """A folder in which no user may make a folder, root among them (Linux has one)."""
    folder = Path('/sys/kernel')
    if not folder.is_dir():
        pytest.skip('this system has no folder that root cannot write to')
    return folder


@pytest.fixture
def ctrl_c():
    """Ctrl-C after the first image of the first run of a tool."""
    with pytest.MonkeyPatch.context() as patch:
        def stop(results, *args, **kwargs):
            patch.undo()
            yield next(results)
            raise KeyboardInterrupt

        patch.setattr('mmseg_wss.utils.jobs.track', stop)
        yield


@pytest.fixture
def shared():
    """A function that gives a folder of reference data, and skips the test where it is absent."""
    def find(name, variable, what):
        folder = Path(os.environ.get(variable, Path(__file__).parents[2] / 'shared' / name))
        if not folder.is_dir():
            pytest.skip(f'{what} are not here: set {variable} to their folder')
        return folder
    return find


@pytest.fixture
def msrc(shared):
    """The 494 photographs of MSRC in VOC layout."""
    return shared('data/msrc', 'MSRC_ROOT', 'the MSRC photographs')


@pytest.fixture
def oracles(shared):
    """What the released code of RRM computes."""
    return shared('oracles', 'WSS_ORACLES', "results of RRM's code")
