"""Outlines against a ray cast from every pixel, run lengths against loops, both against COCO's own
library."""
import tracemalloc
from array import array

import numpy as np
import pytest
from label_exports import column_runs

from mmseg_wss.labels.formats import outlines
from mmseg_wss.labels.formats.outlines import decode_counts, even_odd_mask, outline_region

SHAPE = 13, 17


def random_polygon(rng, corners, low=-4, high=20):
    return rng.uniform(low, high, (corners, 2))


def whole(region, shape):
    mask = np.zeros(shape, bool)
    height, width = region.mask.shape
    mask[region.top:region.top + height, region.left:region.left + width] = region.mask
    return mask


def cast_rays(points, shape):
    """For each pixel, whether a ray from its centre to the left crosses the outline oddly often."""
    mask = np.zeros(shape, bool)
    for y, x in np.ndindex(shape):
        for (x1, y1), (x2, y2) in zip(points, np.roll(points, -1, axis=0)):
            if (y1 <= y + 0.5) != (y2 <= y + 0.5):
                at = (y + 0.5 - y1) / (y2 - y1)
                mask[y, x] ^= x1 + at * (x2 - x1) <= x + 0.5
    return mask


# ---- polygons

def test_pixels_are_those_whose_centres_are_inside():
    rng = np.random.default_rng(0)
    for corners in (3, 4, 5, 9) * 15:  # they cross themselves, and reach outside
        points = random_polygon(rng, corners)
        expected = cast_rays(points, SHAPE)
        assert np.array_equal(even_odd_mask(points, SHAPE), expected)
        region = outline_region([array('d', points.ravel())], SHAPE)
        assert np.array_equal(whole(region, SHAPE), expected)


@pytest.mark.parametrize('box, rows, columns', [
    ((2, 3, 6, 5), (3, 5), (2, 6)),
    ((2.5, 3.5, 6.5, 5.5), (3, 5), (2, 6)),  # on centres: the upper left ones are inside
    ((2.6, 3.4, 6.4, 5.6), (3, 6), (3, 6)),
    ((-7, -9, 3, 2), (0, 2), (0, 3)),
    ((12, 10, 90, 80), (10, 13), (12, 17)),
    ((-9, -9, 99, 99), (0, 13), (0, 17)),
    ((2.6, 3, 3.4, 9), (3, 9), (3, 3)),  # between two columns of centres
    ((30, 3, 40, 9), (0, 0), (0, 0))])
def test_rectangles(box, rows, columns):
    x1, y1, x2, y2 = box
    expected = np.zeros(SHAPE, bool)
    expected[slice(*rows), slice(*columns)] = True
    for points in ([x1, y1, x2, y1, x2, y2, x1, y2], [x1, y2, x2, y2, x2, y1, x1, y1]):
        assert np.array_equal(whole(outline_region([points], SHAPE), SHAPE), expected)


@pytest.mark.parametrize('block', [1, 7, 40])
def test_edges_in_blocks_of_any_size(monkeypatch, block):
    monkeypatch.setattr(outlines, '_BLOCK', block)
    rng = np.random.default_rng(1)
    for corners in (3, 4, 9, 30) * 3:
        points = random_polygon(rng, corners)
        assert np.array_equal(even_odd_mask(points, SHAPE), cast_rays(points, SHAPE))


def zigzag(corners, height, width):
    rows = np.where(np.arange(corners) % 2, height, 0)
    return array('d', np.stack([np.linspace(0, width, corners), rows], axis=1).ravel())


def spiral(corners, height, width):
    turn = np.arange(corners)
    across = np.array([width, height]) / 2 * (turn / corners)[:, None]
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return array('d', (np.array([width, height]) / 2 + across * circle).ravel())


