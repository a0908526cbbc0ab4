from array import array

import pytest
from import_bench import kinds, read

from mmseg_wss.errors import DataError
from mmseg_wss.labels.imports.importer import chosen_classes

HEAD = ('<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version><meta><job>'
        '<labels><label><name>dog</name><attributes><attribute><name>old</name></attribute></attributes>'
        '</label><label><name>cat</name></label></labels></job></meta>')


def cvat(*images):
    return HEAD + ''.join(images) + '</annotations>'


def image(name, *shapes, more=''):
    return f'<image id="0" name="{name}" width="30" height="20" {more}>{"".join(shapes)}</image>'


def test_what_shapes_become(tmp_path):
    labels, images = read(tmp_path, ['images/1.jpg'], {'annotations.xml': cvat(image(
        '1.jpg', '<box label="cat" xtl="3" ytl="4" xbr="9.5" ybr="8" z_order="3"><attribute '
        'name="old">true</attribute></box>', '<polygon label="dog" points="1,1;5.50,1;5,5"/>',
        '<polyline label="cat" points="1,1;5,5"/>', '<points label="cat" points="4,4;8,9"/>',
        '<ellipse label="dog" cx="9" cy="9" rx="3" ry="2" z_order="-1"/>',
        '<mask label="dog" rle="2, 3, 1" left="5" top="7" width="3" height="2" z_order="1"/>',
        '<tag label="dog"/>'))})
    assert not labels.faults and labels.classes == ['dog', 'cat']  # no attribute among them
    found = images['images/1.jpg']
    assert kinds(found) == [('box', 'cat'), ('region', 'dog'), ('scribble', 'cat'),
                            ('point', 'cat'), ('region', 'dog'), ('region', 'dog')]
    assert [item.level for item in found.shapes] == [3, 0, 0, 0, -1, 1]
    assert found.shapes[0].data == (3, 4, 9.5, 8) and found.tags == ('dog', )
    assert found.shapes[5].data == (7, 5, 2, 3, array('q', [2, 3, 1]))
    assert found.size == (20, 30)


POLYGON = '<polygon label="{}" points="1,1;5.50,1;5,5"/>'


@pytest.mark.parametrize('shape, name', [
    (POLYGON.format('bird'), 'bird'), ('<tag label="bird"/>', 'bird'),
    (POLYGON.format('old'), 'old'), (POLYGON.format('nose'), 'nose')])
def test_a_label_that_the_file_does_not_list_is_a_fault(tmp_path, shape, name):
    """Attributes, and parts of skeletons, are no labels."""
    part = '<label><name>nose</name><type>points</type><parent>dog</parent></label></labels>'
    labels, images = read(tmp_path, ['1.jpg', '2.jpg'], {'a.xml': cvat(
        image('1.jpg', shape), image('2.jpg', POLYGON.format('cat'))).replace('</labels>', part)})
    assert list(images) == ['2.jpg'] and labels.classes == ['dog', 'cat']
    fault, = labels.faults
    assert "a.xml: '1.jpg'" in fault and f'the label {name!r}, which' in fault


def test_without_a_list_of_labels_all_are_classes(tmp_path):
    text = '<annotations>' + image('1.jpg', POLYGON.format('bird')) + '</annotations>'
    labels, images = read(tmp_path, ['1.jpg'], {'a.xml': text})
    assert not labels.faults and kinds(images['1.jpg']) == [('region', 'bird')]


def test_tags_that_are_no_objects_are_named(tmp_path):
    labels, _ = read(tmp_path, ['1.jpg'], {'a.xml': cvat(image(
        '1.jpg', '<box label="cat" xtl="3" ytl="4" xbr="9.5" ybr="8"/>', '<tag label="dog"/>',
        '<tag label="cat"/>'))})
    assert chosen_classes(labels, None, (), 'a.xml') == ['dog', 'cat']
    note, = labels.notes
    assert 'tags of dog, but nothing is drawn' in note
    assert chosen_classes(labels, ['cat'], (), 'a.xml') == ['cat'] and len(labels.notes) == 1


def test_the_upright_box_around_a_turned_one(tmp_path):
    _, images = read(tmp_path, ['1.jpg'], {'a.xml': cvat(image(
        '1.jpg', '<box label="cat" xtl="5" ytl="8" xbr="15" ybr="12" rotation="90"/>'))})
    assert images['1.jpg'].shapes[0].data == pytest.approx((8, 5, 12, 15))


def test_subsets_of_a_project_are_folders(tmp_path):
    labels, images = read(tmp_path, ['images/Train/1.jpg', 'images/Validation/1.jpg'], {
        'a.xml': cvat(image('1.jpg', '<tag label="cat"/>', more='subset="Train"'),
                      image('1.jpg', more='subset="Validation"'))})
    assert not labels.faults
    assert {name: (found.split, found.tags) for name, found in images.items()} == {
        'images/Train/1.jpg': ('train', ('cat', )), 'images/Validation/1.jpg': ('val', ())}


@pytest.mark.parametrize('text, message', [
    (cvat('<track id="0" label="cat"/>'), 'tracks of a video'), (cvat(), 'has no <image>'),
    (HEAD, 'not a readable XML'), (cvat('<a>' * 50 + '</a>' * 50), 'deep'),
    ('<!DOCTYPE a [<!ENTITY b "ha">]>' + cvat(image('&b;')), 'not a readable XML')])
def test_files_that_are_wrong_as_a_whole(tmp_path, text, message):
    with pytest.raises(DataError, match=rf'a\.xml: .*{message}.*Export'):
        read(tmp_path, ['1.jpg'], {'a.xml': text})


@pytest.mark.parametrize('shape, message', [
    ('<polygon label="cat" points="1,1;x,3;2,2"/>', 'coordinates'),
    ('<polygon label="cat" points="1,1"/>', '1 corner'), ('<box label="cat" xtl="1"/>', 'finite'),
    ('<polygon label="" points="1,1;2,2;2,1"/>', 'no class name'),
    ('<cuboid label="cat"/>', 'form'),
    ('<mask label="cat" rle="1,2" left="0" top="0" width="x" height="2"/>', 'whole numbers')])
def test_images_that_are_wrong(tmp_path, shape, message):
    labels, images = read(tmp_path, ['1.jpg', '2.jpg'], {
        'a.xml': cvat(image('1.jpg', shape), image('2.jpg'))})
    assert list(images) == ['2.jpg'] and len(labels.faults) == 1
    assert "a.xml: '1.jpg'" in labels.faults[0] and message in labels.faults[0]
