"""Mean-field inference on the CPU, by Numba."""
from functools import partial

import torch

from mmseg_wss.ops.permutohedral import filter_kernels
from mmseg_wss.ops.permutohedral.numba_lattice import for_each_image


def numba_mean_field(unary, lattices, iterations):
    """As `mean_field`, with the slice, the softmax and the next splat of a pixel in one go.

    Args:
        unary (Tensor): float32 (N, K, n).
        lattices (Sequence[NumbaLattice]): of N images each, or of one that stands for all.
        iterations (int): at least 0.
    """
    marginals = torch.empty_like(unary, memory_format=torch.contiguous_format)
    unary, results = unary.contiguous().numpy(), marginals.numpy()

    def infer(i, run):
        _infer(unary[i], [lattice.images[i % len(lattice.images)] for lattice in lattices],
               iterations, results[i], run)

    for_each_image(infer, len(unary))
    return marginals


def _infer(unary, lattices, iterations, marginals, run):
    """Fill marginals (K, n), for the `ImageLattice`s of one image."""
    bands = lattices[0].bands
    pairs = [lattice.make_buffers(len(unary)) for lattice in lattices]
    width = pairs[0].shape[2]
    for iteration in range(iterations + 1):
        first, last = iteration == 0, iteration == iterations
        tasks = []
        for i, band in enumerate(bands):
            views = tuple(
                (lattice.index, lattice.slice_weight, lattice.factor,
                 lattice.numbers[lattice.rows[i]], vertices, lattice.splat_weight,
                 free[lattice.rows[i]])
                for lattice, (vertices, free) in zip(lattices, pairs))
            tasks.append(partial(
                filter_kernels.update, *band, unary, width, views, first, last, marginals))
        run(tasks)
        if not last:
            pairs = [lattice.blur(rows, other, False, run)
                     for lattice, (other, rows) in zip(lattices, pairs)]
