"""A small synthetic data set, textured shapes in the PASCAL VOC devkit layout, drawn on first use.

All shapes have the same area at the same scale, and textures are drawn independently of the class.
The hue leans towards the class but overlaps with its neighbours', so that a small network learns in
minutes, yet needs the outline to be sure. A hard variant has a further class, scratches, that is
small and rare.
"""
import colorsys
import json
import os
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmseg_wss.labels.boxes import tight_box
from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.labels.formats.voc_xml import voc_xml
from mmseg_wss.labels.palette import voc_palette
from mmseg_wss.simulation.scratch import MIN_AREA, scratch_pixels

SHAPE_CLASSES = ('background', 'disc', 'square', 'triangle', 'star')
HARD_CLASSES = (*SHAPE_CLASSES, 'scratch')

_VERSION = 1  # raise it whenever the same options would draw different files
_STAMP = 'shapes.json'
_SPLITS = ('train_strong', 'train_weak', 'val')
_NUM_IMAGES = (40, 160, 60)
_SIZE = (96, 128)
_MIN_SIDE = 48  # below this the smallest shape has fewer than _MIN_PIXELS pixels
_MIN_PIXELS = 64
_HUE_SPREAD = 0.08  # standard deviation, of the full circle; the classes are 0.25 apart
_MIN_KEPT = 0.7  # share of its visible pixels that an object keeps when another one covers it


def draw_scene(rng, size=_SIZE, scratch=False):
    """Draw one to three textured shapes on a cluttered background.

    No object touches the border. Later ones may cover earlier ones in part, but each keeps at least
    64 visible pixels in one 8-connected piece, also without the void band of :func:`make_shapes`.

    Args:
        rng (np.random.Generator): source of all randomness.
        size (tuple): height and width in pixels, each at least 48.
        scratch (bool): draw a scratch too, of one bright colour, where it touches no object
            (`scratch_pixels`).

    Returns:
        tuple: the image, uint8 array (H, W, 3), RGB; the instances, uint8 array (H, W), 0 for the
        background and i for the i-th object; and the label of each object, list of int, indices
        into ``HARD_CLASSES``.

    Raises:
        ValueError: a side of ``size`` is too small.
    """
    if min(size) < _MIN_SIDE:
        raise ValueError(f'size must be at least {_MIN_SIDE} x {_MIN_SIDE} pixels, got {size}')
    image = _background(rng, size)
    instances = np.zeros(size, np.uint8)
    labels = []
    for label in rng.integers(1, len(SHAPE_CLASSES), size=rng.integers(1, 4)):
        placed = _place(rng, SHAPE_CLASSES[label], instances)
        if placed is not None:
            instances = placed
            labels.append(int(label))
            inside = instances == len(labels)
            image[inside] = _object_texture(rng, size, label)[inside]
    if scratch and (pixels := scratch_pixels(rng, instances)).any():
        labels.append(HARD_CLASSES.index('scratch'))
        instances[pixels] = len(labels)
        image[pixels] = _colour(rng, (0.5, 1), (0.8, 1))
    # Soft edges and sensor noise, as a camera would give.
    image = cv2.GaussianBlur(image, (0, 0), 0.6) + rng.normal(0, 5, image.shape)
    return image.clip(0, 255).astype(np.uint8), instances, labels


