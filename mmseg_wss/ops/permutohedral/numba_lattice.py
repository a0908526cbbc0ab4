"""The permutohedral lattice on the CPU, by Numba."""
from functools import partial

import numpy as np
import torch

from mmseg_wss.ops.permutohedral import build_kernels, filter_kernels
from mmseg_wss.ops.permutohedral.geometry import EPS, gain, key_layout, scales
from mmseg_wss.ops.permutohedral.registers import LANES
from mmseg_wss.ops.threads import run_in_threads, run_in_turn

BAND = 1 << 14  # pixels; the sums at the vertices around them stay in the second cache
CHANNELS = 32  # filtered in one pass
GRAIN = 1 << 16  # numbers that are worth a thread of their own


class NumbaLattice:
    """A Gaussian filter between the points of each image; see `permutohedral_lattice`."""

    def __init__(self, features):
        features = features.numpy()
        self.number = len(features)
        self.images = [None] * self.number

        def build(i, run):
            self.images[i] = ImageLattice(features[i], run)

        for_each_image(build, self.number)

    def __call__(self, values, reverse=False):
        out = torch.empty_like(values, memory_format=torch.contiguous_format)
        values, results = values.contiguous().numpy(), out.numpy()

        def apply(i, run):
            self.images[i].apply(values[i], results[i], reverse, run)

        for_each_image(apply, self.number)
        return out

    def normalized(self, symmetric, factor):
        lattice = object.__new__(type(self))
        lattice.number, lattice.images = self.number, [None] * self.number

        def normalize(i, run):
            lattice.images[i] = self.images[i].normalized(symmetric, factor, run)

        for_each_image(normalize, self.number)
        return lattice


class ImageLattice:
    """The lattice of one image.

    The pixels are cut into bands, each with rows of its own for its vertices, so that bands can be
    embedded and splatted side by side; the rows of a vertex that several bands have are added up
    before the blur. The bands depend on the number of pixels only, so the results do not depend on
    the number of threads.

    Args:
        features (np.ndarray): float32 (D, n).
        run (Callable): `run_in_threads` or `run_in_turn`.

    Attributes:
        bands (list[tuple]): first pixel and end of each band.
        rows (list[slice]): the rows of each band among those of all bands.
        index (np.ndarray): int32 (n, D + 1), row of each vertex among those of its band.
        splat_weight, slice_weight (np.ndarray): float32 (n, D + 1).
        factor (np.float32): multiplies what is sliced.
        numbers (np.ndarray): int32 (M, ), the vertex of each row of all bands.
        m (int): number of vertices.
        neighbours (np.ndarray): int32 (D + 1, m, 2), see `build_kernels.find_neighbours`.
    """

    def __init__(self, features, run):
        dimension, n = features.shape
        layout = key_layout(features.min(1).tolist(), features.max(1).tolist())
        self.index = np.empty((n, dimension + 1), np.int32)
        self.splat_weight = self.slice_weight = np.empty((n, dimension + 1), np.float32)
        self.factor = np.float32(gain(dimension))
        self.bands = _cut(n, BAND, build_kernels.BLOCK)
        keys = [None] * len(self.bands)

        def build(i):
            keys[i] = build_kernels.build_band(
                features, *self.bands[i], np.array(scales(dimension), np.float32),
                np.array(layout.strides), layout.ones, layout.origin, self.index,
                self.splat_weight)

        run([partial(build, i) for i in range(len(keys))])
        ends = np.cumsum([len(band_keys) for band_keys in keys])
        self.rows = [slice(end - len(band_keys), end) for band_keys, end in zip(keys, ends)]
        self.numbers, keys, table, shift = build_kernels.merge_keys(np.concatenate(keys))
        self.m = len(keys)
        self.starts, self.places = build_kernels.group(self.numbers, self.m)
        self.neighbours = np.empty((dimension + 1, self.m, 2), np.int32)
        run([partial(build_kernels.find_neighbours, keys, table, shift, step, neighbours)
             for step, neighbours in zip(layout.steps(), self.neighbours)])

    def normalized(self, symmetric, factor, run):
        """See `permutohedral_lattice`."""
        mass = np.ones((1, len(self.index)), np.float32)
        self.apply(mass, mass, False, run)
        scale = 1 / (np.sqrt(mass[0] + np.float32(EPS)) if symmetric else mass[0] + np.float32(EPS))
        weight = np.empty_like(self.slice_weight)
        run([partial(filter_kernels.scale, *band, self.slice_weight, scale, weight)
             for band in self.bands])
        lattice = object.__new__(type(self))
        lattice.__dict__.update(
            self.__dict__, factor=self.factor * np.float32(factor), slice_weight=weight,
            splat_weight=weight if symmetric else self.splat_weight)
        return lattice

    def apply(self, values, out, reverse, run):
        """Filter values (K, n) into out; `reverse` applies the transposed operator."""
        splat_weight, slice_weight = self.splat_weight, self.slice_weight
        if reverse:
            splat_weight, slice_weight = slice_weight, splat_weight
        passes = -(-len(values) // CHANNELS)
        step = -(-len(values) // passes // LANES) * LANES
        buffers = self.make_buffers(step)
        for c in range(0, len(values), step):
            run([partial(filter_kernels.splat, values[c:c + step], *band, self.index, splat_weight,
                         buffers[0, rows]) for band, rows in zip(self.bands, self.rows)])
            vertices, _ = self.blur(*buffers, reverse, run)
            run([partial(filter_kernels.slice_, out[c:c + step], *band, self.index, slice_weight,
                         self.factor, self.numbers[rows], vertices)
                 for band, rows in zip(self.bands, self.rows)])

    def make_buffers(self, channels):
        """A pair of buffers for rows of `channels` numbers, in whole vector registers."""
        width = -(-channels // LANES) * LANES
        return torch.empty(2, max(self.m, len(self.numbers)) + 1, width).numpy()  # torch aligns

    def blur(self, rows, other, reverse, run):
        """Add up and blur the rows of all bands.

        Args:
            rows, other: a pair of buffers, see `make_buffers`.

        Returns:
            tuple: the same two buffers, that with the blurred rows of vertices first.
        """
        parts = _cut(self.m, GRAIN // rows.shape[1] + 1)
        run([partial(filter_kernels.add_up, *part, self.starts, self.places, rows, other)
             for part in parts])
        other[self.m] = rows[self.m] = 0  # the missing neighbour
        for neighbours in self.neighbours[::-1] if reverse else self.neighbours:
            rows, other = other, rows
            run([partial(filter_kernels.blur, *part, neighbours, rows, other) for part in parts])
        return other, rows


def for_each_image(function, number):
    """Call function(i, run) for each image: whole images to the threads, or parts of them."""
    if number >= torch.get_num_threads():
        run_in_threads([partial(function, i, run_in_turn) for i in range(number)])
    else:
        for i in range(number):
            function(i, run_in_threads)


def _cut(number, size, unit=1):
    """Cut 0..number into equal ranges of about `size`: an even number of them, or one.

    They begin at multiples of `unit`.
    """
    parts = 2 * round(number / size / 2 + .25) or 1
    edges = [min(number, round(number * i / parts / unit) * unit) for i in range(parts)]
    return list(zip(edges, [*edges[1:], number]))
