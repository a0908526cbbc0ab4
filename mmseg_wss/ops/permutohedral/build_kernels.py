"""Which vertices of the lattice surround which pixels, compiled by Numba.

`numba_lattice` says in which order the kernels are called. They work on ranges, and none depends on
what another range of the same call writes.
"""
import math

import numpy as np

from mmseg_wss.ops.permutohedral.jit import jit

BLOCK = 64  # pixels that are embedded together; what is known of them stays in the first cache


@jit
def embed(features, begin, count, scales, strides, ones, origin, keys, weights, scratch):
    """Vertices around `count` features, from `begin` on.

    Args:
        features: float32 (D, n).
        scales, strides, ones, origin: see `geometry`.
        keys: int64 (D + 1, BLOCK), out: the vertex of remainder k.
        weights: float32 (D + 1, BLOCK), out: barycentric coordinates, sum to 1.
        scratch: float32 (D + 2, BLOCK), int32 (D + 2, BLOCK), float32 (D + 1, BLOCK), int64.
    """
    D = len(features)
    rest, rank, ordered, jumps = scratch
    total, up = rank[D + 1], rest[D + 1]
    for i in range(count):
        up[i] = 0
        total[i] = 0
        keys[0, i] = origin
    for j in range(D, -1, -1):
        scale = scales[j - 1] if j else np.float32(0)
        stride = strides[j]
        inverse = np.float32(1 / (D + 1))
        for i in range(count):
            step = features[j - 1, begin + i] * scale if j else np.float32(0)
            coordinate = up[i] - np.float32(j) * step
            up[i] += step
            rounded = math.floor(coordinate * inverse + np.float32(.5))
            rest[j, i] = coordinate - np.float32(D + 1) * np.float32(rounded)
            total[i] += np.int32(rounded)
            rank[j, i] = 0
            keys[0, i] += np.int64(rounded) * ((D + 1) * stride)
    for j in range(D + 1):
        for k in range(j + 1, D + 1):
            for i in range(count):
                behind = np.int32(rest[j, i] < rest[k, i])
                rank[j, i] += behind
                rank[k, i] += np.int32(1) - behind
    for j in range(D + 1):
        stride = (D + 1) * strides[j]
        for i in range(count):
            # the rounded coordinates sum to total, not 0: correct those that rounding changed most
            place = rank[j, i] + total[i]
            turns = np.int32(place < 0) - np.int32(place > D)
            rank[j, i] = place + (D + 1) * turns
            rest[j, i] = rest[j, i] * inverse - np.float32(turns)
            keys[0, i] += turns * stride
        for i in range(count):
            ordered[rank[j, i], i] = rest[j, i]
            jumps[rank[j, i], i] = stride
    for i in range(count):
        weights[0, i] = ordered[D, i] + np.float32(1) - ordered[0, i]
    for k in range(1, D + 1):
        for i in range(count):
            weights[k, i] = ordered[D - k, i] - ordered[D + 1 - k, i]
            keys[k, i] = keys[k - 1, i] + ones - jumps[D + 1 - k, i]


@jit
def slot(table, shift, key):
    """Row of a hash table (key, number) that holds a key, or the free one where it belongs."""
    mask = np.uint64(len(table) - 1)
    row = (np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> shift
    while table[row, 0] != key and table[row, 0] >= 0:
        row = (row + np.uint64(1)) & mask
    return row


@jit
def make_table(bits):
    """An empty hash table of 2^bits rows, and its shift for `slot`."""
    table = np.empty((1 << bits, 2), np.int64)
    table[:, 0] = -1
    return table, np.uint64(64 - bits)


@jit
def build_band(features, begin, end, scales, strides, ones, origin, index, weight):
    """Embed a band of pixels, and number its vertices in the order in which they turn up.

    Args:
        index: int32 (n, D + 1), out for the band: numbers of its vertices.
        weight: float32 (n, D + 1), out for the band.

    Returns:
        keys of its vertices, int64 (m, ).
    """
    D = len(features)
    scratch = (np.empty((D + 2, BLOCK), np.float32), np.empty((D + 2, BLOCK), np.int32),
               np.empty((D + 1, BLOCK), np.float32), np.empty((D + 1, BLOCK), np.int64))
    around, weights = np.empty((D + 1, BLOCK), np.int64), np.empty((D + 1, BLOCK), np.float32)
    bits, number = 12, 0
    table, shift = make_table(bits)
    found = np.empty(1 << (bits - 1), np.int64)
    for block in range(begin, end, BLOCK):
        count = min(BLOCK, end - block)
        embed(features, block, count, scales, strides, ones, origin, around, weights, scratch)
        if 2 * (number + count * (D + 1)) > len(table):
            while 2 * (number + count * (D + 1)) > 1 << bits:
                bits += 1
            table, shift = make_table(bits)
            grown = np.empty(1 << (bits - 1), np.int64)
            for v in range(number):
                grown[v] = found[v]
                row = slot(table, shift, found[v])
                table[row, 0], table[row, 1] = found[v], v
            found = grown
        for i in range(count):
            for k in range(D + 1):
                key = around[k, i]
                # comparing with the last pixel's vertices is slower: the branch is unpredictable
                row = slot(table, shift, key)
                if table[row, 0] < 0:
                    table[row, 0], table[row, 1] = key, number
                    found[number] = key
                    number += 1
                index[block + i, k] = table[row, 1]
                weight[block + i, k] = weights[k, i]
    return found[:number].copy()


@jit
def merge_keys(keys):
    """Number the vertices of all bands.

    Args:
        keys: int64 (M, ), those of the bands one after another.

    Returns:
        tuple: number of each, int32 (M, ); the distinct keys, int64 (m, ); a hash table of them
        and its shift.
    """
    bits = 4
    while 1 << bits < 2 * len(keys):
        bits += 1
    table, shift = make_table(bits)
    numbers, distinct, number = np.empty(len(keys), np.int32), np.empty_like(keys), 0
    for i in range(len(keys)):
        row = slot(table, shift, keys[i])
        if table[row, 0] < 0:
            table[row, 0], table[row, 1] = keys[i], number
            distinct[number] = keys[i]
            number += 1
        numbers[i] = table[row, 1]
    return numbers, distinct[:number].copy(), table, shift


@jit
def group(numbers, m):
    """The places of each number: places[starts[v]:starts[v + 1]], in ascending order."""
    starts = np.zeros(m + 1, np.int32)
    for i in range(len(numbers)):
        starts[numbers[i] + 1] += 1
    for v in range(m):
        starts[v + 1] += starts[v]
    places, free = np.empty(len(numbers), np.int32), starts[:-1].copy()
    for i in range(len(numbers)):
        v = numbers[i]
        places[free[v]] = i
        free[v] += 1
    return starts, places


@jit
def find_neighbours(keys, table, shift, step, neighbours):
    """The vertices one step back and one step on, (m, 2), in one direction; m stands for none."""
    neighbours[:] = len(keys)
    for v in range(len(keys)):
        row = slot(table, shift, keys[v] + step)
        if table[row, 0] >= 0:
            neighbours[v, 1] = table[row, 1]
            neighbours[table[row, 1], 0] = v