def make_shapes(root, num_images=_NUM_IMAGES, seed=0, size=_SIZE, rare_share=0.):
    """Draw the data set into the new folder ``root``; parent folders are made as needed.

    It holds ``JPEGImages/*.jpg``; ``SegmentationClass/*.png``, palette images whose values are
    indices into ``SHAPE_CLASSES``, with a band of 255 (void), one pixel wide, around each object;
    ``Annotations/*.xml`` with the tight box of each object's labelled pixels (1-based, inclusive);
    ``ImageSets/Segmentation/{train_strong,train_weak,val}.txt``; and ``classes.txt``, whose
    lines are ``SHAPE_CLASSES``. The same options always give the same files.

    With `rare_share` there is one more class, the last of ``HARD_CLASSES``: scratches, one in each
    of few images, with fewer than 0.3 % of its pixels. The other images stay as they are.

    The folder gets its name only when it is complete. A ``root`` that exists by then (most likely
    another process was faster) is left as it is; :func:`ensure_shapes` checks what it holds.

    Args:
        root (str or os.PathLike): the folder to make.
        num_images (tuple): number of images in train_strong, train_weak and val.
        seed (int): seed of the random generator, not negative.
        size (tuple): height and width of the images in pixels, each at least 48.
        rare_share (float): share of the images of each list that have a scratch, evenly spread;
            0.03 is hard. Images have 10 000 pixels or more then.

    Raises:
        ValueError: ``num_images`` is not three non-negative numbers, or ``seed``, ``size`` or
            ``rare_share`` is out of range.
    """
    if not 0 <= rare_share <= 1:
        raise ValueError(f'rare_share must be a share of the images in 0..1, got {rare_share}')
    if rare_share and size[0] * size[1] < MIN_AREA:
        raise ValueError(f'rare_share={rare_share} draws scratches of under 0.3 % of the pixels, '
                         f'so images need {MIN_AREA} pixels, but size is {size}')
    if len(num_images) != len(_SPLITS) or min(num_images) < 0:
        raise ValueError(f'num_images must be one non-negative number for each of '
                         f'{", ".join(_SPLITS)}, got {num_images}')
    root = Path(root).absolute()
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'.{root.name}-', dir=root.parent) as scratch:
        # One level down, because the temporary folder itself is closed to other users.
        folder = Path(scratch, 'shapes')
        _write_dataset(folder, num_images, seed, size, rare_share)
        try:
            os.rename(folder, root)
        except OSError:
            if not root.exists():
                raise


def ensure_shapes(root, **kwargs):
    """Call :func:`make_shapes` unless ``root`` already holds the data set of these options.

    Several processes may call it at the same time. Arguments are those of :func:`make_shapes`.

    Raises:
        ValueError: ``root`` exists and holds something else. Else as :func:`make_shapes`.
    """
    root = Path(root)
    if not root.exists():
        make_shapes(root, **kwargs)
    # A folder gets its name only when it is complete, so the stamp speaks for all its files.
    stamp, expected = root / _STAMP, _stamp(**kwargs)
    if not stamp.is_file() or stamp.read_text() != expected:
        raise ValueError(f'{root}: exists but is not the shapes data set with the options '
                         f'{expected}. Remove it, or choose another folder.')


def _stamp(num_images=_NUM_IMAGES, seed=0, size=_SIZE, rare_share=0.):
    stamp = {'version': _VERSION, 'num_images': [int(n) for n in num_images], 'seed': int(seed),
             'size': [int(side) for side in size]}
    return json.dumps({**stamp, 'rare_share': float(rare_share)} if rare_share else stamp)


def _write_dataset(folder, num_images, seed, size, rare_share):
    lists = folder / 'ImageSets' / 'Segmentation'
    lists.mkdir(parents=True)
    for name in ('JPEGImages', 'SegmentationClass', 'Annotations'):
        (folder / name).mkdir()
    first = 1
    for split, number in zip(_SPLITS, num_images):
        stems = [f'{index:06d}' for index in range(first, first + number)]
        first += number
        for i, stem in enumerate(stems):
            scratch = round((i + 1) * rare_share) > round(i * rare_share)
            _write_scene(folder, stem, np.random.default_rng([seed, int(stem)]), size, scratch)
        (lists / f'{split}.txt').write_text(''.join(f'{stem}\n' for stem in stems))
    classes = HARD_CLASSES if rare_share else SHAPE_CLASSES
    (folder / 'classes.txt').write_text(''.join(f'{name}\n' for name in classes))
    (folder / _STAMP).write_text(_stamp(num_images, seed, size, rare_share))


def _write_scene(folder, stem, rng, size, scratch):
    image, instances, labels = draw_scene(rng, size, scratch)
    void = _void_band(instances)
    mask = np.array([0, *labels], np.uint8)[instances]
    mask[void] = IGNORE
    instances[void] = 0
    Image.fromarray(image).save(folder / 'JPEGImages' / f'{stem}.jpg', quality=95)
    png = Image.fromarray(mask)
    png.putpalette(voc_palette().tobytes())
    png.save(folder / 'SegmentationClass' / f'{stem}.png')
    names = [HARD_CLASSES[label] for label in labels]
    boxes = [tight_box(instances == i) for i in range(1, len(labels) + 1)]
    (folder / 'Annotations' / f'{stem}.xml').write_text(
        voc_xml(f'{stem}.jpg', instances.shape, names, boxes))


