import numpy as np
import pytest
from import_bench import kinds, read
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.imports.voc import read_label_map

XML = ('<annotation><object><name>cat</name><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>9</xmax>'
       '<ymax>8</ymax></bndbox></object></annotation>')
MAP = '# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:250,50,83::\nold dog:9,8,7:a,b:\n'


def test_boxes(tmp_path):
    labels, images = read(tmp_path, ['a/1.jpg', 'a/2.png'], {
        'a/1.xml': XML, 'a/2.xml': '<annotation/>', 'a/3.xml': XML})
    assert kinds(images['a/1.jpg']) == [('box', 'cat')] and kinds(images['a/2.png']) == []
    assert images['a/1.jpg'].shapes[0].data == (2, 3, 9, 8)
    assert len(labels.faults) == 1 and 'a/3.xml: no image' in labels.faults[0]


def test_an_image_is_beside_its_file_or_in_an_equal_folder(tmp_path):
    for root, there in ((tmp_path / '1', 'ab'), (tmp_path / '2', ('photos', ))):
        files = ([f'{name}/1.xml' for name in there] if len(there) > 1 else ['boxes/1.xml'])
        labels, images = read(root, [f'{name}/1.jpg' for name in there],
                              dict.fromkeys(files, XML))
        assert sorted(images) == [f'{name}/1.jpg' for name in there] and not labels.faults
    labels, images = read(tmp_path / '3', ['b/1.jpg', 'c/2.jpg'], {'a/1.xml': XML, 'c/2.xml': XML})
    assert sorted(images) == ['c/2.jpg'] and 'a/1.xml: no image' in labels.faults[0]


def test_masks_in_colours_and_boxes_beside_them(tmp_path):
    (tmp_path / 'SegmentationClass/sub').mkdir(parents=True)
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / 'SegmentationClass/sub/1.png')
    labels, images = read(tmp_path, ['JPEGImages/sub/1.jpg', 'JPEGImages/2.png'], {
        'labelmap.txt': MAP, 'Annotations/sub/1.xml': XML, 'Annotations/2.xml': XML})
    assert not labels.faults and labels.classes == ['background', 'cat', 'old dog']
    assert images['JPEGImages/sub/1.jpg'].mask.path.endswith('SegmentationClass/sub/1.png')
    assert len(images['JPEGImages/sub/1.jpg'].shapes) == 1
    assert images['JPEGImages/2.png'].mask is None


def test_subsets_are_lists(tmp_path):
    """One that has no name of a split, as that of a task without subsets, says nothing."""
    (tmp_path / 'SegmentationClass').mkdir()
    for number in range(4):
        Image.new('RGB', (30, 20)).save(tmp_path / f'SegmentationClass/{number}.png')
    _, images = read(tmp_path, [f'JPEGImages/{number}.jpg' for number in range(4)], {
        'labelmap.txt': MAP, 'ImageSets/Segmentation/default.txt': '2\n',
        'ImageSets/Segmentation/Train.txt': '0\n3\n',
        'ImageSets/Segmentation/Validation.txt': '1\n'})
    assert [image.split for image in images.values()] == ['train', 'val', '', 'train']


def test_images_that_are_listed_without_a_mask_are_named(tmp_path):
    """CVAT lists images without annotations, and writes no mask for them."""
    (tmp_path / 'SegmentationClass').mkdir()
    Image.new('RGB', (30, 20)).save(tmp_path / 'SegmentationClass/0.png')
    labels, images = read(tmp_path, [f'JPEGImages/{name}.jpg' for name in '012'], {
        'labelmap.txt': MAP, 'ImageSets/Segmentation/train.txt': '0\n1\n2\n',
        'Annotations/2.xml': XML})
    assert sorted(images) == ['JPEGImages/0.jpg', 'JPEGImages/2.jpg'] and not labels.faults
    note, = labels.notes
    assert '1 image(s)' in note and 'no mask' in note and note.endswith(': 1')


def test_masks_in_another_folder(tmp_path):
    labels, _ = read(tmp_path, ['img/1.png', 'mask/1.png'], {'labelmap.txt': MAP})
    assert not labels.images and len(labels.faults) == 1
    assert 'labelmap.txt: there are no masks (PNG) in' in labels.faults[0]
    assert 'SegmentationClass' in labels.faults[0]


@pytest.mark.parametrize('text, message', [
    (MAP + 'bird:1,2::\n', 'line 5 is'), (MAP + 'bird:1,2,300::\n', 'line 5 is'),
    (MAP + 'bird:9,8,7::\n', 'line 5: bird has the colour of old dog'),
    (MAP + ':1,2,3::\n', 'line 5 is'), ('cat 1,2,3\n', 'line 1 is')])
def test_label_maps_that_are_wrong(tmp_path, text, message):
    (tmp_path / 'labelmap.txt').write_text(text)
    with pytest.raises(DataError, match=f'labelmap.txt: {message}'):
        read_label_map(tmp_path / 'labelmap.txt')


def test_the_colour_of_borders(tmp_path):
    """VOC's void is ignored; a class of this colour is a class, in its place."""
    void = 224, 224, 192
    path = tmp_path / 'labelmap.txt'
    for text in (MAP, MAP + 'void:224,224,192::\n', 'Void:224,224,192::\n' + MAP):
        path.write_text(text)
        colours = read_label_map(path)
        assert colours[void] is None
        assert [name for name in colours.values() if name] == ['background', 'cat', 'old dog']
    path.write_text(MAP + 'sand:224,224,192::\nvoid:1,1,1::\n')
    colours = read_label_map(path)
    assert list(colours.values()) == ['background', 'cat', 'old dog', 'sand', 'void']


@pytest.mark.parametrize('colour, is_class', [('224,224,192', False), ('1,1,1', True)])
def test_void_in_a_label_map(tmp_path, colour, is_class):
    (tmp_path / 'SegmentationClass').mkdir()
    Image.new('RGB', (30, 20)).save(tmp_path / 'SegmentationClass/0.png')
    labels, _ = read(tmp_path, ['JPEGImages/0.jpg'], {
        'labelmap.txt': f'void:{colour}::\n{MAP}'})
    assert ('void' in labels.classes) == is_class == any('--ignore' in x for x in labels.notes)
