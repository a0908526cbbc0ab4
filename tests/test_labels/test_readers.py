"""What is wrong with a label: the file, the fault and the remedy, in words."""
import re
from pathlib import Path

import numpy as np
import pytest
from devkit import CLASSES, write_annotation, write_mask
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.kinds import KINDS, read_label

SHAPE = 12, 16
GOOD = np.zeros(SHAPE, np.uint8)
GOOD[2:6, 2:6] = 1
VOID = np.where(GOOD, 255, 0).astype(np.uint8)
DRAWN = np.full(SHAPE, 255, np.uint8)  # scribbles on an object and on the background
DRAWN[3, 2:6] = 1
DRAWN[8, 2:6] = 0
BOMB = ('<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
        '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><annotation>&c;</annotation>')
UNKNOWN = "has the unknown class 'blue'.*red, green: correct the name or add"


def mask(array):
    return lambda path: write_mask(path, array)


def cut_mask(path):
    write_mask(path, GOOD)
    path.write_bytes(path.read_bytes()[:-40])


def colour_mask(path):
    Image.new('RGB', SHAPE[::-1]).save(path)


def picture(array, kind, **options):
    return lambda path: Image.fromarray(array).save(path, kind, **options)


def box(name, *corners):
    return lambda path: write_annotation(path, name, corners)


def text(content):
    return lambda path: path.write_text(content)


def read(folder, supervision, make, **more):
    file = KINDS[supervision].file
    path = folder / f'label{file.suffix or ".png"}'
    make(path)
    info = dict(img_path='image.jpg', supervision=supervision, **{file.key: str(path)}, **more)
    return read_label(info, CLASSES, SHAPE)


@pytest.mark.parametrize('supervision, make', [
    ('pixel', mask(GOOD)), ('pseudo', mask(GOOD)), ('scribble', mask(DRAWN)),
    ('pseudo', mask(VOID)),  # a program may find nothing
    ('box', box('red', 0, 0, 16, 12))])
def test_good_labels(tmp_path, supervision, make):
    assert read(tmp_path, supervision, make).faults == []


@pytest.mark.parametrize('supervision, make, said', [
    ('pixel', text('garbage'), 'cannot be read.*Write it again'),
    ('pixel', cut_mask, 'cannot be read.*Write it again'),
    ('pixel', mask(GOOD[:-1]), '16x11.*16x12.*make the mask at the size'),
    ('pixel', mask(GOOD.T.copy()), '12x16.*16x12.*make the mask at the size'),
    ('pixel', mask(GOOD * 3), r'labels \[3\].*0..2 and 255.*Map the labels'),
    ('pixel', mask(VOID), '0 and 255.*write the class index'),
    ('pixel', colour_mask, 'colour.*convert each colour'),
    ('pseudo', colour_mask, 'colour.*convert each colour'),
    ('scribble', colour_mask, 'colour.*convert each colour'),
    ('scribble', mask(np.full_like(DRAWN, 255)), 'no labelled pixel.*label some, or remove'),
    ('point', mask(GOOD), 'no pixel of the value 255.*write 255 where nothing is drawn'),
    ('box', box('red', 12, 2, 17, 6), 'outside.*16x12.*correct it'),
    ('box', box('red', -1, 2, 5, 6), 'outside.*16x12.*correct it'),
    ('box', box('red', 4, 2, 4, 6), 'no area.*correct or remove'),
    ('box', box('red', float('nan'), 2, 4, 6), 'no area.*correct or remove'),
    ('box', box('blue', 2, 2, 6, 6), UNKNOWN),
    ('image', box('background', 2, 2, 6, 6), "'background'.*correct the name"),
    ('box', text('<a/>'), 'no annotation file of VOC.*Convert it'),
    ('box', text('<a><object></a>'), 'not a readable XML.*Write it again'),
    ('box', text(''), 'not a readable XML.*Write it again'),
    ('box', text(BOMB), 'not a readable XML.*Entities.*Write it again'),
    ('box', text('<?xml version="1.0" encoding="gb2312"?><a/>'),
     'not a readable XML.*Write it again'),
    ('box', text('<?xml version="1.0" encoding="none"?><a/>'),
     'not a readable XML.*Write it again'),
    ('box', text('<a><object><name>red</name></object></a>'), 'object 1.*bndbox.*Complete it')])
def test_faulty_labels(tmp_path, supervision, make, said):
    fault, = read(tmp_path, supervision, make).faults
    assert fault.startswith(f'{tmp_path}/label.')
    assert re.search(said, fault)