def repeated(corners, height, width):
    return array('d', [0, 0, width, height] * (corners // 2))


@pytest.mark.parametrize('outline', [zigzag, spiral, repeated])
@pytest.mark.parametrize('corners, height, width', [
    (5000, 480, 640), (5000, 1500, 1500), (1000, 20000, 10), (20000, 300, 400)])
def test_memory_is_that_of_the_picture_and_the_corners(outline, corners, height, width):
    polygon = outline(corners, height, width)
    tracemalloc.start()
    try:
        outline_region([polygon], (height, width))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * height * width + 200 * corners + 8e6


def test_parts_are_united():
    square, other = [1, 1, 6, 1, 6, 6, 1, 6], [4, 4, 9, 4, 9, 9, 4, 9]
    mask = whole(outline_region([square, other], SHAPE), SHAPE)
    expected = np.zeros(SHAPE, bool)
    expected[1:6, 1:6] = expected[4:9, 4:9] = True
    assert np.array_equal(mask, expected)


@pytest.mark.parametrize('polygon', [[5, 5], [5, 5, 9, 9], [5, 5, 9, 5, 7, 5]])
def test_polygons_without_area_have_no_pixel(polygon):
    assert not outline_region([polygon], SHAPE).mask.any()


# ---- run lengths

def compressed(counts):
    """COCO's text of run lengths."""
    text = ''
    for i, count in enumerate(counts):
        number = count - counts[i - 2] if i > 2 else count
        while True:
            group, number = number & 31, number >> 5
            more = number != (-1 if group & 16 else 0)
            text += chr(48 + group + 32 * more)
            if not more:
                break
    return text


@pytest.fixture(params=[0.05, 0.5, 0.999])
def mask(request):
    """Columns with long and short runs, first and last pixel of either kind."""
    rng = np.random.default_rng(3)
    return np.repeat(rng.random((37, 4)) < request.param, 12, axis=1)


def test_run_lengths(mask):
    counts = column_runs(mask)
    assert decode_counts(compressed(counts)).tolist() == counts
    for form in (counts, array('q', counts), compressed(counts)):
        region = outline_region(dict(size=list(mask.shape), counts=form), mask.shape)
        assert np.array_equal(whole(region, mask.shape), mask)


def test_large_numbers_and_differences():
    counts = [0, 2 ** 31, 1, 16, 2 ** 30, 15, 2 ** 20, 0, 31, 32, 1023, 1024]
    assert decode_counts(compressed(counts)).tolist() == counts


def distance(points, spots):
    """Least distance of each spot (S, 2) from the outline of a polygon."""
    ends = np.roll(points, -1, axis=0)
    along, offset = ends - points, spots[:, None] - points
    place = ((offset * along).sum(-1) / (along ** 2).sum(-1)).clip(0, 1)
    return np.linalg.norm(offset - place[..., None] * along, axis=-1).min(1)


@pytest.mark.filterwarnings('ignore:__array__ implementation')
def test_runs_are_those_of_cocos_library(mask):
    library = pytest.importorskip('pycocotools.mask', reason='pycocotools is not installed')
    encoded = library.encode(np.asfortranarray(mask, np.uint8))
    assert decode_counts(encoded['counts'].decode()).tolist() == column_runs(mask)


@pytest.mark.filterwarnings('ignore:__array__ implementation')
def test_polygons_are_those_of_cocos_library():
    """Up to a fifth of a pixel, to which the library rounds them before it draws."""
    library = pytest.importorskip('pycocotools.mask', reason='pycocotools is not installed')
    rng = np.random.default_rng(4)
    both, more, less = 0, 0, 0
    for corners in (3, 5, 8, 20) * 10:
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
        radius = rng.uniform(10, 50, corners)[:, None]
        points = 60 + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        (theirs, ) = library.frPyObjects([points.ravel().tolist()], 120, 120)
        theirs, ours = library.decode(theirs).astype(bool), even_odd_mask(points, (120, 120))
        assert (distance(points, np.argwhere(theirs != ours)[:, ::-1] + 0.5) < 0.2).all()
        both, more, less = (both + (ours & theirs).sum(), more + (ours & ~theirs).sum(),
                            less + (theirs & ~ours).sum())
    assert more + less < 0.01 * both and abs(more - less) < 0.002 * both


# ---- faults

POLYGON, NUMBERS = r'polygon \(number 1\)', 'has run lengths that are not whole numbers'
TEXT = 'has counts that are no compressed run lengths'
SIZE = list(SHAPE)


@pytest.mark.parametrize('segmentation, says', [
    (None, 'is missing'), ([], 'is missing'), (5, 'is missing'), ('abc', 'is missing'),
    ([1, 2, 3, 4, 5, 6], POLYGON), ([[1, 2, 3]], POLYGON), ([[]], POLYGON),
    ([[1, 2, 3, 'a']], POLYGON), ([[1, 2, 3, float('nan')]], POLYGON), ([{}], POLYGON),
    ([[1, 2, 3, float('inf')]], POLYGON), ([[1, 2, 3, 10 ** 400]], POLYGON),
    ([[1, 2, 3, 4, 5, 6], [[1, 2], [3, 4]]], r'polygon \(number 2\)'),
    (dict(counts=[221]), r'size None, but its image is \[13, 17\]'),
    (dict(counts=[221], size=[17, 13]), r'size \[17, 13\]'),
    (dict(size=SIZE), NUMBERS), (dict(size=SIZE, counts=[220]), NUMBERS),
    (dict(size=SIZE, counts=[-1, 222]), NUMBERS), (dict(size=SIZE, counts=['a']), NUMBERS),
    (dict(size=SIZE, counts=[0.5, 220.5]), NUMBERS), (dict(size=SIZE, counts=[1e15]), NUMBERS),
    (dict(size=SIZE, counts='0'), NUMBERS), (dict(size=SIZE, counts=''), TEXT),
    (dict(size=SIZE, counts='o'), TEXT), (dict(size=SIZE, counts='!'), TEXT),
    (dict(size=SIZE, counts='\u00e9'), TEXT), (dict(size=SIZE, counts='\ud800'), TEXT),
    (dict(size=SIZE, counts='o' * 20 + '0'), TEXT),
    # absurd ones
    ([[1, 2, 5, 2, 5, 500]], r'the corner \(5, 500\), far outside the image of 17x13 pixels'),
    ([[1, 2, 5, 2, -200, 5]], r'the corner \(-200, 5\), far outside'),
    ([[1, 2, 5, 2, 5, 5], [9e8, 2, 3, 3]], r'number 2\) with the corner \(9e\+08, 2\), far'),
    ([[1, 2, 5, 2, -1e9, 5]], POLYGON), ([[1, 2, 5, 2, 1e300, 5]], POLYGON),
    ([[0, 0, 9, 9] * 5001], 'has 10002 corners, but the image has 221 pixels: at most 10000'),
    ([[0, 0, 9, 9] * 2600] * 2, 'has 10400 corners'),
    (dict(size=SIZE, counts=[0, 2 ** 62, 2 ** 62, 2 ** 62, 2 ** 62, 221]), NUMBERS)])
def test_faults(segmentation, says):
    with pytest.raises(ValueError, match=says):
        outline_region(segmentation, SHAPE)
