import pytest
from import_bench import kinds, read

from mmseg_wss.errors import DataError

BOX, POLYGON = '1 0.5 0.5 0.2 0.4\n', '0 0.1 0.1 0.5 0.1 0.5 0.5 0.2 0.6 0.1 0.3\n'


def test_ultralytics(tmp_path):
    """Labels beside images in folders of the splits; an empty file is no missing file."""
    names = [f'images/{split}/{i}.jpg' for split, i in (('train', 1), ('train', 2), ('val', 3))]
    labels, images = read(tmp_path, names, {
        'data.yaml': 'train: images/train\nval: images/val\nnames:\n  0: dog\n  1: cat\n',
        'labels/train/1.txt': BOX + POLYGON, 'labels/val/3.txt': ''})
    assert not labels.faults and labels.classes == ['dog', 'cat']
    found = images['images/train/1.jpg']
    assert kinds(found) == [('box', 'cat'), ('region', 'dog')]
    assert found.shapes[0].data == pytest.approx((12, 6, 18, 14))
    assert found.shapes[1].data[0].tolist() == pytest.approx([3, 2, 15, 2, 15, 10, 6, 12, 3, 6])
    assert not images['images/train/2.jpg'].is_labelled and 'unlabelled' in labels.notes[0]
    assert images['images/val/3.jpg'].is_labelled
    assert [image.split for image in images.values()] == ['train', 'train', 'val']


def test_roboflow(tmp_path):
    labels, images = read(tmp_path, ['train/images/a.jpg', 'valid/images/b.jpg'], {
        'data.yaml': "train: ../train/images\nval: ../valid/images\nnc: 2\nnames: ['dog', 7]\n",
        'train/labels/a.txt': BOX, 'valid/labels/b.txt': BOX, 'README.txt': 'hello'})
    assert not labels.faults and labels.classes == ['dog', '7']
    assert {name: image.split for name, image in images.items()} == {
        'train/images/a.jpg': 'train', 'valid/images/b.jpg': 'val'}


def test_texts_beside_the_images_and_a_list_of_names(tmp_path):
    labels, images = read(tmp_path, ['obj_train_data/a.png'], {
        'obj.names': 'dog\ncat\n', 'obj_train_data/a.txt': BOX,
        'train.txt': 'obj_train_data/a.png\n'})
    assert not labels.faults and kinds(images['obj_train_data/a.png']) == [('box', 'cat')]


def test_roboflow_darknet(tmp_path):
    """Each split has the names beside its labels."""
    files = {'train/_darknet.labels': 'dog\ncat\n', 'train/a.txt': BOX, 'valid/b.txt': BOX}
    labels, images = read(tmp_path, ['train/a.jpg', 'valid/b.jpg'], {
        **files, 'valid/_darknet.labels': 'dog\ncat\n'})
    assert not labels.faults and labels.classes == ['dog', 'cat']
    assert {name: (kinds(image), image.split) for name, image in images.items()} == {
        'train/a.jpg': ([('box', 'cat')], 'train'), 'valid/b.jpg': ([('box', 'cat')], 'val')}
    with pytest.raises(DataError, match='train/_darknet.labels and .*valid/_darknet.labels differ'):
        read(tmp_path, [], {**files, 'valid/_darknet.labels': 'cat\ndog\n'})


def test_turned_boxes(tmp_path):
    labels, images = read(tmp_path, ['a.png'], {
        'classes.txt': 'dog\n', 'a.txt': '0 0.5 0.1 0.9 0.5 0.5 0.9 0.1 0.5\n'})
    assert images['a.png'].shapes[0].data == pytest.approx((3, 2, 27, 18))
    assert 'turned boxes' in labels.notes[0]


def test_what_is_wrong_is_named(tmp_path):
    labels, images = read(tmp_path, ['a.png', 'b.png', 'c.png'], {
        'classes.txt': 'dog\ncat\n',
        'a.txt': BOX + '2 0.5 0.5 0.1 0.1\n1 0.5 0.5\n0000000007 0.5 0.5 0.1 0.1\n',
        'b.txt': '1 0.5 0.5 nan 0.1\n', 'c.txt': BOX, 'd.txt': BOX})
    assert list(images) == ['c.png'] and len(labels.faults) == 3
    one, other, lost = labels.faults
    assert "line 2 has the class '2'" in one and 'line 3 has 3 words' in one
    assert "line 4 has the class '0000000007'" in one
    assert 'b.txt' in other and 'finite' in other
    assert 'd.txt' in lost and 'no image' in lost


@pytest.mark.parametrize('yaml, message', [
    ('nc: 1\nnames: 5\n', 'has no "names"'), ('names: [a\n', 'not a readable yaml'),
    ('names: [a, ""]\n', 'no class name'), ('names: [a]\nkpt_shape: [17, 3]\n', 'poses'),
    ('names: ' + '[' * 60, 'brackets'),
    ('names: !!python/object/apply:os.getcwd []\n', 'not a readable yaml')])
def test_names_that_are_wrong(tmp_path, yaml, message):
    with pytest.raises(DataError, match=f'data.yaml: .*{message}'):
        read(tmp_path, ['a.png'], {'data.yaml': yaml, 'a.txt': '0 0.5 0.5 0.1 0.1\n'})


def test_without_names(tmp_path):
    with pytest.raises(DataError, match='no names of the classes'):
        read(tmp_path, ['a.png'], {'a.txt': BOX})
