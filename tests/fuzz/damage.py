"""Ways to damage a file, each a function of its bytes and of a seeded generator."""
import copy
import io
import json
import re
import struct
import zipfile
import zlib

ENCODINGS = 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32', 'latin-1', 'cp500'
WORDS = (b'null', b'true', b'-1', b'1.9', b'1e999', b'NaN', b'-Infinity', b'1' * 400, b'1' * 5000,
         b'9' * 19, b'4294967296', b'{}', b'[]', b'""', b'"x"', b'[[1]]', b'../x', b'\xc3\xa9',
         b'\xff', b'&e;', b'<a/>')
NUMBERS = (0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2 ** 63 - 1, 2 ** 64 - 1, 0)
BRACKETS = (b'[', b']'), (b'{"a":', b'}'), (b'<a>', b'</a>'), (b'(', b')')
VALUES = (None, True, -1, 1.9, 1e308, float('nan'), -float('inf'), 10 ** 18, 10 ** 400, 0, '', 'x',
          '../x', '\0', [], {}, [[1]], {'a': 1}, 2 ** 31, 2 ** 28 + 1, 65536, '1', [1e9, -1e9])
INNER_TEXT = re.compile(rb'(?<=>)[^<>\s]+(?=<)')
TOKEN = re.compile(rb'"[^"]*"|-?\d+(?:\.\d+)?|<[^>]*>|\w+')


def part(content, rng, longest=64):
    """Begin and end of a piece, up to `longest` bytes, now and then up to the whole."""
    start = rng.randrange(len(content) + 1)
    return start, min(len(content), start + rng.randint(
        1, max(1, rng.choice((longest, longest, len(content))))))


