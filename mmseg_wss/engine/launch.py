"""Start several processes of a run, with or without GPUs."""
import atexit
import ctypes
import os
import signal
import sys
import time

import torch
import torch.distributed as dist
from mmengine.dist import broadcast_object_list, init_dist, is_distributed, is_main_process
from mmengine.utils.dl_utils import set_multi_processing

_PR_SET_PDEATHSIG = 1  # of prctl(2)


def die_with_parent():
    """End this process when the one that started it does (Linux).

    torchrun ends its processes when it ends; killed, it cannot, and they would train on.
    """
    if sys.platform == 'linux':
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended just before
            os.kill(os.getpid(), signal.SIGKILL)


def init_cpu_processes(cfg, launcher):
    """Let the processes of torchrun or SLURM talk over gloo where there is no GPU.

    mmengine would choose a GPU for each process and fail. It uses a process group that is there
    already, so it is made here, and the wrapper is told not to look for devices. With a GPU, or
    with ``launcher='none'``, nothing is done.

    Args:
        cfg (Config): the run's config; model_wrapper_cfg is set.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.

    Raises:
        RuntimeError: 'mpi' without a GPU.
    """
    if launcher == 'none' or torch.cuda.is_available():
        return
    if launcher == 'slurm':  # one process a task: the names that torchrun would set
        for name, slurm in (('RANK', 'SLURM_PROCID'), ('WORLD_SIZE', 'SLURM_NTASKS'),
                            ('LOCAL_RANK', 'SLURM_LOCALID')):
            os.environ[name] = os.environ[slurm]
        address = os.environ.get('SLURM_LAUNCH_NODE_IPADDR', '127.0.0.1')
        os.environ.setdefault('MASTER_ADDR', address)
        os.environ.setdefault('MASTER_PORT', '29500')
    elif launcher == 'mpi':
        raise RuntimeError('--launcher mpi needs GPUs; without one use --launcher pytorch '
                           '(tools/dist_train.sh).')
    if not dist.is_initialized():
        dist.init_process_group('gloo')
        atexit.register(_leave_process_group)
    cfg.model_wrapper_cfg = dict(
        cfg.get('model_wrapper_cfg') or {}, type='MMDistributedDataParallel', device_ids=None,
        broadcast_buffers=False, find_unused_parameters=cfg.get('find_unused_parameters', False))


def start_processes(cfg):
    """Let the processes know each other as the runner would, but ahead of it: they share a plan.

    Args:
        cfg (Config): with its launcher (`read_run_config`).
    """
    if cfg.launcher == 'pytorch':
        die_with_parent()
    init_cpu_processes(cfg, cfg.launcher)
    if cfg.launcher != 'none' and not is_distributed():
        env_cfg = cfg.get('env_cfg', {})
        set_multi_processing(**env_cfg.get('mp_cfg', {}), distributed=True)
        init_dist(cfg.launcher, **env_cfg.get('dist_cfg', {}))


def from_main_process(function):
    """What `function` returns in the main process; where it raises, all processes end."""
    outcome = [None]
    try:
        if is_main_process():
            outcome = [function()]
    finally:
        broadcast_object_list(outcome)
    if outcome[0] is None:
        sys.exit(1)  # the main process says why
    return outcome[0]


def _leave_process_group():
    """Leave gloo while the interpreter still runs.

    A thread of gloo that lets go of its last tensor takes the GIL for it, and aborts the process
    ('terminate called without an active exception') if the interpreter is ending by then
    (pytorch/pytorch#179291). DDP keeps the group and its threads alive beyond its destruction,
    so they are given the GIL for a moment, far longer than a thread waits for a busy core.
    """
    if dist.is_initialized():
        dist.destroy_process_group()
    time.sleep(.5)
