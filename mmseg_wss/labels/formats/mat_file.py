"""MATLAB files of version 5: whether their parts are such that SciPy can read them.

SciPy believes the types, sizes and numbers of parts that a file states, so one changed byte can end
the process. Format: https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
"""
import math
import struct
import zlib
from pathlib import Path

_HEADER = 128  # bytes
_MATRIX, _COMPRESSED = 14, 15
_FLAGS = 6, 8  # type and size of the first part of a matrix
_NUMBERS = {1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 16, 17, 18}  # types of parts that hold no others
_CELL, _STRUCT, _SPARSE = 1, 2, 5  # classes of matrices
_NUMERIC = range(4, 16)  # those without matrices in them
_COMPLEX = 0x800  # a flag
_MAX_DEPTH = 100  # of matrices in matrices; proposals and masks have 3


def check_mat(path):
    """See that the parts of a .mat file are of known types, all there, and end within the file.

    Files of version 4 and 7.3 are left to SciPy.

    Args:
        path (str | Path): a local file.

    Raises:
        OSError: it cannot be read.
        ValueError, zlib.error: a part is damaged.
    """
    content = Path(path).read_bytes()
    order = '<' if content[126:128] == b'IM' else '>'
    major = content[125:126] if order == '<' else content[124:125]
    if 0 in content[:4] or major != b'\1':
        return
    tag = struct.Struct(f'{order}II').unpack_from
    for code, start, end in _parts(content, _HEADER, len(content), tag):
        if code == _COMPRESSED:
            inner = zlib.decompress(content[start:end])
            for code, start, end in _parts(inner, 0, len(inner), tag):
                _check_part(inner, code, start, end, tag, 0)
        else:
            _check_part(content, code, start, end, tag, 0)


def _check_part(content, code, start, end, tag, depth):
    if code == _MATRIX and depth < _MAX_DEPTH:
        for part in _matrix_parts(content, start, end, tag):
            if part[0] not in _NUMBERS:
                _check_part(content, *part, tag, depth + 1)
    elif code not in _NUMBERS:
        raise ValueError(f'a part of the unknown type {code}, or in too many others')


def _matrix_parts(content, start, end, tag):
    """The parts of a matrix behind its flags; an empty one has none."""
    parts = _parts(content, start, end, tag)
    if not parts:
        return []
    code, first, last = parts[0]
    if (code, last - first) != _FLAGS:
        raise ValueError('a matrix without flags')
    flags, _ = tag(content, first)
    kind, found = flags & 0xff, parts[1:]
    if kind in _NUMERIC:
        # sides, name, numbers; rows and columns of a sparse one, and imaginary numbers
        expected = 3 + 2 * (kind == _SPARSE) + bool(flags & _COMPLEX)
        if len(found) < expected or any(code == _MATRIX for code, _, _ in found):
            raise ValueError(f'a matrix of {len(found)} parts instead of {expected}')
    elif kind in (_CELL, _STRUCT):
        if len(found) < 2:
            raise ValueError('a matrix without sides or a name')
        _, first, last = found[0]
        count = math.prod(tag(content, at)[0] for at in range(first, last - 3, 4))
        if count > end - start:
            raise ValueError(f'a matrix of {count} others in {end - start} bytes')
    return found


def _parts(content, at, limit, tag):
    """Type, start and end of each part between two places."""
    parts = []
    while at + 8 <= limit:
        code, size = tag(content, at)
        start = at + 8
        if code > 0xffff:  # up to 4 bytes lie in the tag itself
            code, size, start = code & 0xffff, code >> 16, at + 4
        end = start + size
        if end > limit or start == at + 4 and size > 4:
            raise ValueError('a part that is longer than what it is in')
        parts.append((code, start, end))
        at = end if code == _COMPRESSED else end + (at - end) % 8  # at multiples of 8
    return parts
