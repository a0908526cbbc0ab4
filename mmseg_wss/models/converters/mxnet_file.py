"""mxnet's file of named arrays, without mxnet.

All numbers are little-endian: uint64 0x112, uint64 0, uint64 number of arrays, the arrays, uint64
number of names, and of each name uint64 length and the text. An array is its shape, int32 device
type and int32 device number, int32 type, data in C order. Its shape was first uint32 length and
uint32 sizes; then the word V1 and uint32 length, int64 sizes; then V2, int32 storage type (0:
dense) and the same.
"""
import math
import os
import struct

import numpy as np

from mmseg_wss.errors import DataError

LIST_MAGIC = 0x112
V1, V2 = 0xF993FAC8, 0xF993FAC9
DTYPES = {0: '<f4', 1: '<f8', 2: '<f2', 3: 'u1', 4: '<i4', 5: 'i1', 6: '<i8'}
MAX_NDIM = 32


class _BoundedFile:
    """Reads a binary file without ever asking for more than is left of it."""

    def __init__(self, file):
        self.name = file.name
        self.left = os.fstat(file.fileno()).st_size
        self._file = file

    def read(self, size, what):
        if size > self.left:
            raise DataError(f'{self.name}: {what} should take {size} bytes, and {self.left} are '
                            'left. The file is truncated or damaged: get it again.')
        self.left -= size
        return self._file.read(size)

    def numbers(self, layout, what):
        return struct.unpack(f'<{layout}', self.read(struct.calcsize(f'<{layout}'), what))

    def number(self, layout, what):
        return self.numbers(layout, what)[0]


def read_ndarrays(path):
    """Read an mxnet file of named dense arrays.

    Args:
        path (str): the file, as ``mxnet.nd.save`` writes it.

    Returns:
        dict[str, ndarray]: the arrays (read-only) by name, in the order of the file.

    Raises:
        DataError: not such a file, truncated, or with sparse, empty or unnamed arrays.
    """
    with open(path, 'rb') as raw:
        file = _BoundedFile(raw)
        if file.left < 8 or file.number('Q', 'the magic number') != LIST_MAGIC:
            raise DataError(f'{path} is not an mxnet file of arrays: it does not start with '
                            f'{LIST_MAGIC:#x}. Name PyTorch files other than *.params.')
        _, count = file.numbers('QQ', 'the header')
        arrays = []
        while len(arrays) < count:  # a damaged count may be huge: allocate nothing by it
            arrays.append(_read_ndarray(file, f'array {len(arrays) + 1} of {count}'))
        named = file.number('Q', 'the number of names')
        if named != count:
            raise DataError(f'{path} has {count} arrays and {named} names: expected a name for '
                            'each, as in the checkpoint of a network.')
        names = [_read_name(file, f'name {i + 1} of {count}') for i in range(count)]
    if file.left or len(set(names)) < count:
        raise DataError(f'{path} is damaged: {file.left} bytes follow the last name, and '
                        f'{count - len(set(names))} names come twice. Get it again.')
    return dict(zip(names, arrays))


def _read_name(file, what):
    text = file.read(file.number('Q', what), what)
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise DataError(f'{file.name}: {what} is not text ({error}). Get it '
                        'again.') from error


def _read_ndarray(file, what):
    shape = _read_shape(file, what)
    _device, _number, flag = file.numbers('iii', what)
    if flag not in DTYPES:
        raise DataError(f'{file.name}: {what} has the unknown type {flag}; expected one of '
                        f'{sorted(DTYPES)}. The file is damaged, or of a newer mxnet: get it '
                        'again.')
    dtype = np.dtype(DTYPES[flag])
    data = file.read(math.prod(shape) * dtype.itemsize, f'{what}, of shape {shape},')
    return np.frombuffer(data, dtype).reshape(shape)


def _read_shape(file, what):
    ndim, layout = file.number('I', what), 'I'
    if ndim in (V1, V2):
        storage = file.number('i', what) if ndim == V2 else 0
        if storage:
            raise DataError(f'{file.name}: {what} is sparse (storage type {storage}); expected '
                            'dense weights. Save it with dense ones.')
        ndim, layout = file.number('I', what), 'q'
    if not 0 < ndim <= MAX_NDIM:
        raise DataError(f'{file.name}: {what} has {ndim:#x} dimensions; expected 1 to {MAX_NDIM}. '
                        'The file is damaged, or of another version of mxnet: get it again.')
    shape = file.numbers(f'{ndim}{layout}', what)
    if min(shape) < 1:
        raise DataError(f'{file.name}: {what} has shape {shape}; expected sizes of 1 or '
                        'more. The file is damaged: get it again.')
    return shape
