"""Pictures, pixel by pixel where the truth is known."""
import numpy as np
import pytest
from PIL import Image

from mmseg_wss.visualization import colour_mask, draw_boxes, overlay_mask, save_panels
from mmseg_wss.visualization.panels import IGNORED, side_text

PALETTE = [(0, 0, 0), (200, 0, 0), (0, 200, 0)]


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def test_a_mask_gets_its_colours_pixel_by_pixel():
    mask = np.array([[0, 1, 2], [255, 2, 1]], np.uint8)
    table = {**dict(enumerate(PALETTE)), 255: IGNORED}
    coloured = colour_mask(mask, PALETTE)
    for y, x in np.ndindex(mask.shape):
        assert tuple(coloured[y, x]) == table[mask[y, x]]


def test_an_overlay_leaves_the_background_clear_and_tints_objects(image):
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[10:20, 10:20] = 1
    overlaid = overlay_mask(image, mask, PALETTE, alpha=0.5)
    assert (overlaid[mask == 0] == image[mask == 0]).all()
    tinted = (image[mask == 1].astype(float) + PALETTE[1]) / 2
    assert np.abs(overlaid[mask == 1] - tinted).max() <= 1


def test_ignored_pixels_are_hatched_in_part(image):
    hatched = overlay_mask(image, np.full(image.shape[:2], 255, np.uint8), PALETTE)
    share = (hatched == IGNORED).all(2).mean()
    assert 0.2 < share < 0.5


def test_the_outline_of_a_box_runs_through_its_outermost_pixels_inside(image):
    drawn = draw_boxes(image * 0, np.array([[20., 10., 50., 30.]]), [2], ['', '', ''], PALETTE)
    rows, columns = np.nonzero((drawn == PALETTE[2]).all(2))
    assert (columns.min(), rows.min(), columns.max(), rows.max()) in [
        (20, 10, 49, 29), (19, 9, 50, 30)]  # the line is two pixels wide
    assert (drawn[29, 30] == PALETTE[2]).all() and (drawn[20, 49] == PALETTE[2]).all()
    assert not drawn[15:25, 30:40].any()


def test_drawing_does_not_write_into_its_input(image):
    before = image.copy()
    draw_boxes(image, np.array([[2., 2., 9., 9.]]), [1], ['', 'a', ''], PALETTE)
    overlay_mask(image, np.ones(image.shape[:2], np.uint8), PALETTE)
    assert (image == before).all()


def test_panels_are_written_whole(image, tmp_path):
    path = tmp_path / 'new' / 'panel.png'
    save_panels(path, [('one', (image, image)), ('two', (image, image))], ('a', 'b'),
                ['bg', 'red', 'green'], PALETTE)
    assert Image.open(path).size[0] > 300
    assert [file.name for file in path.parent.iterdir()] == ['panel.png']


def test_a_text_beside_a_row_is_broken_and_cut():
    text = side_text('a' * 60 + '\ntags: ' + ', '.join(['upper body'] * 60), width=20, lines=8)
    lines = text.split('\n')
    assert len(lines) == 8 and max(map(len, lines)) <= 20 and lines[-1] == '...'
    assert lines[:3] == ['a' * 20] * 3 and lines[3].startswith('tags: upper body')
    assert side_text('one\n\ntwo') == 'one\n\ntwo'
