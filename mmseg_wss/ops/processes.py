"""Single-threaded processes for inference on CPUs."""
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait

import torch


def make_executor(num_workers):
    """A ``ProcessPoolExecutor`` whose processes have one thread each and ignore Ctrl-C.

    They end with this process, killed or not; otherwise they would wait for work for ever.

    Args:
        num_workers (int): processes; they start with the first job.
    """
    # not 'fork': this process has threads, whose locks a copy would inherit
    return ProcessPoolExecutor(num_workers, multiprocessing.get_context('spawn'), _become_worker)


def _become_worker():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent():
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
