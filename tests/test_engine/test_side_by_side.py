import os
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest
from tiny_run import environment, is_running, wait_for, wait_for_the_end_of

from mmseg_wss.engine.side_by_side import Command, run_side_by_side


def python(name, code, output=None):
    return Command(name, [sys.executable, '-I', '-S', '-c', code], output)


def test_commands_run_side_by_side_and_are_fetched_late(tmp_path):
    meet = ('import pathlib, sys, time\n'
            'pathlib.Path({mine!r}).touch()\n'
            'while not pathlib.Path({other!r}).exists(): time.sleep(.01)\n'
            'print("met"); sys.exit({code})')
    one, two = str(tmp_path / 'one'), str(tmp_path / 'two')
    fetched = []

    def commands():
        for name, mine, other, code in (('a', one, two, 3), ('b', two, one, 0), ('c', one, one, 0)):
            fetched.append(name)
            yield python(name, meet.format(mine=mine, other=other, code=code),
                         str(tmp_path / f'logs/{name}.txt'))
    ended = {}
    for one_ended in run_side_by_side(commands(), 2):
        if not ended:
            assert fetched == ['a', 'b']
        ended[one_ended.name] = one_ended
    assert {name: end.code for name, end in ended.items()} == dict(a=3, b=0, c=0)
    assert (tmp_path / 'logs/c.txt').read_text() == 'met\n'
    assert all(0 < end.seconds < 300 for end in ended.values())


@pytest.mark.skipif(not hasattr(os, 'wait4'), reason='the system does not tell the memory')
def test_the_memory_and_the_signal_of_a_command_are_told():
    size = 1500  # more than this process has, which a new process begins with
    (big, ) = run_side_by_side([python('big', f'text = b"x" * ({size} << 20)')], 1)
    assert size < big.megabytes < size + 300
    (killed, ) = run_side_by_side(
        [python('killed', 'import os, signal; os.kill(os.getpid(), signal.SIGKILL)')], 1)
    assert killed.code == -signal.SIGKILL


def test_nothing_runs_on_after_the_loop():
    begin = time.monotonic()
    with closing(run_side_by_side(
            [python('short', ''), python('long', 'import time; time.sleep(600)')], 2)) as all_ended:
        assert next(all_ended).name == 'short'
    assert time.monotonic() - begin < 300


@pytest.mark.skipif(sys.platform != 'linux', reason='no such signal there')
def test_nothing_runs_on_where_this_process_is_killed(tmp_path):
    pid = tmp_path / 'pid'
    child = f'import os, time; open({str(pid)!r}, "w").write(str(os.getpid())); time.sleep(600)'
    parent = subprocess.Popen([
        sys.executable, '-c', 'import sys; from mmseg_wss.engine.side_by_side import *\n'
        f'list(run_side_by_side([Command("x", [sys.executable, "-c", {child!r}])], 1))'],
        env=environment())
    wait_for(lambda: pid.exists() and pid.read_text())
    parent.kill()
    parent.wait()
    wait_for_the_end_of([pid.read_text()])
    assert not is_running(pid.read_text())