FLOATS = {
    'between': GOOD * 1.9, 'whole': GOOD * 1., 'of-0-to-1': GOOD / 2, 'just-below': GOOD * 0.999,
    'with-nan': np.where(GOOD, np.nan, 0), 'with-infinity': np.where(GOOD, np.inf, 0),
    'negative': GOOD * -1.5, '254.5': GOOD * 254.5, 'all-zero': GOOD * 0., 'huge': GOOD * 1e30,
    'drawn': np.where(GOOD, 1., 255)}


@pytest.mark.parametrize('supervision', ['pixel', 'pseudo', 'point', 'scribble'])
@pytest.mark.parametrize('name', FLOATS)
def test_masks_of_numbers_that_are_not_whole(tmp_path, supervision, name):
    make = picture(FLOATS[name].astype(np.float32), 'TIFF')
    fault, = read(tmp_path, supervision, make).faults
    assert fault.startswith(f'{tmp_path}/label.png: the mask has numbers of the type float32')
    assert 'with integers' in fault


@pytest.mark.parametrize('make', [
    picture(GOOD.astype(np.uint16), 'PNG'), picture(GOOD.astype(np.int32), 'TIFF'),
    picture(GOOD > 0, 'PNG'), picture(GOOD, 'TIFF'), picture(GOOD, 'BMP')])
def test_masks_of_whole_numbers_of_any_type(tmp_path, make):
    label = read(tmp_path, 'pixel', make)
    assert label.faults == [] and np.array_equal(label.fields['gt_seg_map'], GOOD)


@pytest.mark.parametrize('number', [256, 257, 300, 65535])
def test_labels_that_would_wrap_are_faults(tmp_path, number):
    """With uint8, 257 would become the class 1."""
    values = GOOD.astype(np.uint16) * number
    assert f'labels [{number}]' in read(tmp_path, 'pixel', picture(values, 'PNG')).faults[0]


@pytest.mark.parametrize('supervision, tags, said', [
    ('image', ['red', 'blue'], f'image.jpg: .*{UNKNOWN}'),
    ('scribble', [], 'label.png: .*labels red, but the tags of its image are none: correct one'),
    ('scribble', ['green'], 'label.png: .*labels red, but the tags .* are green: correct one'),
    ('scribble', ['red', 'blue'], f'image.jpg: .*{UNKNOWN}')])
def test_faulty_tags(tmp_path, supervision, tags, said):
    make = mask(DRAWN) if supervision == 'scribble' else text('the tags come instead')
    fault, = read(tmp_path, supervision, make, tags=tags).faults
    assert re.search(said, fault)


@pytest.mark.parametrize('tags, expected', [(None, None), ([], [1, 0, 0]), (['red'], [1, 1, 0])])
@pytest.mark.parametrize('supervision', ['point', 'scribble'])
def test_what_is_drawn_on_the_background_alone_does_not_say_that_it_is_empty(
        tmp_path, supervision, tags, expected):
    label = read(tmp_path, supervision, mask(np.where(DRAWN == 0, 0, 255).astype(np.uint8)),
                 **({} if tags is None else dict(tags=tags)))
    found = label.checked_fields().get('gt_tags')
    assert found is None if expected is None else found.tolist() == expected


@pytest.mark.parametrize('supervision', ['box', 'image'])
@pytest.mark.parametrize('empty, number', [('background', 0), ('unlabelled', 0), ('error', 1)])
def test_no_object_may_be_a_fault(tmp_path, supervision, empty, number):
    label = read(tmp_path, supervision, text('<annotation/>'), empty=empty)
    assert label.empty and len(label.faults) == number
    assert all(re.search(r'label\.xml: .*no object.*label its objects', f) for f in label.faults)
    assert bool(label.fields) == (empty != 'unlabelled')
    tagged = read(tmp_path, 'image', text(''), tags=[], empty=empty)
    assert tagged.empty and len(tagged.faults) == number
    assert all(re.search('image.jpg: .*no object.*label its', fault) for fault in tagged.faults)


def test_every_fault_is_found_at_once(tmp_path):
    """Also those ahead of a file that cannot be read."""
    (tmp_path / 'boxes.xml').write_text('no XML')
    label = read(tmp_path, 'pixel', mask(GOOD[:-1] * 3), box_path=str(tmp_path / 'boxes.xml'))
    assert [Path(fault.split(': ')[0]).name for fault in label.faults] == [
        'label.png', 'label.png', 'boxes.xml']
    with pytest.raises(DataError) as error:
        label.checked_fields()
    assert str(error.value).splitlines() == label.faults
    two = read(tmp_path, 'image', text(''), tags=['blue', 'background']).faults
    assert "'blue'" in two[0] and "'background'" in two[1]


def test_data_sets_of_others_may_have_no_mask():
    label = read_label(dict(img_path='a.jpg', label_map=None, reduce_zero_label=False), CLASSES)
    assert (label.fields, label.faults, label.seen) == ({}, [], set())
