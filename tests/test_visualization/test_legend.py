"""Overlays: a clear background, colours of the classes, and a legend that shows those there are."""
import numpy as np

from mmseg_wss.labels.palette import voc_palette
from mmseg_wss.visualization.legend import draw_masks, legend

CLASSES = ['background', *(f'Name Nr. {k} ä' for k in range(1, 21))]


def colours(picture):
    return {tuple(map(int, colour)) for colour in picture.reshape(-1, 3)}


def test_the_background_is_clear_and_objects_are_tinted():
    image = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    mask = np.zeros((60, 90), np.uint8)
    mask[10:20, 30:50] = 5
    picture = draw_masks(image, [mask], CLASSES, voc_palette())
    assert picture.shape[0] > 60 and picture.shape[1] == 90
    assert (picture[:60][mask == 0] == image[mask == 0]).all()
    expected = 0.55 * voc_palette()[5] + 0.45 * image[mask == 5]
    assert abs(picture[:60][mask == 5] - expected).max() <= 1
    strip = colours(picture[60:])
    assert tuple(voc_palette()[5]) in strip and tuple(voc_palette()[1]) not in strip


def test_nothing_found_is_the_image():
    image = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    picture = draw_masks(image, [np.zeros((60, 90), np.uint8)], CLASSES, voc_palette())
    assert (picture == image).all()


def test_a_large_photograph_is_shrunk():
    image, mask = np.zeros((30, 4000, 3), np.uint8), np.ones((30, 4000), np.uint8)
    picture = draw_masks(image, [mask], CLASSES, voc_palette(), max_side=400)
    assert picture.shape[1] == 400
    assert (picture[:3] == np.round(0.55 * voc_palette()[1])).all()


def test_a_legend_takes_as_many_rows_as_it_needs():
    entries = [(name, tuple(map(int, voc_palette()[k]))) for k, name in enumerate(CLASSES)]
    wide, narrow = legend(entries, 3000), legend(entries, 200)
    assert wide.shape[1] == 3000 and narrow.shape[1] == 200
    assert narrow.shape[0] > 5 * legend(entries[:1], 200).shape[0]
    for strip in wide, narrow:
        assert colours(strip) >= {colour for _, colour in entries}
    assert legend([], 50).shape == (0, 50, 3)
