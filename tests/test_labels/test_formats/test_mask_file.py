"""A mask and its record in one file: what Pillow's own chunks say, and files that lie."""
import struct
import zlib

import cv2
import mmcv
import numpy as np
import pytest
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.mask_file import read_mask, read_record, write_mask
from mmseg_wss.labels.palette import voc_palette

MASK = np.random.default_rng(0).integers(0, 21, (30, 40)).astype(np.uint8)
RECORD = dict(recipe=dict(method='grabcut+region', classes=['Hügel', 'a\nb', '\0']), inputs='9a31',
              kept=7)


def chunks(path):
    """Types and contents of the chunks of a PNG."""
    content, at, found = path.read_bytes(), 8, []
    while at < len(content):
        size, kind = struct.unpack('>I4s', content[at:at + 8])
        found.append((kind, content[at + 8:at + 8 + size]))
        at += 12 + size
    return found


def write(path, record=RECORD):
    write_mask(path, MASK, record)


def test_a_record_changes_no_pixel(tmp_path):
    write(tmp_path / 'a.png')
    write(tmp_path / 'b.png', None)
    assert read_record(tmp_path / 'a.png') == RECORD and read_record(tmp_path / 'b.png') is None
    for name in ('a', 'b'):
        path = str(tmp_path / f'{name}.png')
        assert np.array_equal(read_mask(path), MASK)
        assert np.array_equal(mmcv.imread(path, flag='unchanged', backend='pillow'), MASK)
        assert np.array_equal(cv2.imread(path), voc_palette()[MASK][..., ::-1])
    with_record, without = chunks(tmp_path / 'a.png'), chunks(tmp_path / 'b.png')
    assert [chunk for chunk in with_record if chunk[0] != b'tEXt'] == without


def test_the_record_lies_ahead_of_the_pixels(tmp_path):
    write(tmp_path / 'a.png')
    kinds = [kind for kind, _ in chunks(tmp_path / 'a.png')]
    assert kinds.index(b'tEXt') < kinds.index(b'IDAT')
    content = (tmp_path / 'a.png').read_bytes()
    (tmp_path / 'a.png').write_bytes(content[:content.index(b'IDAT') + 4])  # no pixel is needed
    assert read_record(tmp_path / 'a.png') == RECORD


def with_chunk(path, kind, content):
    """Put a chunk into a mask without a record."""
    write(path, None)
    png = path.read_bytes()
    path.write_bytes(png[:33] + struct.pack('>I', len(content)) + kind + content
                     + struct.pack('>I', zlib.crc32(kind + content)) + png[33:])


@pytest.mark.parametrize('kind, content', [
    (b'tEXt', b'mmseg_wss\0{"recipe": {}'), (b'tEXt', b'mmseg_wss\0[]'),
    (b'tEXt', b'mmseg_wss\0{"inputs": ""}'), (b'tEXt', b'mmseg_wss\0{"recipe": "x"}'),
    (b'tEXt', b'mmseg_wss\0' + b'[' * 100000),
    (b'zTXt', b'mmseg_wss\0\0' + zlib.compress(b'{"recipe": {}}' + bytes(1 << 26)))])
def test_a_damaged_record_is_named(tmp_path, kind, content):
    """Cut off, of other types, too deep, or a few bytes that become 64 MB."""
    with_chunk(tmp_path / 'a.png', kind, content)
    with pytest.raises(DataError, match=r'a\.png: the record of how the mask was made'):
        read_record(tmp_path / 'a.png')


@pytest.mark.parametrize('content', [None, b'', b'drawn by hand', b'\x89PNG\r\n\x1a\n'])
def test_a_file_that_is_no_mask_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / 'a.png').write_bytes(content)
    with pytest.raises(DataError, match=r'a\.png'):
        read_record(tmp_path / 'a.png')


def test_a_record_of_another_key_is_none(tmp_path):
    Image.fromarray(MASK).save(tmp_path / 'a.png', comment='x')
    with_chunk(tmp_path / 'b.png', b'tEXt', b'Software\0mmseg_wss')
    assert read_record(tmp_path / 'a.png') is None and read_record(tmp_path / 'b.png') is None


def test_one_changed_bit_anywhere_is_found(tmp_path):
    """Each part of a PNG has a checksum, that of the pixels included."""
    write(tmp_path / 'a.png')
    content = (tmp_path / 'a.png').read_bytes()
    for number, at in enumerate(np.linspace(0, len(content) - 1, 400).astype(int)):
        bit = 1 << number % 8
        (tmp_path / 'b.png').write_bytes(
            content[:at] + bytes([content[at] ^ bit]) + content[at + 1:])
        with pytest.raises(DataError, match=r'b\.png: the mask cannot be read .*Write it again'):
            read_mask(tmp_path / 'b.png')


@pytest.mark.parametrize('kind', [b'IHDR', b'PLTE', b'tEXt', b'IDAT', b'IEND'])
def test_a_wrong_checksum_alone_is_refused(tmp_path, kind):
    write(tmp_path / 'a.png')
    content = bytearray((tmp_path / 'a.png').read_bytes())
    at = content.index(kind)
    content[at + 4 + int.from_bytes(content[at - 4:at], 'big')] ^= 1
    (tmp_path / 'a.png').write_bytes(content)
    with pytest.raises(DataError, match=f"checksum of its part '{kind.decode()}' is wrong"):
        read_mask(tmp_path / 'a.png')


@pytest.mark.parametrize('length', [0, 1, 8, 20, 40, 200, -13, -12, -1])
def test_a_mask_that_is_cut_off_is_refused(tmp_path, length):
    write(tmp_path / 'a.png')
    (tmp_path / 'a.png').write_bytes((tmp_path / 'a.png').read_bytes()[:length])
    with pytest.raises(DataError, match=r'a\.png: the mask cannot be read'):
        read_mask(tmp_path / 'a.png')
