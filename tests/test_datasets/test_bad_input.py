"""A fault that is met during training stops it, names the file and says what to do."""
import codecs
import re

import numpy as np
import pytest
from devkit import CLASSES, make_devkit, write_annotation, write_mask
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from PIL import Image

from mmseg_wss.engine.config_check import check_sample
from mmseg_wss.errors import DataError

GOOD = np.zeros((12, 16), np.uint8)
GOOD[2:6, 2:6] = 1
BOMB = ('<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
        '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><annotation>&c;</annotation>')
VOID = np.where(GOOD, 255, 0).astype(np.uint8)
DRAWN = np.full((12, 16), 255, np.uint8)  # scribbles on an object and on the background
DRAWN[3, 2:6] = 1
DRAWN[8, 2:6] = 0


def source(kit, name, supervision, **kwargs):
    init_default_scope('mmseg')
    return DATASETS.build(dict(
        type='mmseg_wss.VOCWeakSegDataset', data_root=str(kit), supervision=supervision,
        ann_file=f'ImageSets/Segmentation/{name}.txt', **kwargs))


def load(kit, name, supervision, pseudo=False, **kwargs):
    """Build the data set of a list and run all its images through a training's pipeline."""
    pipeline = [dict(type='LoadImageFromFile'), dict(type='mmseg_wss.LoadWeakLabels')]
    if pseudo:
        pipeline.append(dict(type='mmseg_wss.PseudoMask', kind='rect'))
    pipeline.append(dict(type='mmseg_wss.PackWeakSegInputs'))
    dataset = source(kit, name, supervision, pipeline=pipeline, **kwargs)
    return [dataset[i] for i in range(len(dataset))]


def check(kit, name, supervision, **kwargs):
    """What tools/check_data.py prints about the same files."""
    data_list, faults = source(kit, name, supervision, lazy_init=True, **kwargs).scan_list()
    return faults + [fault for info in data_list for fault in check_sample(info, CLASSES)[0]]


@pytest.fixture
def kit(tmp_path):
    make_devkit(tmp_path)
    return tmp_path


def remove(path):
    path.unlink()


def cut(path):
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])


def hollow(path):
    """Keep both end markers, so that only a decoder can tell."""
    data = path.read_bytes()
    path.write_bytes(data[:2] + bytes(len(data) - 4) + data[-2:])


def write(content):
    return lambda path: path.write_bytes(content)


def mask(array):
    return lambda path: write_mask(path, array)


def colour_mask(path):
    Image.new('RGB', (16, 12)).save(path)


def cut_png(path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8)).save(
        path, 'png')
    cut(path)


def box(name, *corners):
    return lambda path: write_annotation(path, name, corners)


def xml(text):
    return write(text.encode())


