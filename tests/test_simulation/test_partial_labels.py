"""Points and scribbles on pictures whose right answer is known, on drawn scenes, on photographs."""
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from mmseg_wss.simulation.partial_labels import (
    Region,
    background_region,
    draw_points,
    draw_scribbles,
    largest_piece,
    object_regions,
)
from mmseg_wss.simulation.scribble_path import inner_distance, medial_path
from mmseg_wss.simulation.shapes import draw_scene

DRAW = [draw_points, draw_scribbles]
SEEDS = range(8)


def rng(seed=0):
    return np.random.default_rng(seed)


def num_pieces(pixels):
    return ndimage.label(pixels, np.ones((3, 3)))[1]


def scene(seed):
    """A mask with a void band around its objects, as VOC's have, and its instances."""
    _, instances, labels = draw_scene(rng(seed))
    mask = np.array([0, *labels], np.uint8)[instances]
    mask[cv2.dilate(instances, np.ones((3, 3), np.uint8)) != instances] = 255
    return mask, instances


def draw_one(draw, pixels, seed=0, **options):
    labels = draw([Region(7, pixels)], pixels.shape, rng(seed), **options)
    assert set(np.unique(labels)) <= {7, 255} and labels.dtype == np.uint8
    return labels == 7


# ---- what holds for any picture

@pytest.mark.parametrize('draw', DRAW)
@pytest.mark.parametrize('seed', SEEDS)
def test_every_object_gets_one_connected_label_of_its_class_inside_it(draw, seed):
    mask, instances = scene(seed)
    objects = object_regions(mask, instances)
    assert len(objects) == instances.max() >= 1
    labels = draw(objects + background_region(mask), mask.shape, rng(seed))
    drawn = labels != 255
    assert np.array_equal(labels[drawn], mask[drawn])  # so void pixels have no label, either
    for number in range(1, instances.max() + 1):
        assert num_pieces(drawn & (instances == number) & (mask != 255)) == 1
    assert num_pieces(labels == 0) == 1
    assert 0 < drawn.mean() < 0.1


