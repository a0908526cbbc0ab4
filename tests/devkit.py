"""A tiny data set in VOC layout for tests."""
import struct
from pathlib import Path

import numpy as np
from PIL import Image

from mmseg_wss.labels.palette import voc_palette

CLASSES = ('background', 'red', 'green')
COLOURS = {1: (200, 30, 30), 2: (30, 200, 30)}  # of the objects, by class index

ANNOTATION = """<annotation>
  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>
  <object>
    <name>{name}</name>
    <bndbox><xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox>
  </object>
</annotation>
"""


def make_devkit(root, strong=2, weak=2, val=2, size=(12, 16)):
    """Write a devkit: noise images with one square object each, red or green in turn.

    It holds ``JPEGImages/ID.jpg``, ``SegmentationClass/ID.png`` (palette PNG, no void pixels),
    ``Annotations/ID.xml`` (the box of the mask's square; 1-based, inclusive),
    ``ImageSets/Segmentation/{strong,weak,val}.txt`` and ``classes.txt`` (`CLASSES`). IDs are s0,
    s1, ..., w0, w1, ... and v0, v1, ...; every image has all its files, whichever list it is in.
    The same arguments give the same files.

    Args:
        root (str or Path): the folder; made as needed.
        strong, weak, val (int): number of images of each list.
        size (tuple): (H, W) of the images, each at least 8.
    """
    root = Path(root)
    lists = root / 'ImageSets' / 'Segmentation'
    for folder in (lists, *(root / name for name in (
            'JPEGImages', 'SegmentationClass', 'Annotations'))):
        folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for name, number in (('strong', strong), ('weak', weak), ('val', val)):
        ids = [f'{name[0]}{i}' for i in range(number)]
        (lists / f'{name}.txt').write_text(''.join(f'{image_id}\n' for image_id in ids))
        for i, image_id in enumerate(ids):
            _write_image(root, image_id, 1 + i % 2, size, rng)
    (root / 'classes.txt').write_text(''.join(f'{name}\n' for name in CLASSES))


def _write_image(root, image_id, label, size, rng):
    height, width = size
    side = min(size) // 2
    y, x = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
    mask = np.zeros(size, np.uint8)
    mask[y:y + side, x:x + side] = label
    image = rng.integers(0, 100, (*size, 3), dtype=np.uint8)
    image[mask > 0] = COLOURS[label]
    Image.fromarray(image).save(root / 'JPEGImages' / f'{image_id}.jpg', quality=95)
    write_mask(root / 'SegmentationClass' / f'{image_id}.png', mask)
    write_annotation(root / 'Annotations' / f'{image_id}.xml', CLASSES[label],
                     (x, y, x + side, y + side), size)


def write_mask(path, mask):
    """Write an index mask, uint8 (H, W), as a palette PNG."""
    png = Image.fromarray(mask)
    png.putpalette(voc_palette().tobytes())
    png.save(path)


def read_mask(path):
    """The labels of a palette PNG in VOC's colours."""
    with Image.open(path) as image:
        assert image.mode == 'P' and image.getpalette()[3:6] == [128, 0, 0]
        return np.array(image)


def mask_files(folder):
    """Name of a mask -> its bytes, and the time when it was written."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns)
            for path in Path(folder).glob('*.png')}


def write_annotation(path, name, box, size=(12, 16)):
    """Write a VOC XML file with one object; `box` is 0-based and half-open, `size` is (H, W)."""
    x1, y1, x2, y2 = box
    path.write_text(ANNOTATION.format(
        name=name, width=size[1], height=size[0], xmin=x1 + 1, ymin=y1 + 1, xmax=x2, ymax=y2))


def crashing_mat(name, depth=50000):
    """The bytes of a .mat file of a cell in a cell in a cell, on which SciPy runs out of stack."""
    def element(kind, data):
        return struct.pack('<II', kind, len(data)) + data + b'\0' * (-len(data) % 8)

    def head(name=b'', kind=1):
        return (element(6, struct.pack('<II', kind, 0)) + element(5, struct.pack('<2i', 1, 1))
                + element(1, name))

    content = head(kind=6) + element(9, struct.pack('<d', 1))
    first, cell = head(name.encode()), head()
    sizes = [len(content) + (len(cell) + 8) * i for i in range(depth + 1)]
    parts = [struct.pack('<II', 14, len(first) + 8 + sizes[-1]), first]
    for size in sizes[:0:-1]:
        parts += [struct.pack('<II', 14, size), cell]
    parts += [struct.pack('<II', 14, sizes[0]), content]
    return b'MATLAB 5.0 MAT-file'.ljust(124) + b'\x00\x01IM' + b''.join(parts)
