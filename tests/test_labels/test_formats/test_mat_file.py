"""Damaged .mat files that end the process that gives them to SciPy."""
import io
import struct

import numpy as np
import pytest
from scipy import io as scipy_io
from scipy.sparse import csc_matrix

from mmseg_wss.errors import DataError
from mmseg_wss.labels.converters.sbd import read_sbd_mask
from mmseg_wss.labels.formats.mat_file import check_mat

CELLS = np.empty((2, 1), object)
CELLS[:, 0] = [np.arange(3.), np.arange(4)]
MASK = np.arange(12, dtype=np.uint8).reshape(3, 4)


def mat(compressed=False, **fields):
    content = io.BytesIO()
    scipy_io.savemat(content, fields, do_compression=compressed)
    return content.getvalue()


@pytest.mark.parametrize('compressed', [False, True])
@pytest.mark.parametrize('value', [
    MASK, MASK.astype(float), MASK > 3, MASK * 1j, np.zeros((0, 0)), 'text', '', CELLS, CELLS[:0],
    CELLS[:, None].repeat(3, 1), csc_matrix(MASK), csc_matrix(MASK * 1j),
    dict(a=1, b='x', c=dict(d=CELLS)), np.array([(1, 2), (3, 4)], [('a', object), ('b', object)])])
def test_what_scipy_writes_is_right(tmp_path, value, compressed):
    (tmp_path / 'a.mat').write_bytes(mat(compressed, value=value, other=MASK))
    check_mat(tmp_path / 'a.mat')


def test_version_4_is_left_to_scipy(tmp_path):
    scipy_io.savemat(tmp_path / 'a.mat', dict(value=MASK), format='4')
    check_mat(str(tmp_path / 'a.mat'))


NUMBERS = struct.pack('<II', 2, MASK.size)  # the tag of the numbers: uint8, 12 bytes
FLAGS = struct.pack('<IIII', 6, 8, 9, 0)  # a matrix of uint8
SIDES = struct.pack('<IIii', 5, 8, 1, 1)  # of the struct


@pytest.mark.parametrize('old, new', [
    (NUMBERS, struct.pack('<II', 0, MASK.size)), (NUMBERS, struct.pack('<II', 44, MASK.size)),
    (NUMBERS, struct.pack('<II', 14, MASK.size)), (NUMBERS, struct.pack('<II', 2, 1 << 30)),
    (FLAGS, struct.pack('<IIII', 6, 8, 0x809, 0)),  # complex, but nothing is imaginary
    (FLAGS, struct.pack('<IIII', 6, 4, 9, 0)),
    (SIDES, struct.pack('<IIii', 5, 8, 1 << 26, 1)), (SIDES, struct.pack('<IIii', 5, 8, -1, 1)),
], ids=['type 0', 'type 44', 'a matrix', 'too long', 'complex', 'flags', 'sides', 'negative'])
def test_what_scipy_cannot_read_is_refused(tmp_path, old, new):
    content = mat(GTcls=dict(Segmentation=MASK.T))
    assert old in content
    (tmp_path / 'a.mat').write_bytes(content.replace(old, new, 1))
    with pytest.raises(DataError, match=r'a\.mat: not a readable \.mat file.*Unpack'):
        read_sbd_mask(tmp_path / 'a.mat')


def test_a_changed_byte_of_a_compressed_file_is_seen(tmp_path):
    content = bytearray(mat(True, GTcls=dict(Segmentation=MASK)))
    content[-1] ^= 1  # of the checksum
    (tmp_path / 'a.mat').write_bytes(content)
    with pytest.raises(DataError, match='not a readable'):
        read_sbd_mask(tmp_path / 'a.mat')


def test_matrices_in_matrices_have_an_end(tmp_path):
    value = MASK
    for _ in range(120):
        value = dict(a=value)
    (tmp_path / 'a.mat').write_bytes(mat(value=value))
    with pytest.raises(ValueError, match='too many'):
        check_mat(tmp_path / 'a.mat')
