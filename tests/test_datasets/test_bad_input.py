"""A fault stops a training, in the words in which tools/check_data.py prints it."""
import pytest
from dataset_bench import make_root, voc
from devkit import CLASSES
from mmengine.registry import init_default_scope

from mmseg_wss.engine.config_check import check_sample
from mmseg_wss.errors import DataError


@pytest.fixture
def root(tmp_path):
    init_default_scope('mmseg')
    return make_root(tmp_path)


def cut(path):
    """Only the end is missing: OpenCV 4 would fill the image up with grey."""
    path.write_bytes(path.read_bytes()[:-40])


def text(content):
    return lambda path: path.write_text(content)


@pytest.mark.parametrize('supervision, file, damage', [
    ('pixel', 'JPEGImages/w1.jpg', cut), ('none', 'JPEGImages/w1.jpg', cut),
    ('pixel', 'SegmentationClass/w1.png', cut), ('pseudo', 'Pseudo/w1.png', cut),
    ('box', 'Annotations/w1.xml', text('<a/>')), ('image', 'Annotations/w1.xml', text('<a/>')),
    ('box', 'ImageSets/Segmentation/weak.txt', text('w0\nw0\n'))])
def test_a_training_stops_with_what_the_check_prints(root, supervision, file, damage):
    damage(root / file)
    data_list, faults = voc(root, supervision, lazy_init=True).scan_list()
    for info in data_list:
        faults += check_sample(info, CLASSES)[0]
    with pytest.raises(DataError) as error:
        list(voc(root, supervision))
    assert str(error.value).splitlines() == faults
    assert faults[0].startswith(f'{root / file}: ')


def test_an_image_that_only_a_decoder_refuses(root):
    """Both end markers are there."""
    path = root / 'JPEGImages/w1.jpg'
    data = path.read_bytes()
    path.write_bytes(data[:2] + bytes(len(data) - 4) + data[-2:])
    with pytest.raises(DataError, match=r'w1\.jpg: the image file is corrupt.*Copy it again'):
        list(voc(root, 'none'))
