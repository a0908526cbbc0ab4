"""Single-threaded processes for inference on CPUs."""
import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor

import torch


def make_executor(num_workers):
    """A ``ProcessPoolExecutor`` whose processes have one thread each and ignore Ctrl-C.

    Args:
        num_workers (int): processes; they start with the first job.
    """
    # not 'fork': this process has threads, whose locks a copy would inherit
    return ProcessPoolExecutor(num_workers, multiprocessing.get_context('spawn'), _become_worker)


def _become_worker():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
