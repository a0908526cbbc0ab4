import base64
import io
import json
from array import array

import numpy as np
from import_bench import kinds, read
from PIL import Image

from mmseg_wss.labels.formats.outlines import outline_region


def labelme(*shapes, image='1.jpg', flags={}, **more):
    return json.dumps(dict(version='5.5.0', flags=flags, imagePath=image, imageData=None,
                           imageHeight=20, imageWidth=30, shapes=list(shapes), **more))


def shape(kind, *points, label='cat', **more):
    return dict(label=label, points=points, shape_type=kind, **more)


def test_what_shapes_become(tmp_path):
    labels, images = read(tmp_path, ['1.jpg'], {'1.json': labelme(
        shape('polygon', [1, 1], [5, 1], [5, 5]), shape(None, [1, 1], [5, 1], [5, 5]),
        shape('rectangle', [9, 8], [3, 4]), shape('linestrip', [1, 1], [2, 9], [4, 9]),
        shape('line', [1, 1], [2, 9]), shape('point', [3, 3]),
        flags=dict(dog=True, bird=False))})
    assert not labels.faults
    image = images['1.jpg']
    assert [kind for kind, _ in kinds(image)] == [
        'region', 'region', 'box', 'scribble', 'scribble', 'point']
    assert image.shapes[2].data == (3, 4, 9, 8) and image.tags == ('dog', )
    assert image.size == (20, 30) and image.is_labelled


def test_a_circle_is_its_centre_and_a_point_on_it(tmp_path):
    _, images = read(tmp_path, ['1.jpg'], {'1.json': labelme(shape('circle', [15, 10], [15, 17]))})
    region = outline_region(images['1.jpg'].shapes[0].data, (20, 30))
    rows, columns = np.mgrid[:20, :30] + 0.5
    disc = np.hypot(rows - 10, columns - 15) < 7
    found = np.zeros((20, 30), bool)
    found[region.top:region.top + 14, region.left:region.left + 14] = region.mask
    assert (found != disc).sum() < 0.03 * disc.sum()


def test_a_mask_is_a_png_for_its_window(tmp_path):
    mask = np.zeros((4, 5), np.uint8)
    mask[0, 0], mask[1:3, 1:4] = 255, 255
    png = io.BytesIO()
    Image.fromarray(mask).save(png, 'PNG')
    text = base64.b64encode(png.getvalue()).decode()
    _, images = read(tmp_path, ['1.jpg'], {
        '1.json': labelme(shape('mask', [7, 6], [11, 9], mask=text))})
    assert images['1.jpg'].shapes[0].data == (
        6, 7, 4, 5, array('q', [0, 1, 5, 3, 2, 3, 6]))


def test_folders_of_the_files_are_folders_of_the_images(tmp_path):
    labels, images = read(tmp_path, ['images/b/1.jpg', 'images/c/1.jpg'], {
        f'json/{name}/1.json': labelme(flags={name: True}) for name in 'abc'})
    assert {name: image.tags for name, image in images.items()} == {
        'images/b/1.jpg': ('b', ), 'images/c/1.jpg': ('c', )}
    assert len(labels.faults) == 1 and 'a/1.json: no image of this name' in labels.faults[0]


def test_what_is_wrong_is_named(tmp_path):
    labels, images = read(tmp_path, ['1.jpg', 'img/2.jpg'], {
        'a.json': labelme(shape('polygon', [1, 1], [5, 1])),
        'b.json': labelme(shape('cube', [1, 1])),
        'c.json': labelme(shape('mask', [1, 1], [2, 2], mask='!')),
        'd.json': labelme(shape('point', [1, 1], label=' ')),
        'e.json': labelme(shape('point', [1, float('nan')])),
        'f.json': labelme(image='gone.jpg'), 'g.json': labelme(image='..\\img\\2.jpg')})
    assert sorted(images) == ['img/2.jpg'] and len(labels.faults) == 6
    for fault, name, what in zip(labels.faults, 'abcdef', (
            '2 corner', "'cube'", 'no base64', 'no class name', 'finite', 'no image of this name')):
        assert f'{name}.json' in fault and what in fault