def flip_bits(content, rng):
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8, 50)) if content else 0):
        changed[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut_off(content, rng):
    return content[:rng.randrange(len(content) + 1)]


def cut_out(content, rng):
    start, end = part(content, rng)
    return content[:start] + content[end:]


def insert(content, rng):
    start, _ = part(content, rng)
    return content[:start] + rng.randbytes(rng.choice((1, 4, 64))) + content[start:]


def duplicate(content, rng):
    start, end = part(content, rng)
    return content[:end] + content[start:end] * rng.choice((1, 1, 9)) + content[end:]


def swap(content, rng):
    one, other = sorted((part(content, rng), part(content, rng)))
    start = max(one[1], other[0])
    return (content[:one[0]] + content[start:other[1]] + content[one[1]:start]
            + content[one[0]:one[1]] + content[max(start, other[1]):])


def zeros(content, rng):
    start, end = part(content, rng)
    return content[:start] + bytes(end - start) + content[end:]


def other_encoding(content, rng):
    text = content.decode('utf-8', 'replace')
    return text.encode(rng.choice(ENCODINGS), 'replace')


def other_line_ends(content, rng):
    return content.replace(b'\n', rng.choice((b'\r\n', b'\r', b'\n\n', b' ', b'\x0b', b'')))


def other_word(content, rng):
    """A token of a text is another one: a huge number, another type, a foreign key."""
    tokens = [match.span() for match in TOKEN.finditer(content)]
    if not tokens:
        return rng.choice(WORDS)
    start, end = rng.choice(tokens)
    new = rng.choice(WORDS)
    if rng.random() < 0.2:
        new = content[slice(*rng.choice(tokens))]
    return content[:start] + new + content[end:]


def other_number(content, rng):
    """A number of a binary file is huge, or zero."""
    size, order = rng.choice((1, 2, 4, 8)), rng.choice(('little', 'big'))
    number = rng.choice(NUMBERS) & (1 << 8 * size) - 1
    start = rng.randrange(max(1, len(content) - size))
    return content[:start] + number.to_bytes(size, order) + content[start + size:]


def deep_nesting(content, rng):
    first, last = rng.choice(BRACKETS)
    depth = rng.choice((50, 2000, 100000))
    tokens = [match.span() for match in TOKEN.finditer(content)]
    start, end = rng.choice([(0, len(content)), *rng.sample(tokens, min(1, len(tokens)))])
    return content[:start] + first * depth + content[start:end] + last * depth + content[end:]


def emptied(content, rng):
    return rng.choice((b'', b' ', b'\n', b'\0', b'\xef\xbb\xbf', bytes(len(content))))


def other_text(content, rng):
    """The text of an element of XML is another one."""
    texts = [match.span() for match in INNER_TEXT.finditer(content)]
    if not texts:
        return other_word(content, rng)
    start, end = rng.choice(texts)
    return content[:start] + rng.choice(WORDS) + content[end:]


def other_value(content, rng):
    """A value of a JSON file, or of a line of one, is another one, is left out or comes twice."""
    try:
        value, lines, at = json.loads(content), None, 0
    except ValueError:
        lines = content.split(b'\n')
        at = rng.randrange(len(lines))
        try:
            value = json.loads(lines[at])
        except ValueError:
            return other_text(content, rng)
    nodes = list(_nodes(value))
    if nodes:
        owner, key = rng.choice(nodes)
        action = rng.random()
        if action < 0.15:
            del owner[key]
        elif action < 0.3 and isinstance(owner, list):
            owner.insert(key, copy.deepcopy(owner[key]))
        elif action < 0.45:
            other, place = rng.choice(nodes)
            owner[key] = copy.deepcopy(other[place])
        else:
            owner[key] = rng.choice(VALUES)
    else:
        value = rng.choice(VALUES)
    new = json.dumps(value).encode()
    return new if lines is None else b'\n'.join([*lines[:at], new, *lines[at + 1:]])


def _nodes(value):
    """Yield (list or dict, its key) of all that is in a value."""
    for key in list(value if isinstance(value, dict) else range(len(value))
                    if isinstance(value, list) else ()):
        yield value, key
        yield from _nodes(value[key])


def repacked(content, rng):
    """A part of a PNG, a .mat file or a zip archive is damaged, and its checksum is right."""
    if content.startswith(b'\x89PNG'):
        return _repacked_png(content, rng)
    if content.startswith(b'PK'):
        return _repacked_zip(content, rng)
    if content.startswith(b'MATLAB') and content[128:132] == b'\x0f\0\0\0':
        size = struct.unpack_from('<I', content, 132)[0]
        inner = zlib.compress(_slightly(zlib.decompress(content[136:136 + size]), rng))
        return (content[:128] + struct.pack('<II', 15, len(inner)) + inner
                + content[136 + size:])
    return other_value(content, rng)


def _slightly(content, rng):
    return rng.choice((flip_bits, other_number, other_number, cut_off, zeros))(content, rng)


def _repacked_png(content, rng):
    at, parts = 8, []
    while at + 12 <= len(content):
        size = int.from_bytes(content[at:at + 4], 'big')
        parts.append((content[at + 4:at + 8], content[at + 8:at + 8 + size]))
        at += 12 + size
    chosen = rng.randrange(len(parts))
    kind, data = parts[chosen]
    if kind == b'IDAT' and rng.random() < 0.5:
        data = zlib.compress(_slightly(zlib.decompress(data), rng))
    else:
        data = _slightly(data, rng)
    parts[chosen] = kind, data
    if rng.random() < 0.2:
        parts.insert(rng.randrange(len(parts)), rng.choice(parts))
    return content[:8] + b''.join(
        struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
        for kind, data in parts)


def _repacked_zip(content, rng):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = [(info.filename, archive.read(info)) for info in archive.infolist()]
    chosen, new = rng.randrange(len(files)), io.BytesIO()
    if rng.random() < 0.6:  # the pickle
        chosen = [name.endswith('.pkl') for name, _ in files].index(True)
    with zipfile.ZipFile(new, 'w') as archive:
        for number, (name, data) in enumerate(files):
            archive.writestr(zipfile.ZipInfo(name), (
                _slightly(data, rng) if number == chosen else data))
    return new.getvalue()


DAMAGES = (flip_bits, flip_bits, cut_off, cut_out, insert, duplicate, swap, zeros, other_encoding,
           other_line_ends, other_word, other_word, other_number, other_number, deep_nesting)


def damaged(samples, foreign, rng):
    """A damaged file.

    Args:
        samples (Sequence[bytes]): valid files.
        foreign (Sequence[bytes]): valid files of other readers.
        rng (random.Random): decides.

    Returns:
        tuple: its bytes; the number of the sample, None for a file that is not one of them with
        bytes changed (foreign, empty, with new checksums); and the names of what was done, str.
    """
    kind, number = rng.random(), rng.randrange(len(samples))
    content = samples[number]
    if kind < 0.01:
        return emptied(content, rng), None, 'emptied'
    if kind < 0.05:
        content = rng.choice(foreign)
        return (content, None, 'foreign') if kind < 0.04 else (
            flip_bits(content, rng), None, 'foreign, flip_bits')
    if kind < 0.45:  # what a parser takes, and the reader has to judge
        return repacked(content, rng), None, 'repacked'
    names = []
    for damage in rng.choices(DAMAGES, k=rng.choice((1, 1, 1, 2, 3))):
        content = damage(content, rng)
        names.append(damage.__name__)
    return content, number, ', '.join(names)
