"""Splat, blur and slice, and the mean-field update made of them, compiled by Numba.

Values lie as rows, one for each vertex, whose W numbers are channels, a multiple of LANES, so that
the innermost loops run along vector registers. Pixels are worked on in tiles of the same layout,
(BLOCK * W, ).
"""
import math

import numpy as np

from mmseg_wss.ops.permutohedral.jit import jit, jit_reordering
from mmseg_wss.ops.permutohedral.registers import LANES, add_scaled

BLOCK = 64  # pixels of a tile, which stays in the first cache


@jit
def load_tile(tile, W, values, begin, count):
    """tile[i * W + c] = values[c, begin + i], for i < count."""
    for c in range(len(values)):
        channel = values[c, begin:begin + count]
        for i in range(count):
            tile[np.uint64(i) * np.uint64(W) + np.uint64(c)] = channel[i]


@jit
def store_tile(tile, W, values, begin, count):
    """values[c, begin + i] = tile[i * W + c], for i < count."""
    for c in range(len(values)):
        channel = values[c, begin:begin + count]
        for i in range(count):
            channel[i] = tile[np.uint64(i) * np.uint64(W) + np.uint64(c)]


@jit
def splat_tile(tile, begin, count, index, weight, rows):
    """Add `count` pixels, from `begin` on, to the rows of the vertices around them."""
    W = rows.shape[1]
    for i in range(count):
        for k in range(index.shape[1]):
            row, w = np.uint64(index[begin + i, k]) * np.uint64(W), weight[begin + i, k]
            for c in range(0, W, LANES):
                add_scaled(rows, row + np.uint64(c), w, tile, np.uint64(i * W + c))


@jit
def slice_tile(tile, begin, count, index, weight, factor, numbers, rows):
    """Add to `count` pixels `factor` times what the vertices around them have."""
    W = rows.shape[1]
    for i in range(count):
        for k in range(index.shape[1]):
            row = np.uint64(numbers[index[begin + i, k]]) * np.uint64(W)
            w = factor * weight[begin + i, k]
            for c in range(0, W, LANES):
                add_scaled(tile, np.uint64(i * W + c), w, rows, row + np.uint64(c))


@jit
def splat(values, begin, end, index, weight, rows):
    """Add pixels of values (K, n) to the vertices around them.

    Args:
        values: float32 (K, n).
        begin, end: the band of pixels.
        index: int32 (n, D + 1), vertices of the band.
        weight: float32 (n, D + 1), barycentric coordinates.
        rows: float32 (vertices of the band, W >= K), out.
    """
    W = rows.shape[1]
    tile = np.zeros(BLOCK * W, np.float32)
    rows[:] = 0
    for block in range(begin, end, BLOCK):
        count = min(BLOCK, end - block)
        load_tile(tile, W, values, block, count)
        splat_tile(tile, block, count, index, weight, rows)


@jit
def add_up(begin, end, starts, places, rows, total):
    """total[v] = the sum over the rows of vertex v in all bands, for begin <= v < end."""
    for v in range(begin, end):
        row = np.uint64(places[starts[v]])
        for c in range(rows.shape[1]):
            total[v, c] = rows[row, c]
        for place in range(starts[v] + 1, starts[v + 1]):
            row = np.uint64(places[place])
            for c in range(rows.shape[1]):
                total[v, c] += rows[row, c]


@jit
def blur(begin, end, neighbours, before, after):
    """after[v] = before[v] + half of both its neighbours (m, 2) in one direction."""
    for v in range(begin, end):
        back, on = np.uint64(neighbours[v, 0]), np.uint64(neighbours[v, 1])
        for c in range(before.shape[1]):
            after[v, c] = before[v, c] + np.float32(.5) * (before[back, c] + before[on, c])


@jit
def slice_(values, begin, end, index, weight, factor, numbers, rows):
    """Interpolate pixels of values (K, n) between the vertices around them.

    Args:
        factor: float32, multiplies the result.
        numbers: int32 (vertices of the band, ), their rows.
        rows: float32 (m, W >= K).
        others: see `splat`; `values` is out.
    """
    W = rows.shape[1]
    tile = np.empty(BLOCK * W, np.float32)
    for block in range(begin, end, BLOCK):
        count = min(BLOCK, end - block)
        tile[:] = 0
        slice_tile(tile, block, count, index, weight, factor, numbers, rows)
        store_tile(tile, W, values, block, count)


@jit
def scale(begin, end, weight, factor, out):
    """out[p] = weight[p] * factor[p], for weights (n, D + 1) and factors (n, )."""
    for p in range(begin, end):
        for k in range(weight.shape[1]):
            out[p, k] = weight[p, k] * factor[p]


@jit_reordering
def exp(x):
    """e^x for x <= 0, float32, to 2 units in the last place; at least 1e-38.

    With x = k log 2 + r, |r| <= log 2 / 2, it is 2^k, made of its bits, times a polynomial in r
    (of the Cephes library). In a loop it is vectorised, which ``math.exp`` is not.
    """
    x = max(x, np.float32(-87))
    k = np.float32(math.floor(x * np.float32(1.44269504) + np.float32(.5)))
    r = x - k * np.float32(.693359375) + k * np.float32(2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r * r + r + np.float32(1)
    return p * np.int32((np.int32(k) + np.int32(127)) << np.int32(23)).view(np.float32)


@jit_reordering
def softmax(tile, count, W):
    """Softmax of the first `count` rows of W numbers, in place."""
    for i in range(count):
        highest = tile[i * W]
        for c in range(W):
            highest = max(highest, tile[i * W + c])
        for c in range(W):
            tile[i * W + c] -= highest
    for j in range(count * W):
        tile[j] = exp(tile[j])
    for i in range(count):
        total = np.float32(0)
        for c in range(W):
            total += tile[i * W + c]
        inverse = np.float32(1) / total
        for c in range(W):
            tile[i * W + c] *= inverse


@jit_reordering
def update(begin, end, unary, length, W, lattices, first, last, marginals):
    """One mean-field update of a band of pixels, from vertices to vertices.

    The pixels get the softmax of `unary` and what is sliced from all lattices, and are splatted.

    Args:
        begin, end: the band.
        unary: float32 (S, K, n), logarithms of S sets of probabilities.
        length: of each set in a row, at least K.
        W: length of the rows, a multiple of `length`, at least S * length.
        lattices: for each (index, slice_weight, factor, numbers, vertices, splat_weight, rows):
            `vertices` are sliced, and `rows` splatted to.
        first: no vertices yet, only `unary`.
        last: instead of the splat, the softmax goes to `marginals`.
        marginals: float32 (S, K, n), out.
    """
    S, K, _ = unary.shape
    tile = np.empty(BLOCK * W, np.float32)
    for _, _, _, _, _, _, rows in lattices:
        rows[:] = 0
    for block in range(begin, end, BLOCK):
        count = min(BLOCK, end - block)
        for s in range(W // length):
            if s < S:
                load_tile(tile[s * length:], W, unary[s], block, count)
            for i in range(count):
                for c in range(s * length + (K if s < S else 0), (s + 1) * length):
                    tile[i * W + c] = np.float32(-1e30)  # no class
        if not first:
            for index, weight, factor, numbers, vertices, _, _ in lattices:
                slice_tile(tile, block, count, index, weight, factor, numbers, vertices)
        softmax(tile, count * (W // length), length)
        if not last:
            for index, _, _, _, _, weight, rows in lattices:
                splat_tile(tile, block, count, index, weight, rows)
        else:
            for s in range(S):
                store_tile(tile[s * length:], W, marginals[s], block, count)