STRONG = [  # file, what is done to it, words of the message
    ('JPEGImages/s1.jpg', remove, 'do not exist.*remove the images from the list'),
    ('JPEGImages/s1.jpg', cut, 'corrupt.*Copy it again'),
    ('JPEGImages/s1.jpg', cut_png, 'corrupt.*Copy it again'),
    ('JPEGImages/s1.jpg', hollow, 'corrupt.*Copy it again'),
    ('JPEGImages/s1.jpg', write(bytes(range(256))), 'corrupt.*Copy it again'),
    ('JPEGImages/s1.jpg', write(b''), 'corrupt.*Copy it again'),
    ('SegmentationClass/s1.png', remove, 'do not exist.*remove the images from the list'),
    ('SegmentationClass/s1.png', cut, 'cannot be read.*Write it again'),
    ('SegmentationClass/s1.png', write(b'garbage'), 'cannot be read.*Write it again'),
    ('SegmentationClass/s1.png', mask(GOOD[:-1]), '16x11.*16x12.*make the mask at the size'),
    ('SegmentationClass/s1.png', mask(GOOD.T.copy()), '12x16.*16x12.*make the mask at the size'),
    ('SegmentationClass/s1.png', mask(GOOD * 3), r'labels \[3\].*0..2 and 255.*Map the labels'),
    ('SegmentationClass/s1.png', mask(VOID), '0 and 255.*write the class index'),
    ('SegmentationClass/s1.png', colour_mask, 'colour.*convert each colour'),
    ('ImageSets/Segmentation/strong.txt', remove, 'no such list.*Set ann_file'),
    ('ImageSets/Segmentation/strong.txt', write(b' \n\n'), 'empty.*Write an image ID'),
    ('ImageSets/Segmentation/strong.txt', write(b's0\ns1\ns0\n'), 'more than once.*s0.*Name every'),
    ('ImageSets/Segmentation/strong.txt', write('s0\ns1\n'.encode('utf-16')), 'Save it as UTF-8'),
    ('classes.txt', write('\n'.join(CLASSES).encode('utf-16')), 'Save it as UTF-8'),
]
WEAK = [
    ('JPEGImages/w1.jpg', remove, 'do not exist.*remove the images from the list'),
    ('JPEGImages/w1.jpg', cut, 'corrupt.*Copy it again'),
    ('Annotations/w1.xml', remove, 'do not exist.*remove the images from the list'),
    ('Annotations/w1.xml', box('red', 12, 2, 17, 6), 'outside.*16x12.*correct it'),
    ('Annotations/w1.xml', box('red', -1, 2, 5, 6), 'outside.*16x12.*correct it'),
    ('Annotations/w1.xml', box('red', 4, 2, 4, 6), 'no area.*correct or remove'),
    ('Annotations/w1.xml', box('red', float('nan'), 2, 4, 6), 'no area.*correct or remove'),
    ('Annotations/w1.xml', box('blue', 2, 2, 6, 6), "'blue'.*red, green.*correct the name or add"),
    ('Annotations/w1.xml', box('background', 2, 2, 6, 6), "'background'.*correct the name"),
    ('Annotations/w1.xml', xml('<a/>'), 'no object.*label its objects'),
    ('Annotations/w1.xml', xml('<a><object></a>'), 'not a readable XML.*Write it again'),
    ('Annotations/w1.xml', xml(''), 'not a readable XML.*Write it again'),
    ('Annotations/w1.xml', xml(BOMB), 'not a readable XML.*Entities.*Write it again'),
    ('Annotations/w1.xml', xml('<?xml version="1.0" encoding="gb2312"?><a/>'),
     'not a readable XML.*Write it again'),
    ('Annotations/w1.xml', xml('<?xml version="1.0" encoding="none"?><a/>'),
     'not a readable XML.*Write it again'),
    ('Annotations/w1.xml', xml('<a><object><name>red</name></object></a>'),
     'object 1.*bndbox.*Complete it'),
    ('ImageSets/Segmentation/weak.txt', write(b'w0\nw0\n'), 'more than once.*w0.*Name every'),
]


def damaged(kit, file, damage):
    path = kit / file
    damage(path)
    return path.name


def speaks_of(error, name, words):
    assert name in str(error.value)
    assert re.search(words, str(error.value), re.DOTALL), error.value


def is_printed(error, kit, file, *args, **kwargs):
    """A fault of a label is said in the same words by both; that of a whole list is not."""
    of_list = file.startswith(('JPEG', 'ImageSets', 'classes')) or 'not exist' in str(error.value)
    if not of_list:
        assert str(error.value).splitlines() == check(kit, *args, **kwargs)


def test_good_files_load(kit):
    assert len(load(kit, 'strong', 'pixel')) == len(load(kit, 'weak', 'box', pseudo=True)) == 2


def test_text_files_of_windows_load(kit):
    for name, lines in {'ImageSets/Segmentation/weak.txt': ['w0', 'w1'], 'classes.txt': CLASSES,
                        'tags.txt': ['w0 red', 'w1 green']}.items():
        (kit / name).write_bytes(codecs.BOM_UTF8 + '\r\n'.join([*lines, '']).encode())
    red, green = load(kit, 'weak', 'image', tag_file='tags.txt')
    assert red['data_samples'].gt_tags.tolist() == [1, 1, 0]
    assert green['data_samples'].gt_tags.tolist() == [1, 0, 1]


@pytest.mark.parametrize('file, damage, words', STRONG)
def test_strong_image(kit, file, damage, words):
    name = damaged(kit, file, damage)
    with pytest.raises(DataError) as error:
        load(kit, 'strong', 'pixel')
    speaks_of(error, name, words)
    is_printed(error, kit, file, 'strong', 'pixel')


@pytest.mark.parametrize('file, damage, words', WEAK)
@pytest.mark.parametrize('supervision', ['box', 'image'])
def test_weak_image(kit, file, damage, words, supervision):
    name = damaged(kit, file, damage)
    with pytest.raises(DataError) as error:
        load(kit, 'weak', supervision, pseudo=supervision == 'box')
    speaks_of(error, name, words)
    is_printed(error, kit, file, 'weak', supervision)


@pytest.mark.parametrize('damage, words', [
    (write(b'garbage'), 'cannot be read.*Write it again'),
    (mask(GOOD[:-1]), 'make the mask at the size'),
    (mask(GOOD * 3), r'labels \[3\].*Map the labels'),
    (colour_mask, 'convert each colour')])