def _void_band(instances):
    """Mark the pixels that touch an object above them, one of a higher number, (H, W) bool."""
    return cv2.dilate(instances, np.ones((3, 3), np.uint8)) != instances


def _place(rng, name, instances):
    """Return ``instances`` with one more object, or None where no room was found for it."""
    height, width = instances.shape
    for _ in range(20):
        points = _outline(name, rng.uniform(0, 2 * np.pi))
        points *= rng.uniform(0.12, 0.22) * min(height, width)
        # Two pixels from the border, so that the void band closes around every object.
        points += rng.uniform(2 - points.min(0), (width - 3, height - 3) - points.max(0))
        placed = instances.copy()
        cv2.fillPoly(placed, [np.int32(points * 16)], int(instances.max()) + 1, shift=4)
        if _all_visible(instances, placed):
            return placed
    return None


def _outline(name, angle):
    """Return the corners (N, 2), as x and y, of a shape of the area of the unit disc."""
    corners = {'disc': 64, 'square': 4, 'triangle': 3, 'star': 10}[name]
    angles = angle + np.arange(corners) * 2 * np.pi / corners
    points = np.stack([np.cos(angles), np.sin(angles)], 1)
    if name == 'star':
        points[1::2] *= 0.42
    return points * np.sqrt(np.pi / cv2.contourArea(points.astype(np.float32)))


def _all_visible(before, after):
    labelled = np.where(_void_band(after), 0, after)
    for i in range(1, int(after.max()) + 1):
        part = (labelled == i).astype(np.uint8)
        pieces = cv2.connectedComponents(part, connectivity=8)[0] - 1  # less the background
        if pieces != 1 or part.sum() < max(_MIN_PIXELS, _MIN_KEPT * (before == i).sum()):
            return False
    return True


def _colour(rng, saturation, value, hue=None):
    """Return a colour of this hue or any, (3,) in 0..255; the others are ranges within 0..1."""
    hsv = rng.uniform() if hue is None else hue, rng.uniform(*saturation), rng.uniform(*value)
    return 255 * np.array(colorsys.hsv_to_rgb(*hsv))


def _mix(blend, rng, saturation, value, hue=None):
    """Colour ``blend``, (H, W) within 0..1, between two random colours, (H, W, 3) float."""
    one, other = (_colour(rng, saturation, value, hue) for _ in range(2))
    return one + blend[..., None] * (other - one)


def _smooth_noise(rng, size, sigma):
    """Return noise with details about ``sigma`` pixels wide, (H, W) within 0..1."""
    noise = cv2.GaussianBlur(rng.normal(size=size), (0, 0), sigma)
    return cv2.normalize(noise, None, 0, 1, cv2.NORM_MINMAX)


def _background(rng, size):
    """Return clouds and lines in dull colours, (H, W, 3) float within 0..255."""
    dull = (0, 0.35), (0.25, 0.65)
    height, width = size
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:height, :width]
    ramp = 0.5 + (x / width - 0.5) * np.cos(angle) / 2 + (y / height - 0.5) * np.sin(angle) / 2
    noise = _smooth_noise(rng, size, 6) + 0.4 * _smooth_noise(rng, size, 1)
    image = _mix((ramp + noise) / 2.4, rng, *dull)
    for _ in range(rng.integers(4, 10)):
        ends = rng.integers(0, (width, height), size=(2, 2)).tolist()
        cv2.line(image, *ends, _colour(rng, *dull).tolist(), int(rng.integers(1, 4)))
    return image


def _object_texture(rng, size, label):
    """Return stripes, checks, dots or noise in two vivid colours, (H, W, 3) float in 0..255."""
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[:size[0], :size[1]] / rng.uniform(5, 10)
    u = (x * np.cos(angle) + y * np.sin(angle)) % 1 - 0.5
    v = (y * np.cos(angle) - x * np.sin(angle)) % 1 - 0.5
    kinds = u > 0, (u > 0) ^ (v > 0), np.hypot(u, v) < 0.32, _smooth_noise(rng, size, 1.5)
    hue = (label / (len(SHAPE_CLASSES) - 1) + rng.normal(0, _HUE_SPREAD)) % 1
    return _mix(kinds[rng.integers(len(kinds))], rng, (0.5, 1), (0.6, 1), hue)
