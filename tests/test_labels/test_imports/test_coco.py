import json

import pytest
from import_bench import kinds, read
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.imports.importer import read_labels
from mmseg_wss.labels.imports.recognise import recognise

BOX = dict(bbox=[2, 3, 10, 5.5])


def coco(names, annotations, categories, **more):
    return json.dumps(dict(
        images=[dict(id=number, file_name=name, height=20, width=30, **more)
                for number, name in enumerate(names)],
        annotations=[dict(entry, id=number) for number, entry in enumerate(annotations)],
        categories=[dict(id=number, name=name, supercategory=above)
                    for number, name, above in categories]))


def test_equal_names_in_other_folders(tmp_path):
    names = 'a/1.jpg', 'b/1.jpg'
    labels, images = read(tmp_path, [f'pictures/{name}' for name in names], {'x.json': coco(
        names, [dict(BOX, image_id=1, category_id=4)], [(4, 'cat', '')])})
    assert not labels.faults
    assert kinds(images['pictures/a/1.jpg']) == []
    assert kinds(images['pictures/b/1.jpg']) == [('box', 'cat')]
    assert images['pictures/b/1.jpg'].shapes[0].data == (2, 3, 12, 8.5)


@pytest.mark.parametrize('outline, kind', [
    ([], 'box'), ([[]], 'box'), (None, 'box'), ([['a']], 'region'), ([[], []], 'region')])
def test_boxes_have_no_outline(tmp_path, outline, kind):
    """One that is wrong is no missing one: a region, a fault when it is drawn."""
    labels, images = read(tmp_path, ['1.jpg'], {'x.json': coco(
        ['1.jpg'], [dict(BOX, image_id=0, category_id=4, segmentation=outline)], [(4, 'cat', '')])})
    assert kinds(images['1.jpg']) == [(kind, 'cat')]


def test_a_name_without_its_folder_may_mean_two_images(tmp_path):
    labels, images = read(tmp_path, ['a/1.jpg', 'b/1.jpg'], {'x.json': coco(
        ['1.jpg'], [], [(4, 'cat', '')])})
    assert not images and '2 images may be meant' in labels.faults[0]


def test_names_of_other_machines(tmp_path):
    labels, images = read(tmp_path, ['a/1.jpg', 'b/1.jpg', 'b/2.jpg'], {'x.json': coco(
        ['C:\\data\\b\\1.jpg', '/home/me/2.jpg', 'gone.jpg'], [], [(4, 'cat', '')])})
    assert sorted(images) == ['b/1.jpg', 'b/2.jpg']
    assert len(labels.faults) == 1 and (
        'no image of this name' in labels.faults[0] and "'gone.jpg'" in labels.faults[0])


def named(root, there, names):
    """The images that COCO's `names` find, and the faults."""
    labels, images = read(root, there, {'x.json': coco(
        names, [dict(BOX, image_id=number, category_id=4) for number in range(len(names))],
        [(4, 'cat', '')])})
    return sorted(images), labels.faults


@pytest.mark.parametrize('top', ['', 'images/', 'photos/'])
@pytest.mark.parametrize('names', [['a/1.jpg', '2.jpg'], ['a/1.jpg', 'b/1.jpg', '2.jpg']])
def test_a_missing_image_is_not_that_of_another_folder(tmp_path, top, names):
    found, faults = named(tmp_path, [f'{top}b/1.jpg', f'{top}2.jpg'], names)
    assert found == sorted(f'{top}{name}' for name in names[1:])
    assert len(faults) == 1 and "'a/1.jpg'" in faults[0] and 'no image of this name' in faults[0]


@pytest.mark.parametrize('names', [['/x/a/1.jpg', '/x/b/1.jpg'], ['a/1.jpg', '1.jpg']])
def test_a_guess_is_not_the_image_of_another_entry(tmp_path, names):
    there = 'b/1.jpg' if names[0][0] == '/' else '1.jpg'
    found, faults = named(tmp_path, [there, '2.jpg'], [*names, '2.jpg'])
    assert found == ['2.jpg'] and len(faults) == 1
    assert f'no image of this name: {names[0]!r}' in faults[0]


@pytest.mark.parametrize('there, names', [
    (['b/1.jpg', 'b/2.jpg'], ['/x/a/1.jpg', '/x/b/2.jpg']),
    (['b/1.jpg', 'a/2.jpg'], ['/x/a/1.jpg', '/x/a/2.jpg']),
    (['1.jpg', 'a/2.jpg'], ['a/1.jpg', 'a/2.jpg']), (['1.jpg', 'b/2.jpg'], ['a/1.jpg', 'b/2.jpg']),
    (['1.jpg', 'b/2.jpg'], ['/x/a/1.jpg', '/x/b/2.jpg'])])
