"""Mean-field inference on the CPU, by Numba."""
from functools import partial

import torch

from mmseg_wss.ops.permutohedral import filter_kernels
from mmseg_wss.ops.permutohedral.numba_lattice import CHANNELS, for_each_image
from mmseg_wss.ops.permutohedral.registers import LANES


def numba_mean_field(unary, lattices, iterations):
    """As `mean_field`, with the slice, the softmax and the next splat of a pixel in one go.

    Args:
        unary (Tensor): float32 (N, S, K, n).
        lattices (Sequence[NumbaLattice]): of N images each, or of one that stands for all.
        iterations (int): at least 0.
    """
    marginals = torch.empty_like(unary, memory_format=torch.contiguous_format)
    unary, results = unary.contiguous().numpy(), marginals.numpy()
    sets, classes = unary.shape[1:3]
    unit = LANES // 2 if sets > 1 and classes <= LANES // 2 else LANES  # two share a register
    length = -(-classes // unit) * unit
    together = max(1, CHANNELS // length)

    def infer(i, run):
        images = [lattice.images[i % len(lattice.images)] for lattice in lattices]
        for s in range(0, sets, together):
            _infer(unary[i, s:s + together], length, images, iterations,
                   results[i, s:s + together], run)

    for_each_image(infer, len(unary))
    return marginals


def _infer(unary, length, lattices, iterations, marginals, run):
    """Fill marginals (S, K, n), for the `ImageLattice`s of one image."""
    bands = lattices[0].bands
    pairs = [lattice.make_buffers(len(unary) * length) for lattice in lattices]
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
                filter_kernels.update, *band, unary, length, width, views, first, last, marginals))
        run(tasks)
        if not last:
            pairs = [lattice.blur(rows, other, False, run)
                     for lattice, (other, rows) in zip(lattices, pairs)]
