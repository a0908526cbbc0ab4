"""Processes without a GPU: how they end."""
import sys

from tiny_run import finish, free_port

SCRIPT = """
import threading, time
from mmengine.config import Config
from mmseg_wss.engine.launch import init_cpu_processes

init_cpu_processes(Config(), 'pytorch')

def let_go():
    time.sleep(.1)
    print('let go')

threading.Thread(target=let_go, daemon=True).start()
"""


def test_threads_of_gloo_get_the_interpreter_before_it_ends():
    # a Python thread in the place of gloo's: as late as a busy machine makes it
    printed = finish(sys.executable, '-c', SCRIPT, RANK='0', WORLD_SIZE='1', LOCAL_RANK='0',
                     MASTER_ADDR='127.0.0.1', MASTER_PORT=free_port())
    assert 'let go' in printed
