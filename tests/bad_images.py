"""Image files that a training must not take, each by the reason that it is refused for."""
import io
import struct
import zlib

import numpy as np
from PIL import Image

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (24, 32, 3)).astype(np.uint8)
DARK = RNG.integers(0, 4096, (24, 32)).astype(np.uint16)  # 12 bits
PNG = b'\x89PNG\r\n\x1a\n'


def saved(picture, kind, **options):
    """The bytes of a picture or of an array in a format of Pillow."""
    content = io.BytesIO()
    picture = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    picture.save(content, kind, **options)
    return content.getvalue()


def colours(kind, mode='RGB'):
    return saved(Image.fromarray(COLOURS).convert(mode), kind)


def chunk(kind, content):
    """A part of a PNG, with the right checksum."""
    return (struct.pack('>I', len(content)) + kind + content
            + struct.pack('>I', zlib.crc32(kind + content)))


def png_header(width, height):
    """A whole PNG of few pixels that says it has these."""
    return PNG + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 1, 0, 0, 0, 0)) + chunk(
        b'IDAT', zlib.compress(bytes(9))) + chunk(b'IEND', b'')


def flipped(content, at):
    """One bit is another."""
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]


def half(content, filled=False):
    rest = len(content) - len(content) // 2
    return content[:len(content) // 2] + bytes(rest if filled else 0)


JPEG = saved(COLOURS, 'JPEG', quality=95)
PREVIEW = b'\xff\xd8\xff\xe1' + struct.pack('>H', 2 + len(JPEG)) + JPEG  # with an end of its own
CORRUPT = 'the image file is corrupt .*Copy it again'
FORMAT = r'is a {} file of mode {}, which OpenCV cannot read: save it as a JPEG'
LARGE = r'is too large: OpenCV reads up to 2\^30 pixels.*Cut it into tiles'
NUMBERS = r'has numbers of the type {} instead of 0\.\.255: save it as'
BLACK = r'16 bits a number, but none above \d+, so it is loaded as nearly black'

BAD_IMAGES = {
    'empty': (b'', CORRUPT), 'text': (b'no image' * 20, CORRUPT),
    'jpeg-cut': (half(JPEG), 'its end is missing'),
    'jpeg-of-zeros': (half(JPEG, filled=True), 'its end is missing'),
    'jpeg-of-zeros-with-preview': (PREVIEW + half(JPEG, filled=True)[2:], 'its end is missing'),
    'jpeg-of-zeros-from-the-first-third': (JPEG[:len(JPEG) // 3] + bytes(len(JPEG)),
                                           'its end is missing'),
    'grey-jpeg-of-zeros': (half(saved(COLOURS[..., 0], 'JPEG', quality=95), filled=True),
                           'its end is missing'),
    'jpeg-without-its-end': (JPEG[:-2], 'its end is missing'),
    'png-cut': (half(colours('PNG')), 'its end is missing'),
    'png-of-zeros': (half(colours('PNG'), filled=True), 'corrupt'),
    'png-checksum': (flipped(colours('PNG'), 130), "checksum of its part 'IDAT' is wrong"),
    'png-checksum-alone': (flipped(colours('PNG'), -14), "checksum of its part 'IDAT' is wrong"),
    'bmp-cut': (half(colours('BMP')), CORRUPT), 'tiff-cut': (half(colours('TIFF')), CORRUPT),
    'gif-cut': (half(colours('GIF')), CORRUPT), 'ppm-cut': (half(colours('PPM')), CORRUPT),
    'tiff-float': (saved(DARK.astype(np.float32), 'TIFF'), NUMBERS.format('float32')),
    'tiff-float-of-0-to-1': (saved((DARK / 4095).astype(np.float32), 'TIFF'),
                             NUMBERS.format('float32')),
    'pfm': (saved(DARK.astype(np.float32), 'PPM'), NUMBERS.format('float32')),
    'tiff-int32': (saved(DARK.astype(np.int32), 'TIFF'), '(type int32|mode I).*save it as'),
    'png-12-bit': (saved(DARK, 'PNG'), BLACK), 'tiff-12-bit': (saved(DARK, 'TIFF'), BLACK),
    'ppm-12-bit': (saved(DARK, 'PPM'), BLACK), 'png-10-bit': (saved(DARK // 4, 'PNG'), BLACK),
    'tga': (colours('TGA'), FORMAT.format('TGA', 'RGB')),
    'pcx': (colours('PCX', 'P'), FORMAT.format('PCX', 'P')),
    'ico': (colours('ICO'), FORMAT.format('ICO', 'RGB')),
    'dds': (colours('DDS'), FORMAT.format('DDS', 'RGB')),
    'sgi': (colours('SGI', 'L'), FORMAT.format('SGI', 'L')),
    'dib': (colours('DIB'), FORMAT.format('DIB', 'RGB')),
    'msp': (colours('MSP', '1'), FORMAT.format('MSP', '1')),
    'xbm': (colours('XBM', '1'), FORMAT.format('XBM', '1')),
    'too-many-pixels': (png_header(40000, 30000), LARGE),
    'too-many-columns': (saved(Image.new('1', (1 << 20, 2)), 'PNG'), LARGE),
    'too-many-rows': (saved(Image.new('1', (2, 1 << 20)), 'PNG'), LARGE),
}
GOOD_IMAGES = {
    'jpeg': JPEG, 'jpeg-grey': colours('JPEG', 'L'), 'jpeg-cmyk': colours('JPEG', 'CMYK'),
    'jpeg-with-preview': PREVIEW + JPEG[2:], 'jpeg-and-more-behind': JPEG + bytes(300),
    'png': colours('PNG'), 'png-palette': colours('PNG', 'P'), 'png-alpha': colours('PNG', 'RGBA'),
    'png-bilevel': colours('PNG', '1'), 'png-16-bit': saved(DARK * 16, 'PNG'),
    'png-16-bit-all-black': saved(DARK * 0, 'PNG'), 'bmp': colours('BMP'),
    'tiff': colours('TIFF'), 'tiff-16-bit': saved(DARK * 16, 'TIFF'), 'ppm': colours('PPM'),
    'webp': colours('WEBP'),
}