def test_pseudo_mask(kit, damage, words):
    name = damaged(kit, 'SegmentationClass/w1.png', damage)
    with pytest.raises(DataError) as error:
        load(kit, 'weak', 'pseudo', pseudo_mask='SegmentationClass')
    speaks_of(error, name, words)


def test_pseudo_mask_may_find_nothing(kit):
    damaged(kit, 'SegmentationClass/w1.png', mask(VOID))
    assert load(kit, 'weak', 'pseudo', pseudo_mask='SegmentationClass')


@pytest.fixture
def drawn_kit(kit):
    for folder in ('PointLabels', 'ScribbleLabels'):
        (kit / folder).mkdir()
        for name in ('w0', 'w1'):
            write_mask(kit / folder / f'{name}.png', DRAWN)
    return kit


@pytest.mark.parametrize('damage, words', [
    (remove, 'do not exist.*remove the images from the list'),
    (write(b'garbage'), 'cannot be read.*Write it again'),
    (mask(DRAWN[:-1]), '16x11.*16x12.*make the mask at the size'),
    (mask(np.where(DRAWN == 1, 3, DRAWN).astype(np.uint8)), r'labels \[3\].*Map the labels'),
    (colour_mask, 'convert each colour'),
    (mask(np.full_like(DRAWN, 255)), 'no labelled pixel.*label some, or remove'),
    (mask(GOOD), 'no pixel of the value 255.*write 255 where nothing is drawn')])
@pytest.mark.parametrize('supervision', ['point', 'scribble'])
def test_points_and_scribbles(drawn_kit, damage, words, supervision):
    assert len(load(drawn_kit, 'weak', supervision)) == 2
    name = damaged(drawn_kit, f'{supervision.title()}Labels/w1.png', damage)
    with pytest.raises(DataError) as error:
        load(drawn_kit, 'weak', supervision)
    speaks_of(error, name, words)
    is_printed(error, drawn_kit, name, 'weak', supervision)


@pytest.mark.parametrize('rows, file, words', [
    ('w0 red\n', 'tags.txt', 'no line for 1 .*w1.*Add "w1 CLASS'),
    ('w0 red\nw1\n', 'w1.png', 'labels red, but the tags of its image are none: correct one'),
    ('w0 red\nw1 green\n', 'w1.png', 'labels red, but the tags of its image are green.*correct'),
    ('w0 red\nw1 red blue\n', 'w1.jpg', "'blue'.*red, green.*correct the name or add")])
def test_tag_file_beside_scribbles(drawn_kit, rows, file, words):
    (drawn_kit / 'tags.txt').write_text(rows)
    with pytest.raises(DataError) as error:
        load(drawn_kit, 'weak', 'scribble', tag_file='tags.txt')
    speaks_of(error, file, words)
    is_printed(error, drawn_kit, file, 'weak', 'scribble', tag_file='tags.txt')


@pytest.mark.parametrize('rows, file, words', [
    (None, 'tags.txt', 'no such tag file.*Set tag_file'),
    (b'w0 red\n', 'tags.txt', 'no line for 1 .*w1.*Add "w1 CLASS'),
    (b'w0 red\nw1 red\nw1 green\n', 'tags.txt', 'more than one line for w1.*Write all'),
    ('w0 red\nw1 red\n'.encode('utf-16'), 'tags.txt', 'Save it as UTF-8'),
    (b'w0 red\nw1\n', 'w1.jpg', 'no object.*label its objects'),
    (b'w0 red\nw1 red blue\n', 'w1.jpg', "'blue'.*red, green.*correct the name or add"),
    (b'w0 red\nw1 blue background\n', 'w1.jpg', "'blue'.*\n.*'background'")])
def test_tag_file(kit, rows, file, words):
    if rows is not None:
        (kit / 'tags.txt').write_bytes(rows)
    with pytest.raises(DataError) as error:
        load(kit, 'weak', 'image', tag_file='tags.txt')
    speaks_of(error, file, words)
    is_printed(error, kit, file, 'weak', 'image', tag_file='tags.txt')


def test_missing_class_names(kit):
    with pytest.raises(DataError) as error:
        load(kit, 'strong', 'pixel', metainfo=dict(classes='names.txt'))
    speaks_of(error, 'names.txt', "Set metainfo")


def test_rectangles_need_boxes(kit):
    with pytest.raises(ValueError) as error:
        load(kit, 'weak', 'image', pseudo=True)
    speaks_of(error, 'w0.jpg', "set supervision='box'")
