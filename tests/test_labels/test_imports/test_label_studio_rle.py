"""Streams of bits, written here by hand."""
import numpy as np
import pytest

from mmseg_wss.labels.imports.label_studio_rle import brush_runs

SIZES = ''.join(f'{size - 1:04b}' for size in (3, 4, 8, 16))


def stream(total, *runs, word=8):
    """A run is (values, which size, bits of the size); a single value is repeated by a number."""
    bits = f'{total:032b}{word - 1:05b}{SIZES}'
    for values, repeated in runs:
        length = (repeated or len(values)) - 1
        which = next(i for i, size in enumerate((3, 4, 8, 16)) if length < 1 << size)
        bits += f'{int(bool(repeated))}{which:02b}{length:0{(3, 4, 8, 16)[which]}b}'
        bits += ''.join(f'{value:0{word}b}' for value in values)
    bits += '0' * (-len(bits) % 8)
    return [int(bits[i:i + 8], 2) for i in range(0, len(bits), 8)]


def pixels(values, shape):
    top, left, height, width, counts = brush_runs(values, shape)
    assert (top, left, height, width) == (0, 0, *shape)
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(shape).tolist()


def test_runs_and_single_values():
    """A run may begin and end within a pixel; its alpha alone counts."""
    values = stream(6 * 4, ([0], 6), ([9, 255, 7], 0), ([0], 2), ([3], 9), ([1, 2, 3, 0], 0))
    # alphas are the values 3, 7, 11, ... : 0, 255, 3, 3, 3 (of the nine from 11 on), 0
    assert pixels(values, (2, 3)) == [[False, True, True], [True, True, False]]


def test_the_first_pixel_may_be_painted():
    assert pixels(stream(8, ([5], 4), ([0], 4)), (1, 2)) == [[True, False]]


def test_other_word_sizes():
    assert pixels(stream(8, ([0], 4), ([1], 4), word=3), (2, 1)) == [[False], [True]]


@pytest.mark.parametrize('values, message', [
    ([], 'no list of bytes'), ([1, 2, 300], 'no list of bytes'), ('abc', 'no list of bytes'),
    (stream(8, ([5], 4)), 'ends too early'), ([0, 0, 0, 8], 'ends too early'),
    (stream(12, ([5], 12)), 'of 3 pixels, but its image has 2'),
    (stream(8, ([5], 4), ([5], 5)), 'more values')])
def test_no_such_stream(values, message):
    with pytest.raises(ValueError, match=message):
        brush_runs(values, (1, 2))