@pytest.mark.parametrize('draw', DRAW)
def test_the_generator_alone_decides(draw):
    mask, instances = scene(3)
    regions = object_regions(mask, instances)
    first, again, other = (draw(regions, mask.shape, rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize('draw', DRAW)
def test_shapeless_regions(draw):
    """Thresholded noise: holes, necks of one pixel, pieces of every size."""
    for seed in SEEDS:
        pixels = cv2.GaussianBlur(rng(seed).normal(size=(60, 80)), (0, 0), 1.5) > 0.02
        drawn = draw_one(draw, pixels, seed)
        assert drawn.any() and not (drawn & ~largest_piece(pixels)).any()
        assert num_pieces(drawn) == 1


def test_photographs(msrc):
    shares = []
    for image_id in (msrc / 'ImageSets/Segmentation/train_weak60.txt').read_text().split()[::9]:
        mask, instances = (np.array(Image.open(msrc / folder / f'{image_id}.png'))
                           for folder in ('SegmentationClass', 'SegmentationObject'))
        objects = object_regions(mask, instances)
        labels = draw_scribbles(objects + background_region(mask), mask.shape, rng())
        drawn = labels != 255
        assert np.array_equal(labels[drawn], mask[drawn])
        for number in set(instances.ravel()) - {0, 255}:
            assert num_pieces(drawn & (instances == number)) == 1, (image_id, number)
        shares.append(drawn.mean())
    assert len(shares) == 25 and 0.01 < np.mean(shares) < 0.04
    assert min(shares) > 0.002 and max(shares) < 0.08


# ---- known pictures

def ring(inner, outer):
    y, x = np.mgrid[-40:41, -40:41]
    return (np.hypot(y, x) >= inner) & (np.hypot(y, x) < outer)


@pytest.mark.parametrize('inner, outer', [(20, 36), (30, 34), (34, 35.5)])
def test_scribble_of_a_ring_is_an_arc(inner, outer):
    pixels = ring(inner, outer)
    for seed in SEEDS:
        drawn = draw_one(draw_scribbles, pixels, seed)
        assert not (drawn & ~pixels).any() and num_pieces(drawn) == 1
        y, x = np.nonzero(drawn)
        sectors = np.unique(np.arctan2(y - 40, x - 40) // (np.pi / 18))  # of 36
        assert 9 <= len(sectors) <= 22


@pytest.mark.parametrize('line', ['row', 'column', 'diagonal', 'corner'])
def test_scribble_of_a_thin_line_is_most_of_it(line):
    pixels = np.zeros((50, 50), bool)
    i = np.arange(50)
    pixels[dict(row=(20, i), column=(i, 49), diagonal=(i, i),
                corner=(np.where(i < 25, i, 25), np.where(i < 25, 3, i - 22)))[line]] = True
    for seed in SEEDS:
        drawn = draw_one(draw_scribbles, pixels, seed)
        assert not (drawn & ~pixels).any() and num_pieces(drawn) == 1
        assert 25 <= drawn.sum() <= 50


@pytest.mark.parametrize('draw', DRAW)
@pytest.mark.parametrize('where', [(0, 0), (4, 5), (8, 11)])
def test_an_object_of_one_pixel(draw, where):
    pixels = np.zeros((9, 12), bool)
    pixels[where] = True
    assert np.array_equal(draw_one(draw, pixels), pixels)
    pixels[:] = False
    pixels[where[0], :2] = True
    assert not (draw_one(draw, pixels) & ~pixels).any()


def test_labels_keep_off_the_frame():
    """A person does not scribble on the edge of the picture, though the object reaches it."""
    for seed in SEEDS:
        for draw in DRAW:
            drawn = draw_one(draw, np.ones((60, 90), bool), seed)
            assert drawn[3:-3, 3:-3].sum() == drawn.sum()


def test_scribble_runs_along_the_middle():
    pixels = np.zeros((60, 200), bool)
    pixels[10:41, 10:190] = True
    for seed in SEEDS:
        rows, columns = np.nonzero(draw_one(draw_scribbles, pixels, seed))
        assert np.ptp(columns) > 80
        assert abs(rows.mean() - 25) < 8 and rows.min() > 11 and rows.max() < 39


def test_scribble_follows_the_bends():
    """An S of bars 11 wide: the way through it is far longer than the one across."""
    pixels = np.zeros((75, 60), bool)
    for row in (2, 32, 62):
        pixels[row:row + 11, 2:58] = True
    pixels[2:43, 47:58] = pixels[32:73, 2:13] = True
    for seed in SEEDS:
        drawn = draw_one(draw_scribbles, pixels, seed)
        assert drawn[32:43].any() and drawn[2:32, 47:].any() and drawn[43:73, :13].any()
        assert drawn.sum() > 3 * 100


def test_length_is_in_proportion_and_width_is_as_asked():
    def area(scale, width):
        pixels = np.ones((40 * scale, 100 * scale), bool)
        return np.mean([draw_one(draw_scribbles, pixels, seed, width=width).sum()
                        for seed in SEEDS])

    assert 1.7 < area(2, 3) / area(1, 3) < 2.3
    assert 1.4 < area(2, 5) / area(2, 3) < 1.9
    assert 3 * 60 < area(1, 3) < 3 * 120


@pytest.mark.parametrize('size', [(400, 600), (5, 3000)])
def test_large_regions(size):
    drawn = draw_one(draw_scribbles, np.ones(size, bool))
    assert num_pieces(drawn) == 1 and 0.3 < np.ptp(np.nonzero(drawn)[1]) / size[1] < 1


def test_points_of_the_path_are_in_the_region():
    for seed in SEEDS:
        pixels = largest_piece(
            cv2.GaussianBlur(rng(seed).normal(size=(50, 70)), (0, 0), 2) > 0)
        path = np.rint(medial_path(pixels, rng(seed))).astype(int)
        assert pixels[tuple(path.T)].all()


def test_a_point_is_a_disc_well_inside():
    pixels = np.zeros((60, 60), bool)
    pixels[5:50, 10:55] = True
    y, x = np.mgrid[-3:4, -3:4]
    centres = set()
    for seed in SEEDS:
        assert draw_one(draw_points, pixels, seed, radius=0).sum() == 1
        drawn = draw_one(draw_points, pixels, seed)
        (row, *_), (column, *_) = (np.flatnonzero(drawn.any(axis)) for axis in (1, 0))
        assert np.array_equal(drawn[row:row + 7, column:column + 7], y * y + x * x <= 9)
        assert drawn.sum() == 29
        centres.add((row + 3, column + 3))
        assert 5 + 10 < row + 3 < 50 - 10 and 10 + 10 < column + 3 < 55 - 10
    assert len(centres) > 1


def test_a_point_stays_on_one_side_of_a_gap():
    pixels = np.zeros((9, 40), bool)
    pixels[1] = pixels[3] = True
    drawn = draw_one(draw_points, pixels)
    assert drawn.any(1).sum() == 1 and 4 <= drawn.sum() <= 7


def test_a_region_that_is_listed_twice_gets_two_points():
    region = Region(0, np.ones((40, 60), bool))
    for seed in SEEDS:
        labels = draw_points([region] * 3, (40, 60), rng(seed))
        assert num_pieces(labels == 0) == 3
    tiny = Region(0, np.ones((2, 2), bool))
    assert (draw_points([tiny] * 3, (2, 2), rng()) == 0).all()


def test_distance_to_the_outline():
    pixels = rng().random((30, 40)) > 0.02
    outside = np.argwhere(~np.pad(pixels, 1)) - 1
    inside = np.argwhere(pixels)
    expected = np.zeros(pixels.shape)
    expected[pixels] = np.sqrt(((inside[:, None] - outside) ** 2).sum(2).min(1))
    assert (inner_distance(pixels) == expected).all()  # exactly: ties decide what is drawn


@pytest.mark.parametrize('draw', DRAW)
def test_a_hundred_runs_draw_the_same(draw):
    mask, instances = scene(3)

    def run(_):
        return draw(object_regions(mask, instances), mask.shape, rng(5)).tobytes()
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(run, range(100)))) == 1


# ---- regions

def as_sets(regions):
    return {(label, pixels.tobytes()) for label, pixels in regions}


def test_objects_without_instances_are_connected_pieces_of_a_class():
    mask = rng().integers(0, 4, (12, 15)).astype(np.uint8)
    mask[mask == 3] = 255
    expected = set()
    for label in (1, 2):
        pieces, count = ndimage.label(mask == label, np.ones((3, 3)))
        expected |= {(label, (pieces == i).tobytes()) for i in range(1, count + 1)}
    regions = object_regions(mask)
    assert len(regions) == len(expected) and as_sets(regions) == expected
    large = object_regions(mask, min_area=5)
    assert as_sets(large) == {(a, b) for a, b in expected if sum(b) >= 5} != expected


def test_instances():
    mask = np.array([[1, 1, 1, 1, 2, 0],
                     [1, 1, 255, 1, 2, 2],
                     [0, 0, 0, 0, 0, 0],
                     [2, 0, 2, 255, 1, 0]], np.uint8)
    instances = np.array([[5, 5, 3, 3, 3, 0],
                          [5, 5, 3, 3, 0, 0],
                          [0, 0, 0, 0, 255, 0],
                          [9, 0, 9, 7, 255, 0]], np.uint8)
    regions = object_regions(mask, instances)
    assert [(label, np.argwhere(pixels).tolist()) for label, pixels in regions] == [
        (1, [[0, 2], [0, 3], [1, 3]]),  # 3: most of it is 1; its void pixel has no class
        (1, [[0, 0], [0, 1], [1, 0], [1, 1]]),  # 5 touches 3
        (2, [[3, 0], [3, 2]]),  # 9: in two pieces; 7 is void
        (2, [[1, 4], [1, 5]])]  # in no instance; [0, 4] is of 3, which is not of its class
    assert [len(np.argwhere(pixels)) for _, pixels in object_regions(mask, instances, 3)] == [3, 4]


def test_an_instance_on_the_background_is_shown_as_such():
    assert object_regions(np.zeros((2, 2), np.uint8), np.eye(2, dtype=np.uint8))[0].label == 0


def test_background_is_its_largest_piece():
    mask = np.ones((6, 9), np.uint8)
    mask[0, :3] = mask[2:4, 5:] = 0
    (label, pixels), = background_region(mask)
    assert label == 0 and pixels.sum() == 8 and pixels[2:4, 5:].all()
    assert background_region(mask, 9) == [] == background_region(np.ones((3, 3), np.uint8))
