"""Label Studio's brush: run lengths of the colours of a picture (thi.ng's rle-pack).

A stream of bits, the highest first: 32 bits, the number of values; 5 bits, those of a value less 1;
four times 4 bits, the sizes of run lengths less 1. Then runs until all values are there: a bit that
says whether one value is repeated; 2 bits, which of the sizes; the run's length less 1; and the
value, or as many values as the run is long. Values are red, green, blue and alpha of pixel after
pixel, row by row; what is painted has an alpha.
"""
import numpy as np

from mmseg_wss.labels.imports.records import Runs, run_lengths

_CHANNELS = 4
_MOST_PIXELS = 1 << 28


def brush_runs(values, shape):
    """The painted pixels of a brush.

    Args:
        values (Sequence[int]): the bytes of the stream.
        shape (tuple): (H, W) of the image.

    Returns:
        Runs: of the whole image.

    Raises:
        ValueError: no such stream, or of another image; the message continues "result 3".
    """
    height, width = shape
    if height * width > _MOST_PIXELS:
        raise ValueError(f'is a brush of an image of {width}x{height}, more than {_MOST_PIXELS} '
                         'pixels')
    if not _are_bytes(values):
        raise ValueError('has an rle that is no list of bytes, 0..255')
    try:
        painted = _painted(_Bits(np.unpackbits(np.array(values, np.uint8))), height * width)
    except IndexError:
        raise ValueError('has an rle that ends too early') from None
    return Runs(0, 0, height, width, run_lengths(painted))


def _are_bytes(values):
    return isinstance(values, list) and len(values) > 0 and all(
        type(value) is int and 0 <= value < 256 for value in values)


class _Bits:
    def __init__(self, bits):
        self.bits = bits
        self.at = 0

    def take(self, number):
        """The next bits as a number; IndexError where there are fewer."""
        value = 0
        for bit in self.array(number).tolist():
            value = value << 1 | bit
        return value

    def array(self, number):
        found = self.bits[self.at:self.at + number]
        if len(found) < number:
            raise IndexError
        self.at += number
        return found


def _painted(stream, pixels):
    """Whether each pixel has an alpha, bool (pixels,)."""
    total = stream.take(32)
    if total != pixels * _CHANNELS:
        raise ValueError(f'is a brush of {total // _CHANNELS} pixels, but its image has {pixels}')
    word = stream.take(5) + 1
    sizes = [stream.take(4) + 1 for _ in range(4)]
    painted, start = np.zeros(pixels, bool), 0
    while start < total:
        is_run = stream.take(1)
        length = stream.take(sizes[stream.take(2)]) + 1
        if length > total - start:
            raise ValueError('has an rle with more values than its image')
        first = -(-(start - 3) // _CHANNELS)  # pixels whose alpha is in the run
        last = -(-(start + length - 3) // _CHANNELS)
        if is_run:
            painted[first:last] = stream.take(word) > 0
        else:
            values = stream.array(word * length).reshape(length, word).any(1)
            painted[first:last] = values[first * _CHANNELS + 3 - start::_CHANNELS]
        start += length
    return painted
