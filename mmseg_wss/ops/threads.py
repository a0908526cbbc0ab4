"""Threads for compiled code that releases the interpreter's lock."""
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import torch

_executors = {}  # number of threads -> executor


def run_in_threads(tasks):
    """Call functions without arguments, in ``torch.get_num_threads()`` threads.

    The calling thread works too. A task may itself call `run_in_threads`, and several threads may
    do so at a time: a call waits only for tasks that a thread has begun.

    Args:
        tasks (Iterable[Callable]): independent of one another; begun in this order.

    Raises:
        Exception: the first one that a task raised.
    """
    tasks = deque(tasks)
    helpers = min(torch.get_num_threads(), len(tasks)) - 1
    futures = [_executor(helpers).submit(_work_off, tasks) for _ in range(helpers)]
    try:
        _work_off(tasks)
    finally:
        tasks.clear()
        running = [future for future in futures if not future.cancel()]
        for future in running:
            future.exception()  # waits
    for future in running:
        future.result()


def run_in_turn(tasks):
    """Call functions without arguments, one after another."""
    for task in tasks:
        task()


def _work_off(tasks):
    while True:
        try:
            task = tasks.popleft()
        except IndexError:
            return
        task()


def _executor(threads):
    if threads not in _executors:
        _executors[threads] = ThreadPoolExecutor(threads, thread_name_prefix='mmseg_wss.ops')
    return _executors[threads]


# a forked process has the executors but not their threads
if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_executors.clear)