@pytest.mark.parametrize('top', ['', 'images/'])
def test_the_places_of_others_say_what_is_missing(tmp_path, there, names, top):
    found, faults = named(tmp_path, [f'{top}{name}' for name in there], names)
    assert found == [f'{top}{there[1]}'] and len(faults) == 1
    assert 'no image of this name' in faults[0] and repr(names[0]) in faults[0]


def test_names_of_this_machine(tmp_path):
    found, faults = named(tmp_path, ['b/1.jpg', '2.jpg'], [f'{tmp_path}/a/1.jpg', '2.jpg'])
    assert found == ['2.jpg'] and len(faults) == 1


def test_roboflow(tmp_path):
    """Its parent of all categories is no class; each split has a file, in a folder of its own."""
    files = {f'{split}/_annotations.coco.json': coco(
        [f'{split}.jpg'], [dict(BOX, image_id=0, category_id=number)],
        [(0, 'things', 'none'), (1, 'dog', 'things'), (2, 'cat', 'things')])
        for split, number in (('train', 1), ('valid', 2), ('test', 2))}
    labels, images = read(tmp_path, [f'{x}/{x}.jpg' for x in ('train', 'valid', 'test')], files)
    assert labels.classes == ['dog', 'cat'] and 'left out things' in labels.notes[0]
    assert {name: image.split for name, image in images.items()} == {
        'train/train.jpg': 'train', 'valid/valid.jpg': 'val', 'test/test.jpg': 'test'}


def test_a_class_with_the_name_of_its_parent_stays(tmp_path):
    labels, _ = read(tmp_path, ['1.jpg'], {'x.json': coco(
        ['1.jpg'], [dict(BOX, image_id=0, category_id=2)],
        [(0, 'wall', 'none'), (1, 'door', 'wall'), (2, 'wall', 'wall')])})
    assert labels.classes == ['door', 'wall'] and not labels.notes


def test_a_parent_that_has_objects_is_a_class(tmp_path):
    labels, _ = read(tmp_path, ['1.jpg'], {'x.json': coco(
        ['1.jpg'], [dict(BOX, image_id=0, category_id=9)],
        [(9, 'animal', ''), (3, 'cat', 'animal')])})
    assert labels.classes == ['cat', 'animal']  # by id


def test_outlines_crowds_and_what_is_neither(tmp_path):
    square = [[2, 2, 8, 2, 8, 8]]
    labels, images = read(tmp_path, ['1.jpg'], {'x.json': coco(['1.jpg'], [
        dict(image_id=0, category_id=1, segmentation=square),
        dict(image_id=0, category_id=1, segmentation=square, iscrowd=1),
        dict(image_id=0, category_id=1, segmentation=[], **BOX),
        dict(image_id=0, category_id=1, segmentation=[], bbox=[1, 2, 'x', 4]),
        dict(image_id=0, category_id=2, **BOX), dict(image_id=7, category_id=1, **BOX)],
        [(1, 'cat', '')])})
    image = images['1.jpg']
    assert kinds(image) == [('region', 'cat'), ('region', 'cat'), ('box', 'cat')]
    assert [item.is_ignored for item in image.shapes] == [False, True, False]
    assert len(labels.faults) == 3 and all('x.json' in fault for fault in labels.faults)


def test_results_have_their_images_in_another_file(tmp_path):
    (tmp_path / 'instances.json').write_text(coco(
        ['1.jpg', '2.jpg'], [dict(BOX, image_id=0, category_id=1)],
        [(1, 'cat', ''), (2, 'dog', '')]))
    results = [dict(BOX, image_id=0, category_id=2, score=0.7),
               dict(BOX, image_id=1, category_id=1, score=0.3), dict(image_id=1, category_id=1,
               segmentation=dict(size=[20, 30], counts=[100, 200, 300]), score=0.6)]
    (tmp_path / 'results.json').write_text(json.dumps(results))
    for name in '12':
        Image.new('RGB', (30, 20)).save(tmp_path / f'{name}.jpg')
    export = recognise(str(tmp_path / 'results.json'))
    labels = read_labels(export, instances=str(tmp_path / 'instances.json'), min_score=0.5)
    assert [kinds(image) for image in labels.images] == [[('box', 'dog')], [('region', 'cat')]]
    assert '2 of 3 results' in labels.notes[0] and not labels.faults
    with pytest.raises(DataError, match='results.json: .*--instances'):
        read_labels(export)
