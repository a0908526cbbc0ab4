"""How kernels are compiled.

Kernels that call one another, and the constants they share, stay together in one file: to see
whether machine code on disk is stale, Numba looks at the file of the outermost kernel only.
"""
import numba


def jit(function):
    """Compile for threads, and keep the machine code on disk.

    Multiplications and additions are fused; sums keep their order, and NaN stays NaN.
    """
    return _compile(function, {'contract'})


def jit_reordering(function):
    """As `jit`, but the sum of a row may be added up in any order, in several lanes."""
    return _compile(function, {'contract', 'reassoc', 'nsz', 'nnan'})


def _compile(function, fastmath):
    options = dict(nogil=True, fastmath=fastmath, error_model='numpy')
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder may be written: compile anew in every process
        return numba.njit(**options)(function)
