"""The drawn data set: its files are checked against each other by brute force."""
import hashlib
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmseg_wss.labels.palette import voc_palette
from mmseg_wss.simulation.scratch import scratch_pixels
from mmseg_wss.simulation.shapes import (
    HARD_CLASSES,
    SHAPE_CLASSES,
    draw_scene,
    ensure_shapes,
    make_shapes,
)

NUM_IMAGES = (4, 12, 8)
STEMS = [f'{i:06d}' for i in range(1, 25)]


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp('data') / 'shapes'
    make_shapes(root, num_images=NUM_IMAGES)
    return root


def read_mask(root, stem):
    return np.array(Image.open(root / 'SegmentationClass' / f'{stem}.png'))


def read_xml(root, stem):
    """Return [(class name, (xmin, ymin, xmax, ymax) as written)] and the whole tree."""
    tree = ET.parse(root / 'Annotations' / f'{stem}.xml').getroot()
    return [(node.findtext('name'),
             tuple(int(node.findtext(f'bndbox/{k}')) for k in ('xmin', 'ymin', 'xmax', 'ymax')))
            for node in tree.iter('object')], tree


def components(mask):
    """Return [(label, set of (row, col))]: 8-connected pieces of equal label, by flood fill."""
    todo = {(r, c): int(mask[r, c]) for r, c in zip(*np.nonzero((mask > 0) & (mask < 255)))}
    found = []
    while todo:
        seed, label = next(iter(todo.items()))
        piece, stack = set(), [seed]
        while stack:
            pixel = stack.pop()
            if todo.get(pixel) == label:
                del todo[pixel]
                piece.add(pixel)
                stack += [(pixel[0] + i, pixel[1] + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        found.append((label, piece))
    return found


def digests(root):
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in root.rglob('*') if path.is_file()}


def test_boxes_are_the_tight_boxes_of_the_mask_pieces(root):
    # As the pieces and the boxes agree one to one, no pixel of an object lies outside its box.
    seen = set()
    for stem in STEMS:
        pieces = components(read_mask(root, stem))
        expected = []
        for label, pixels in pieces:
            assert len(pixels) >= 64
            rows, cols = zip(*pixels)
            box = (min(cols) + 1, min(rows) + 1, max(cols) + 1, max(rows) + 1)
            expected.append((SHAPE_CLASSES[label], box))
            seen.add(label)
        objects, _ = read_xml(root, stem)
        assert 1 <= len(objects) <= 3
        assert sorted(objects) == sorted(expected)
    assert seen == {1, 2, 3, 4}


def test_void_is_a_band_of_one_pixel_around_the_objects(root):
    for stem in STEMS:
        mask = np.pad(read_mask(root, stem), 2)
        # Where one object covers the rim of another, the two bands lie side by side.
        reach = 1 if len(read_xml(root, stem)[0]) == 1 else 2
        assert set(np.unique(mask)) <= {0, 1, 2, 3, 4, 255}
        rows, cols = np.indices(mask.shape)[:, 2:-2, 2:-2].reshape(2, -1)
        for r, c in zip(rows, cols):
            around = {int(v) for v in mask[r - 1:r + 2, c - 1:c + 2].flat} - {0, 255}
            if mask[r, c] == 255:
                near = mask[r - reach:r + reach + 1, c - reach:c + reach + 1]
                assert set(near.flat) - {0, 255}, 'void away from every object'
            elif mask[r, c] == 0:
                assert not around, 'background touches an object'
            else:
                assert around == {mask[r, c]}, 'two classes touch'


def test_masks_are_palette_images_with_the_voc_colours(root):
    png = Image.open(root / 'SegmentationClass' / '000001.png')
    assert png.mode == 'P'
    assert png.getpalette() == voc_palette().ravel().tolist()


def test_files_and_lists_are_complete_and_disjoint(root):
    lists = [(root / 'ImageSets' / 'Segmentation' / f'{split}.txt').read_text().split()
             for split in ('train_strong', 'train_weak', 'val')]
    assert tuple(len(names) for names in lists) == NUM_IMAGES
    assert sorted(sum(lists, [])) == STEMS
    for folder, suffix in (('JPEGImages', 'jpg'), ('SegmentationClass', 'png'),
                           ('Annotations', 'xml')):
        assert sorted(os.listdir(root / folder)) == [f'{stem}.{suffix}' for stem in STEMS]
    assert (root / 'classes.txt').read_text().splitlines() == list(SHAPE_CLASSES)
    assert os.listdir(root.parent) == ['shapes'], 'a scratch folder was left behind'


def test_image_mask_and_annotation_have_the_same_size(tmp_path):
    make_shapes(tmp_path / 'shapes', num_images=(1, 0, 0), size=(60, 90))
    image = Image.open(tmp_path / 'shapes' / 'JPEGImages' / '000001.jpg')
    _, tree = read_xml(tmp_path / 'shapes', '000001')
    assert image.mode == 'RGB' and image.size == (90, 60)
    assert read_mask(tmp_path / 'shapes', '000001').shape == (60, 90)
    assert [tree.findtext(f'size/{key}') for key in ('width', 'height', 'depth')] == [
        '90', '60', '3']
    assert tree.findtext('filename') == '000001.jpg'


@pytest.mark.parametrize('size', [(48, 48), (96, 128)])
def test_scene_labels_number_its_instances(size):
    counts = set()
    for seed in range(150):
        image, instances, labels = draw_scene(np.random.default_rng(seed), size)
        assert image.shape == (*size, 3) and image.dtype == np.uint8
        assert instances.shape == size and instances.dtype == np.uint8
        numbers, pixels = np.unique(instances, return_counts=True)
        assert numbers.tolist() == list(range(len(labels) + 1)) and min(pixels) >= 64
        assert set(labels) <= {1, 2, 3, 4}
        rim = instances.copy()
        rim[1:-1, 1:-1] = 0
        assert not rim.any(), 'no room for the void band at the border'
        counts.add(len(labels))
    assert counts == {1, 2, 3}


def test_outlines_tell_the_classes_apart():
    # Share of its smallest enclosing circle that a shape fills, from plane geometry.
    inner = 0.42
    star = 5 * inner * np.sin(np.pi / 5) / np.pi
    fills = {1: 1, 2: 2 / np.pi, 3: 3 * 3**0.5 / 4 / np.pi, 4: star}
    seen = set()
    for seed in range(60):
        _, instances, labels = draw_scene(np.random.default_rng(seed), (192, 256))
        if len(labels) == 1:  # nothing hides it
            rows, cols = np.nonzero(instances)
            points = np.stack([rows, cols], 1).astype(float)
            centre = points.mean(0)  # every one of these shapes has its circle's centre there
            radius = np.hypot(*(points - centre).T).max() + 0.5
            assert len(points) / (np.pi * radius**2) == pytest.approx(fills[labels[0]], rel=0.12)
            seen.add(labels[0])
    assert seen == {1, 2, 3, 4}


def test_the_seed_decides_every_byte(root, tmp_path):
    make_shapes(tmp_path / 'same', num_images=NUM_IMAGES)
    make_shapes(tmp_path / 'other', num_images=NUM_IMAGES, seed=1)
    first, same, other = digests(root), digests(tmp_path / 'same'), digests(tmp_path / 'other')
    assert same == first
    assert other.keys() == first.keys()
    pictures = [name for name in first if name.startswith(('JPEGImages', 'SegmentationClass'))]
    assert len({first[name] for name in pictures}) == len(pictures)
    assert all(other[name] != first[name] for name in pictures)


def test_the_rare_class_is_in_few_images_and_small(root, tmp_path):
    """A quarter of 4, 12 and 8 images: one piece, within 0.3 % of 96 x 128 pixels, and its box."""
    make_shapes(tmp_path / 'hard', num_images=NUM_IMAGES, rare_share=0.25)
    rare = []
    for stem in STEMS:
        pieces = components(read_mask(tmp_path / 'hard', stem))
        expected = [(HARD_CLASSES[label], (min(c) + 1, min(r) + 1, max(c) + 1, max(r) + 1))
                    for label, pixels in pieces for r, c in [list(zip(*pixels))]]
        assert sorted(read_xml(tmp_path / 'hard', stem)[0]) == sorted(expected)
        scratches = [pixels for label, pixels in pieces if label == 5]
        if scratches:
            rare.append(stem)
            assert len(scratches) == 1 and 12 <= len(scratches[0]) < 0.003 * 96 * 128
    lists = [path.read_text().split() for path in (
        tmp_path / f'hard/ImageSets/Segmentation/{split}.txt'
        for split in ('train_strong', 'train_weak', 'val'))]
    assert [len(set(names) & set(rare)) for names in lists] == [1, 3, 2]
    assert (tmp_path / 'hard/classes.txt').read_text().splitlines() == list(HARD_CLASSES)
    plain, hard = digests(root), digests(tmp_path / 'hard')
    assert {name for name in plain if hard[name] != plain[name]} == {
        'classes.txt', 'shapes.json', *(f'{folder}/{stem}.{suffix}' for stem in rare for
                                        folder, suffix in (('JPEGImages', 'jpg'),
                                                           ('SegmentationClass', 'png'),
                                                           ('Annotations', 'xml')))}
    with pytest.raises(ValueError, match='Remove it, or choose another folder'):
        ensure_shapes(tmp_path / 'hard', num_images=NUM_IMAGES)
    ensure_shapes(tmp_path / 'hard', num_images=NUM_IMAGES, rare_share=0.25)


def test_scratches_are_thin_and_keep_away_from_objects():
    objects = np.zeros((96, 128), np.uint8)
    objects[20:80, 30:90] = 3
    for seed in range(60):
        pixels = scratch_pixels(np.random.default_rng(seed), objects)
        (y, x), near = np.nonzero(pixels), np.zeros((96, 128), bool)
        for row, column in zip(y, x):
            near[max(row - 2, 0):row + 3, max(column - 2, 0):column + 3] = True
        assert not objects[near].any() and y.min() >= 2 and y.max() <= 93
        spread = np.linalg.svd(np.stack([y - y.mean(), x - x.mean()], 1), compute_uv=False)
        assert 2.5 < spread[0] / spread[1] < 6.5  # four times as long as wide
    assert not scratch_pixels(np.random.default_rng(0), np.ones((96, 128), np.uint8)).any()


def test_an_interrupted_drawing_leaves_nothing(tmp_path, monkeypatch):
    """The folder gets its name when all is in it."""
    make_shapes(tmp_path / 'whole', num_images=(1, 1, 1))

    def stop(source, target):
        assert digests(Path(source)) == digests(tmp_path / 'whole')
        assert not Path(target).exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(os, 'rename', stop)
    with pytest.raises(KeyboardInterrupt):
        make_shapes(tmp_path / 'shapes', num_images=(1, 1, 1))
    assert os.listdir(tmp_path) == ['whole']


def test_a_faster_process_wins_quietly(tmp_path, monkeypatch):
    rename = os.rename

    def late(source, target):
        monkeypatch.setattr(os, 'rename', rename)
        make_shapes(target, num_images=(1, 1, 1))
        winner.update(digests(target), inode=os.stat(target).st_ino)
        rename(source, target)

    winner = {}
    monkeypatch.setattr(os, 'rename', late)
    ensure_shapes(tmp_path / 'shapes', num_images=(1, 1, 1))
    assert winner.pop('inode') == os.stat(tmp_path / 'shapes').st_ino
    assert digests(tmp_path / 'shapes') == winner
    assert os.listdir(tmp_path) == ['shapes']


def test_ensure_draws_once(tmp_path):
    root = tmp_path / 'new' / 'shapes'
    ensure_shapes(str(root), num_images=(1, 1, 1))
    (root / 'JPEGImages' / '000001.jpg').write_bytes(b'mine')
    ensure_shapes(str(root), num_images=[1, 1, 1], seed=0)
    assert (root / 'JPEGImages' / '000001.jpg').read_bytes() == b'mine'
    for options in (dict(seed=1), dict(size=(64, 64)), dict(num_images=(1, 1, 2))):
        with pytest.raises(ValueError, match='Remove it, or choose another folder') as info:
            ensure_shapes(root, **{'num_images': (1, 1, 1), **options})
        assert str(root) in str(info.value)


@pytest.mark.parametrize('kind', ['empty folder', 'other folder', 'file'])
def test_ensure_refuses_what_it_did_not_draw(tmp_path, kind):
    root = tmp_path / 'mine'
    if kind == 'file':
        root.write_text('mine')
    else:
        root.mkdir()
        if kind == 'other folder':
            (root / 'notes.txt').write_text('mine')
    before = digests(tmp_path)
    with pytest.raises(ValueError, match='Remove it, or choose another folder') as info:
        ensure_shapes(root, num_images=(1, 1, 1))
    assert str(root) in str(info.value)
    assert digests(tmp_path) == before and os.listdir(tmp_path) == ['mine']


@pytest.mark.parametrize('options, word', [
    (dict(num_images=(1, 1)), 'num_images'),
    (dict(num_images=(1, -1, 1)), 'num_images'),
    (dict(num_images=(1, 1, 1), size=(47, 128)), '48'),
    (dict(num_images=(1, 1, 1), seed=-1), 'non-negative'),
    (dict(num_images=(1, 1, 1), rare_share=1.1), 'rare_share'),
    (dict(num_images=(1, 1, 1), rare_share=0.1, size=(96, 96)), 'need 10000 pixels'),
])
def test_wrong_options_are_refused(tmp_path, options, word):
    with pytest.raises(ValueError, match=word):
        make_shapes(tmp_path / 'shapes', **options)
    assert os.listdir(tmp_path) == []
