"""A fault stops a training, in the words in which tools/check_data.py prints it."""
import re

import numpy as np
import pytest
from bad_images import BAD_IMAGES, GOOD_IMAGES, saved
from dataset_bench import PLAIN, make_root, voc
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


def stop(dataset):
    """What the training says when it stops."""
    with pytest.raises(DataError) as error:
        list(dataset)
    return str(error.value)


@pytest.mark.parametrize('name', BAD_IMAGES)
def test_a_training_and_the_check_refuse_the_same_images(root, name):
    content, said = BAD_IMAGES[name]
    path = root / 'JPEGImages/w1.jpg'
    path.write_bytes(content)
    dataset = voc(root, 'none')
    message = stop(dataset)
    assert check_sample(dataset.get_data_info(1), CLASSES, PLAIN)[0] == [message]
    assert message.startswith(f'{path}: ') and re.search(said, message)


@pytest.mark.parametrize('name', GOOD_IMAGES)
def test_a_training_and_the_check_take_the_same_images(root, name):
    (root / 'JPEGImages/w1.jpg').write_bytes(GOOD_IMAGES[name])
    dataset = voc(root, 'box')
    assert len(list(dataset)) == 4
    assert check_sample(dataset.get_data_info(1), CLASSES, PLAIN)[0] == []


@pytest.mark.parametrize('loader, name, is_taken', [
    (dict(imdecode_backend='pillow'), 'tga', True), (dict(imdecode_backend='cv2'), 'tga', False),
    (dict(color_type='unchanged'), 'tiff-float', True), (dict(), 'tiff-float', False)])
def test_the_decoder_is_that_of_the_config(root, loader, name, is_taken):
    (root / 'JPEGImages/w1.jpg').write_bytes(BAD_IMAGES[name][0])
    pipeline = [dict(PLAIN[0], **loader)]
    dataset = voc(root, 'none', pipeline=pipeline)
    faults = check_sample(dataset.get_data_info(1), CLASSES, pipeline)[0]
    if is_taken:
        assert len(list(dataset)) == 4 and faults == []
    else:
        assert faults == [stop(dataset)]


HALF = dict(type='Resize', scale_factor=0.4, keep_ratio=True)


@pytest.mark.parametrize('size, step', [
    ((1, 500), dict(type='RandomResize', scale=(128, 128), ratio_range=(0.8, 1.25),
                    keep_ratio=True)),
    ((500, 1), dict(type='RandomResize', scale=(128, 128), ratio_range=(0.8, 1.25),
                    keep_ratio=True)),
    ((2, 900), dict(type='RandomResize', scale=(2048, 512), ratio_range=(0.1, 0.1),
                    keep_ratio=True)),
    ((1, 300), dict(type='RandomResize', scale=[(100, 40), (140, 60)], keep_ratio=True)),
    ((1, 300), dict(type='Resize', scale=(128, 128), keep_ratio=True)),
    ((300, 1), dict(type='Resize', scale=100, keep_ratio=True)),
    ((1, 1), HALF), ((1, 80), HALF), ((80, 1), HALF),
    ((1, 400), dict(type='RandomChoiceResize', scales=[(128, 64), (160, 64)], keep_ratio=True)),
    ((1, 300), dict(type='mmseg_wss.RandomScale', ratio_range=(0.3, 0.4))),
    ((300, 1), dict(type='mmseg_wss.RandomScale', ratio_range=(0.3, 0.4)))])
def test_an_image_that_is_too_thin_for_the_pipeline(root, size, step):
    """In training by the transform's own error, in the check by the size that it leaves."""
    path = root / 'JPEGImages/w1.jpg'
    path.write_bytes(saved(np.zeros((*size, 3), np.uint8), 'PNG'))
    pipeline = [PLAIN[0], step]
    dataset = voc(root, 'none', pipeline=pipeline)
    shown = f'{size[1]}x{size[0]} (width x height)'
    message = stop(dataset)
    assert message.startswith(f'{path}: ') and shown in message
    assert 'remove it from the list' in message
    fault, = check_sample(dataset.get_data_info(1), CLASSES, pipeline)[0]
    assert fault.startswith(f'{path}: ') and shown in fault
    assert step['type'].split('.')[-1] in fault and 'crop it, or remove it' in fault


@pytest.mark.parametrize('size, step', [
    ((2, 128), dict(type='Resize', scale=(128, 128), keep_ratio=True)),
    ((1, 500), dict(type='Resize', scale=(128, 128))),  # of any ratio
    ((1, 80), dict(type='mmseg_wss.RandomScale', ratio_range=(0.5, 0.6))),
    ((1, 200), dict(type='RandomResize', scale=(128, 128), ratio_range=(0.8, 1.25),
                    keep_ratio=True)),
    ((1, 500), dict(type='RandomFlip', prob=0.5))])
def test_a_thin_image_that_the_pipeline_takes(root, size, step):
    (root / 'JPEGImages/w1.jpg').write_bytes(saved(np.zeros((*size, 3), np.uint8), 'PNG'))
    pipeline = [PLAIN[0], step]
    dataset = voc(root, 'none', pipeline=pipeline)
    assert check_sample(dataset.get_data_info(1), CLASSES, pipeline)[0] == []
    assert all(min(sample['img'].shape[:2]) > 0 for _ in range(20) for sample in [dataset[1]])


@pytest.mark.parametrize('error', [
    AssertionError(), AttributeError('a'), IndexError('list index'), KeyError('gt_seg_map'),
    MemoryError(), NotImplementedError('x'), OSError(5, 'x'), RuntimeError('two\nlines'),
    TypeError('x'), UnicodeDecodeError('utf-8', b'x', 0, 1, 'x'), ValueError('x'),
    ZeroDivisionError('x'), np.linalg.LinAlgError('x')])
def test_any_error_of_a_transform_names_the_image(root, error):
    def fail(results):
        raise error
    dataset = voc(root, 'box', pipeline=[*PLAIN[:2], fail])
    message = stop(dataset)
    assert message.startswith(f'{root}/JPEGImages/w0.jpg: the pipeline fails on this image of 32x2')
    assert type(error).__name__ in message and 'correct the pipeline' in message
    assert '\n' not in message


def test_an_image_that_a_transform_leaves_out_is_not_replaced_by_another(root):
    pipeline = [PLAIN[0], lambda results: None]
    assert 'w0.jpg: a transform of the pipeline left the image out' in stop(
        voc(root, 'none', pipeline=pipeline))


def test_an_image_that_vanishes_and_a_folder_in_its_place(root):
    dataset, path = voc(root, 'none'), root / 'JPEGImages/w1.jpg'
    path.unlink()
    assert stop(dataset).startswith(f'{path}: there is no such file. Add it, or remove ')
    path.mkdir()
    message = stop(dataset)
    assert message.startswith(f'{path}: the image cannot be read (Is a directory)')
    assert check_sample(dataset.get_data_info(1), CLASSES)[0] == [message]
