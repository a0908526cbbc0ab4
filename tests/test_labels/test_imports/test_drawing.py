"""Shapes on small pictures, painted here by slices."""
from array import array

import numpy as np
import pytest
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.imports.drawing import draw_shapes, read_colour_mask
from mmseg_wss.labels.imports.records import ColourMask, Runs, Shape

LABELS = dict(background=0, cat=1, dog=2)
SIZE = 12, 16


def square(x1, y1, x2, y2):
    return [array('d', [x1, y1, x2, y1, x2, y2, x1, y2])]


def region(name, *box, **more):
    return Shape('region', name, square(*box), 'shape 1', **more)


def test_the_smaller_is_on_top_unless_the_tool_knows():
    large, small = region('cat', 2, 2, 12, 10), region('dog', 4, 4, 7, 7)
    expected = np.zeros(SIZE, np.uint8)
    expected[2:10, 2:12] = 1
    below = expected.copy()
    expected[4:7, 4:7] = 2
    assert (draw_shapes([small, large], LABELS, SIZE).mask == expected).all()
    assert (draw_shapes([small, large._replace(level=7)], LABELS, SIZE).mask == below).all()
    assert (draw_shapes([small._replace(level=-3), large], LABELS, SIZE).mask == below).all()


def test_ignored_regions_and_regions_of_the_background():
    drawn = draw_shapes([region('cat', 2, 2, 12, 10), region('background', 3, 3, 5, 5),
                         region('other', 6, 6, 9, 9, is_ignored=True)], LABELS, SIZE)
    expected = np.zeros(SIZE, np.uint8)
    expected[2:10, 2:12], expected[3:5, 3:5], expected[6:9, 6:9] = 1, 0, 255
    assert (drawn.mask == expected).all()
    assert drawn.names == ['cat'] and drawn.boxes == [(2, 2, 12, 10)]


def test_a_box_around_a_region_is_the_same_object():
    outline = region('cat', 2, 2, 8, 8)
    same, other = (Shape('box', 'cat', box, 'shape 2') for box in ((1, 2, 8, 8), (9, 2, 14, 8)))
    drawn = draw_shapes([outline, same, other], LABELS, SIZE)
    expected = np.zeros(SIZE, np.uint8)
    expected[2:8, 2:8], expected[2:8, 9:14] = 1, 255
    assert (drawn.mask == expected).all()
    assert drawn.boxes == [(2, 2, 8, 8), (9, 2, 14, 8)]


def test_boxes_alone_have_no_mask():
    drawn = draw_shapes([Shape('box', 'dog', (-2., 3.4, 5.6, 30.), 'shape 1')], LABELS, SIZE)
    assert drawn.mask is None and drawn.names == ['dog'] and drawn.boxes == [(0, 3, 6, 12)]


def test_a_click_without_extent_is_no_object():
    drawn = draw_shapes([Shape('box', 'dog', (3., 3., 3., 3.), 'shape 1'),
                         region('cat', 5, 5, 5.2, 9)], LABELS, SIZE)
    assert drawn.mask is None and not drawn.names and sum(drawn.left_out.values()) == 2


def test_runs_go_along_the_rows_of_their_window():
    drawn = draw_shapes([Shape('region', 'cat', Runs(3, 5, 2, 4, array('q', [1, 4, 3])), 'mask 1')],
                        LABELS, SIZE)
    assert np.argwhere(drawn.mask).tolist() == [[3, 6], [3, 7], [3, 8], [4, 5]]


@pytest.mark.parametrize('shape, message', [
    (Shape('region', 'cat', Runs(3, 5, 2, 4, array('q', [1, 4, 4])), 'mask 1'), 'add up'),
    (Shape('region', 'cat', Runs(3, 5, 2, 40, array('q', [80])), 'mask 1'), 'not within'),
    (Shape('region', 'cat', Runs(3, -5, 2, 4, array('q', [8])), 'mask 1'), 'not within'),
    (Shape('region', 'cat', square(0, 0, 1e7, 3), 'mask 1'), 'far outside'),
    (Shape('box', 'cat', (40., 2., 50., 4.), 'mask 1'), 'outside the image'),
    (Shape('point', 'cat', np.array([[1e6, 2.]]), 'mask 1'), 'far outside')])
def test_what_is_wrong_is_named(shape, message):
    with pytest.raises(ValueError, match=rf'mask 1 \(cat\): .*{message}'):
        draw_shapes([shape], LABELS, SIZE)


def test_colours_are_classes(tmp_path):
    picture = np.zeros((*SIZE, 3), np.uint8)
    picture[1:4, 2:5], picture[6:8, 6:9], picture[9, 9] = (250, 50, 83), (9, 9, 9), (224, 224, 192)
    Image.fromarray(picture).save(tmp_path / 'a.png')
    colours = {(0, 0, 0): 'background', (250, 50, 83): 'dog', (224, 224, 192): None}
    with pytest.raises(DataError, match=r'a.png: .*1 colour.*\(9, 9, 9\)'):
        read_colour_mask(ColourMask(tmp_path / 'a.png', colours), LABELS)
    colours[9, 9, 9] = 'left out'
    expected = np.zeros(SIZE, np.uint8)
    expected[1:4, 2:5], expected[9, 9] = 2, 255
    assert (read_colour_mask(ColourMask(tmp_path / 'a.png', colours), LABELS) == expected).all()
