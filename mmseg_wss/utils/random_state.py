"""The random states of a process: python, numpy, torch and CUDA."""
import random
from contextlib import contextmanager

import numpy as np
import torch


def get_random_state():
    """Read the states of the global generators of this process.

    Returns:
        dict: 'python', 'numpy' and 'torch' (CPU), and 'cuda', a list with the state of each device
        (empty when CUDA is not initialised). Made of plain types and tensors, so that
        ``torch.load(weights_only=True)`` accepts it.
    """
    version, words, gauss = random.getstate()
    algorithm, keys, position, has_gauss, cached_gaussian = np.random.get_state()
    return dict(
        python=dict(version=version, words=torch.tensor(words), gauss=gauss),
        numpy=dict(algorithm=str(algorithm), keys=torch.from_numpy(keys.astype(np.int64)),
                   position=int(position), has_gauss=int(has_gauss),
                   cached_gaussian=float(cached_gaussian)),
        torch=torch.get_rng_state(),
        cuda=torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [])


def set_random_state(state):
    """Put back the states that `get_random_state` read.

    CUDA states go to the devices of the same numbers; where CUDA is not initialised, or has fewer
    devices than the state, the rest is left out. The tensors may lie on any device.

    Args:
        state (dict): from `get_random_state`, in this process or another.
    """
    python, numpy = state['python'], state['numpy']
    random.setstate((python['version'], tuple(python['words'].tolist()), python['gauss']))
    np.random.set_state((numpy['algorithm'], numpy['keys'].cpu().numpy().astype(np.uint32),
                         numpy['position'], numpy['has_gauss'], numpy['cached_gaussian']))
    torch.set_rng_state(state['torch'].cpu())
    if torch.cuda.is_initialized():
        for device, cuda in zip(range(torch.cuda.device_count()), state['cuda']):
            torch.cuda.set_rng_state(cuda.cpu(), device)


@contextmanager
def seeded(seed):
    """Seed python, numpy and torch's CPU generator for the body; put the old states back on exit.

    CUDA generators are neither seeded nor read. It takes 0.1 to 0.3 ms
    (benchmarks/benchmark_loading.py), little enough to be used for every sample.

    Args:
        seed (int): 0 <= seed < 2**32.

    Raises:
        ValueError: `seed` is out of range.
    """
    # As they are, without the conversions of `get_random_state`: these states go nowhere.
    old_python, old_numpy = random.getstate(), np.random.get_state()
    old_torch = torch.default_generator.get_state()
    try:
        np.random.seed(seed)
        random.seed(seed)
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would touch CUDA too
        yield
    finally:
        random.setstate(old_python)
        np.random.set_state(old_numpy)
        torch.default_generator.set_state(old_torch)
