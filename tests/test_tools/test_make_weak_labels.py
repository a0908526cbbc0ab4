import errno
import json
import os

import numpy as np
import pytest
from devkit import CLASSES, make_devkit, read_mask, write_annotation, write_mask
from mmengine.registry import init_default_scope
from scipy import ndimage
from tiny_run import contents

from mmseg_wss.datasets import VOCWeakSegDataset
from mmseg_wss.labels.formats.voc_xml import read_voc_objects
from mmseg_wss.labels.stores.mask_folder import read_records

PIPELINE = [dict(type='LoadImageFromFile'), dict(type='mmseg_wss.LoadWeakLabels'),
            dict(type='mmseg_wss.PackWeakSegInputs')]
SIZE = 40, 50


@pytest.fixture
def kit(tmp_path):
    """Four weak images; the second has two instances of a class that touch, and void pixels."""
    make_devkit(tmp_path / 'kit', weak=4, size=SIZE)
    mask, instances = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint8)
    mask[5:20, 5:40] = 2
    instances[5:20, 5:20], instances[5:20, 20:40] = 1, 2
    mask[20:22] = instances[20:22] = 255
    mask[38, 48] = 1  # too small
    write_mask(tmp_path / 'kit/SegmentationClass/w1.png', mask)
    (tmp_path / 'kit/SegmentationObject').mkdir()
    write_mask(tmp_path / 'kit/SegmentationObject/w1.png', instances)
    return tmp_path / 'kit'


@pytest.fixture
def make(kit, tmp_path, run_tool):
    """A function that runs the tool; returns its exit code and what it printed at last."""
    def make(kind, *args, out='out', workers=1):
        return run_tool('make_weak_labels.py', kit, '--kind', kind, '--ann-file',
                        'ImageSets/Segmentation/weak.txt', '--out', tmp_path / out,
                        '--workers', workers, *args)

    return make


def files(folder):
    """Name -> bytes and time of change."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def load(kit, supervision, **options):
    init_default_scope('mmseg')
    dataset = VOCWeakSegDataset(
        data_root=str(kit), supervision=supervision, pipeline=PIPELINE,
        ann_file='ImageSets/Segmentation/weak.txt', **options)
    return [packed['data_samples'] for packed in dataset]


@pytest.mark.parametrize('kind, folder', [
    ('points', 'PointLabels_v1_seed0'), ('scribbles', 'ScribbleLabels_v1_seed0')])
def test_points_and_scribbles(kit, make, tmp_path, kind, folder):
    code, report = make(kind, workers=2)
    assert code == 0 and '4 made' in report and '0 failed' in report
    assert 'instance masks in 1 images, from connected pieces in 3' in report
    out = tmp_path / 'out' / folder
    for i in range(4):
        labels, mask = read_mask(out / f'w{i}.png'), read_mask(kit / f'SegmentationClass/w{i}.png')
        drawn = labels != 255
        assert np.array_equal(labels[drawn], mask[drawn])
        objects = [mask == i % 2 + 1]
        if i == 1:
            instances = read_mask(kit / 'SegmentationObject/w1.png')
            objects = [instances == 1, instances == 2]
        pieces = [ndimage.label(drawn & part, np.ones((3, 3)))[1] for part in objects]
        assert pieces == [1] * len(objects) and ndimage.label(labels == 0, np.ones((3, 3)))[1] == 1
    assert not (read_mask(out / 'w1.png') == 1).any()  # the object of one pixel

    recipe = read_records(out)['w2']['recipe']
    assert (recipe['method'], recipe['seed'], recipe['version']) == (kind, 0, 1)
    supervision = kind[:-1]
    samples = load(kit, supervision, data_prefix={f'{supervision}_path': str(out)})
    assert [sample.gt_tags.tolist() for sample in samples] == [
        [1, 1, 0], [1, 0, 1], [1, 1, 0], [1, 0, 1]]
    assert f"supervision='{supervision}'" in report and repr(str(out)) in report


def test_labels_depend_on_the_image_alone(kit, make, tmp_path):
    """Not on the number of workers, nor on what else is in the list."""
    folder = 'ScribbleLabels_v1_seed0'
    make('scribbles', out='two', workers=2)
    make('scribbles', out='one')
    whole = contents(tmp_path / 'one' / folder)
    assert len(whole) == 4 and contents(tmp_path / 'two' / folder) == whole
    (kit / 'ImageSets/Segmentation/part.txt').write_text('w3\nw1\n')
    make('scribbles', '--ann-file', 'ImageSets/Segmentation/part.txt', out='part')
    assert contents(tmp_path / 'part' / folder) == {
        name: whole[name] for name in ('w1.png', 'w3.png')}
    make('scribbles', '--seed', 1, out='one')
    other = contents(tmp_path / 'one/ScribbleLabels_v1_seed1')
    assert other.keys() == whole.keys() and all(other[name] != whole[name] for name in whole)


@pytest.mark.parametrize('kind, place', [
    ('boxes', 'Annotations_v1'), ('points', 'PointLabels_v1_seed0'), ('tags', '')])
def test_only_what_is_missing_is_made(kit, make, tmp_path, kind, place):
    (kit / 'ImageSets/Segmentation/part.txt').write_text('w2\n')
    make(kind, '--ann-file', 'ImageSets/Segmentation/part.txt')
    first = files(tmp_path / 'out' / place)
    code, report = make(kind)
    assert code == 0 and report.startswith('4 images: 1 up to date, 3 to make')
    second = files(tmp_path / 'out' / place)
    assert all(second[name] == first[name] for name in first if name[:2] == 'w2')
    code, report = make(kind)
    assert code == 0 and report.startswith('4 images: 4 up to date, 0 to make')
    assert files(tmp_path / 'out' / place) == second
    assert not [name for name in second if name.startswith('.') and not name.endswith('.lock')]


def test_boxes_are_those_of_the_annotator(kit, make, tmp_path):
    write_annotation(kit / 'Annotations/w1.xml', 'green', (5, 5, 20, 20), SIZE)
    text = (kit / 'Annotations/w1.xml').read_text()
    write_annotation(kit / 'Annotations/w1.xml', 'green', (20, 5, 40, 20), SIZE)
    other = (kit / 'Annotations/w1.xml').read_text()
    middle = other[other.index('  <object>'):]
    (kit / 'Annotations/w1.xml').write_text(text.replace('</annotation>\n', '') + middle)
    assert make('boxes')[0] == 0
    out = tmp_path / 'out/Annotations_v1'
    for i in range(4):
        names, boxes = read_voc_objects(out / f'w{i}.xml')
        expected = read_voc_objects(kit / f'Annotations/w{i}.xml')
        assert names == expected[0] and np.array_equal(boxes, expected[1])
    assert json.loads((out / 'manifest.json').read_text())['min_area'] == 25
    assert len(load(kit, 'box', data_prefix=dict(box_path=str(out)))) == 4

    code, error = make('boxes', '--min-area', 5)
    assert code == 1 and 'made otherwise' in error and 'choose another place' in error
    (out / 'manifest.json').unlink()
    code, error = make('boxes')
    assert code == 1 and 'They are not overwritten' in error


def test_objects_without_instances_are_pieces(kit, make, tmp_path):
    (kit / 'SegmentationObject/w1.png').unlink()
    assert make('boxes', '--min-area', 1)[0] == 0
    names, boxes = read_voc_objects(tmp_path / 'out/Annotations_v1/w1.xml')
    assert names == ['red', 'green']
    assert boxes.tolist() == [[48, 38, 49, 39], [5, 5, 40, 20]]


def test_tags(kit, make, tmp_path):
    assert make('tags')[0] == 0
    assert (tmp_path / 'out/tags_v1.txt').read_text() == 'w0 red\nw1 red green\nw2 red\nw3 green\n'
    samples = load(kit, 'image', tag_file=str(tmp_path / 'out/tags_v1.txt'))
    assert [sample.gt_tags.tolist() for sample in samples] == [
        [1, 1, 0], [1, 1, 1], [1, 1, 0], [1, 0, 1]]
    assert json.loads((tmp_path / 'out/tags_v1.json').read_text())['classes'] == list(CLASSES)
    (kit / 'classes.txt').write_text('background\ngreen\nred\n')
    assert 'made otherwise' in make('tags')[1]


def test_images_that_fail(kit, make, tmp_path):
    masks = kit / 'SegmentationClass'
    (masks / 'w0.png').unlink()
    write_mask(kit / 'SegmentationObject/w1.png', np.ones((3, 4), np.uint8))
    write_mask(masks / 'w2.png', np.zeros((40, 49), np.uint8))
    code, report = make('points')
    assert code == 1 and '1 made' in report and '3 failed' in report and 'Train' not in report
    lines = [line for line in report.splitlines() if line[:2] in ('w0', 'w1', 'w2')]
    assert len(lines) == 3
    for line, file, words in zip(
            lines, ('SegmentationClass/w0.png', 'SegmentationObject/w1.png',
                    'SegmentationClass/w2.png'),
            ('cannot be read', '(3, 4)', '49x40 (width x height) but its image is 50x40')):
        assert file in line and words in line
    assert [path.name for path in (tmp_path / 'out').rglob('*.png')] == ['w3.png']

    write_mask(masks / 'w0.png', np.full(SIZE, 255, np.uint8))
    write_mask(kit / 'SegmentationObject/w1.png', np.full(SIZE, 3, np.uint8))
    write_mask(masks / 'w2.png', np.full(SIZE, 3, np.uint8))
    (kit / 'JPEGImages/w3.jpg').unlink()
    code, report = make('points', '--background-points', 0, out='second')
    assert code == 1 and '0 made' in report and '4 failed' in report
    for words in ('w0.png: the mask has nothing to label',
                  'SegmentationObject/w1.png: the instance 3 lies on the background',
                  'w2.png: the mask has labels [3]', 'w3.jpg: there is no such image'):
        assert words in report


def test_an_image_without_any_object_is_known_to_be_empty(kit, make, tmp_path):
    """A mask of 0; not one that is void, nor one whose objects are too small for a box."""
    write_mask(kit / 'SegmentationClass/w0.png', np.zeros(SIZE, np.uint8))
    write_mask(kit / 'SegmentationClass/w2.png', np.full(SIZE, 255, np.uint8))
    small = np.zeros(SIZE, np.uint8)
    small[3, 3] = 1
    write_mask(kit / 'SegmentationClass/w3.png', small)
    code, report = make('tags')
    assert code == 1 and '1 failed' in report and 'w2.png: the mask is 255' in report
    assert (tmp_path / 'out/tags_v1.txt').read_text() == 'w0\nw1 red green\nw3 red\n'
    code, report = make('boxes')
    assert code == 1 and '2 failed' in report
    assert 'w3.png: the mask has no object of 25 pixels' in report
    names, boxes = read_voc_objects(str(tmp_path / 'out/Annotations_v1/w0.xml'))
    assert names == [] and boxes.shape == (0, 4)
    (kit / 'ImageSets/Segmentation/weak.txt').write_text('w0\nw1\n')
    for supervision, options in (('image', dict(tag_file=str(tmp_path / 'out/tags_v1.txt'))),
                                 ('box', dict(data_prefix=dict(
                                     box_path=str(tmp_path / 'out/Annotations_v1'))))):
        samples = load(kit, supervision, **options)
        assert [sample.gt_tags.tolist() for sample in samples][0] == [1, 0, 0]
        assert samples[1].gt_tags[2] == 1


def test_names_with_blanks_are_written_so_that_they_are_read(kit, make, tmp_path):
    (kit / 'classes.txt').write_text('background\nupper body\nleg, "left"\n', 'utf-8')
    for folder, suffix in ('JPEGImages', '.jpg'), ('SegmentationClass', '.png'):
        (kit / folder / 'a b').mkdir()
        (kit / folder / f'w0{suffix}').rename(kit / folder / f'a b/ä, 1{suffix}')
        (kit / folder / f'w2{suffix}').rename(kit / folder / f'w 2{suffix}')
    (kit / 'JPEGImages/w 2.jpg').rename(kit / 'JPEGImages/w 2.JPEG')
    (kit / 'ImageSets/Segmentation/weak.txt').write_text('a b/ä, 1\nw1\nw 2\n', 'utf-8')
    for kind in 'tags', 'boxes', 'points':
        code, report = make(kind)
        assert code == 0 and '3 made' in report, report
        assert '3 up to date' in make(kind)[1]
    out = tmp_path / 'out'
    for supervision, options in (
            ('image', dict(tag_file=f'{out}/tags_v1.txt')),
            ('box', dict(data_prefix=dict(box_path=f'{out}/Annotations_v1'))),
            ('point', dict(data_prefix=dict(point_path=f'{out}/PointLabels_v1_seed0')))):
        tags = [sample.gt_tags.tolist() for sample in load(kit, supervision, **options)]
        assert tags[::2] == [[1, 1, 0]] * 2 and tags[1][2] == 1


@pytest.mark.parametrize('args, words', [
    (['tags', '--radius', 2], 'radius is for points, got tags'),
    (['boxes', '--seed', 1], 'seed is for points or scribbles, got boxes'),
    (['points', '--seed', -1], 'seed must be at least 0'),
    (['points', '--radius', 'nan'], 'radius must be at least 0'),
    (['points', '--instances', 'none'], 'no such folder in'),
    (['points', '--ann-file', 'no.txt'], 'there is no such list')])
def test_wrong_arguments(make, tmp_path, args, words):
    code, error = make(*args)
    assert code in (1, 2) and words in error
    assert not (tmp_path / 'out').exists()


def test_options_of_points(make, tmp_path):
    assert make('points', '--radius', 0, '--background-points', 2)[0] == 0
    for i in (0, 2, 3):
        labels = read_mask(tmp_path / f'out/PointLabels_v1_seed0/w{i}.png')
        assert (labels == 0).sum() == 2 and (labels != 255).sum() == 3


@pytest.mark.parametrize('kind', ['tags', 'boxes', 'points'])
@pytest.mark.parametrize('number, words', [
    (errno.ENOSPC, 'Free space on this disk'), (errno.EROFS, 'Choose a folder'),
    (errno.EACCES, 'Choose a folder')])
def test_a_disk_that_takes_no_file(make, tmp_path, full_disk, kind, number, words):
    begun = kind != 'points'  # the manifest
    with full_disk(begun + (kind != 'tags'), number) as left:
        code, error = make(kind)
    file = dict(tags='tags_v1.txt', boxes='Annotations_v1/w1.xml',
                points='PointLabels_v1_seed0/w1.png')[kind]
    assert code == 1 and f'out/{file}: {os.strerror(number)}' in error and words in error
    assert left == [-1]  # it stops at the first
    assert not list((tmp_path / 'out').rglob('.tmp-*'))
    assert make(kind)[0] == 0
    if kind == 'boxes':
        assert len(list((tmp_path / 'out').rglob('*.xml'))) == 4


@pytest.mark.parametrize('kind', ['tags', 'boxes', 'points'])
def test_a_folder_for_reading(make, kind, read_only):
    code, error = make(kind, out=read_only / 'labels')
    assert code == 1 and f'{read_only}/labels/' in error
    assert 'Choose a folder that you may write to' in error


def test_the_first_files_on_a_full_disk(make, tmp_path, full_disk):
    for kind, file in dict(tags='tags_v1.json', boxes='Annotations_v1/manifest.json').items():
        with full_disk(0) as left:
            code, error = make(kind)
        assert code == 1 and f'out/{file}: No space left' in error and left == [-1]
        assert make(kind)[0] == 0  # no lock stays


@pytest.mark.parametrize('kind', ['tags', 'boxes'])
def test_one_process_at_a_time(make, tmp_path, kind, monkeypatch):
    """Two that began with the same file would each write it without the lines of the other."""
    place = dict(tags='tags_v1.txt', boxes='Annotations_v1')[kind]
    second = []

    def begin_another(jobs, *args, **kwargs):
        yield next(jobs)
        monkeypatch.undo()
        second.append(make(kind))
        yield from jobs

    monkeypatch.setattr('mmseg_wss.utils.jobs.track', begin_another)
    assert make(kind)[0] == 0
    code, error = second[0]
    assert code == 1 and f'out/{place}: another process is writing labels there' in error
    assert 'Wait for its end' in error
    code, report = make(kind)
    assert code == 0 and '4 up to date, 0 to make' in report


@pytest.mark.parametrize('kind, names', [
    ('boxes', ['Annotations_v1/.tmp-1-0123abcd-w1.xml', 'Annotations_v1/.tmp-1-abc-manifest.json',
               'Annotations_v1/sub/.tmp-77-0123abcd-w1.xml']),
    ('tags', ['.tmp-1-0123abcd-tags_v1.txt', '.tmp-1-0123abcd-tags_v1.json'])])
def test_what_a_killed_run_left_is_cleared(make, tmp_path, kind, names):
    assert make(kind)[0] == 0
    other = tmp_path / 'out/.tmp-1-0123abcd-list.txt'  # another tool's
    for path in (other, *(tmp_path / 'out' / name for name in names)):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert make(kind)[0] == 0
    assert list((tmp_path / 'out').rglob('.tmp-*')) == [other]


def test_no_lock_beside_labels_of_others(make, tmp_path):
    for kind, name in dict(tags='tags_v1.txt', boxes='Annotations_v1/w1.xml').items():
        (tmp_path / 'out' / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / 'out' / name).write_text('w0 red')
        code, error = make(kind)
        assert code == 1 and 'They are not overwritten' in error
    assert not list((tmp_path / 'out').rglob('.*'))


def test_damaged_labels_and_manifests(make, tmp_path):
    assert make('tags')[0] == 0
    path = tmp_path / 'out/tags_v1.txt'
    good = path.read_text()
    for content in (good.encode('utf-16'), good.encode('utf-16-le'), good.encode('utf-16-be'),
                    b'\xff\xfe\x00\x00'):
        path.write_bytes(content)
        code, error = make('tags')
        assert code == 1 and 'tags_v1.txt: not a text file in UTF-8' in error, content
    path.write_text(good)
    assert make('tags')[0] == 0
    for content in (b'[' * 100000, b'{"a":' * 100000, b'\xff\xfe{}', b'{', b''):
        (tmp_path / 'out/tags_v1.json').write_bytes(content)
        code, error = make('tags')
        assert code == 1 and 'tags_v1.json: not a readable JSON file' in error
    for content in ('[' * 300 + ']' * 300, '5', 'null', '{"a": 1}'):
        (tmp_path / 'out/tags_v1.json').write_text(content)
        code, error = make('tags')
        assert code == 1 and 'tags_v1.txt: its labels were made otherwise' in error


@pytest.mark.parametrize('kind', ['boxes', 'points', 'scribbles'])
@pytest.mark.parametrize('name', [
    '../w0', '../../w0', 'a/../../w0', '..', '{folder}/w0', 'x' * 300, './../w0'])
def test_names_outside_the_folder_fail_their_image(kit, make, tmp_path, kind, name):
    name = name.format(folder=tmp_path)
    lists = kit / 'ImageSets/Segmentation/weak.txt'
    lists.write_text(f'w0\n{name}\nw1\n')
    for part, suffix in ('JPEGImages', 'jpg'), ('SegmentationClass', 'png'):
        path = kit / part / f'{name}.{suffix}'
        if len(name) < 300 and path.parent.is_dir():
            path.write_bytes((kit / part / f'w0.{suffix}').read_bytes())
    before = sorted(tmp_path.rglob('*.xml')) + sorted(tmp_path.glob('*.png'))
    code, report = make(kind)
    assert code == 1 and '2 made' in report and '1 failed' in report
    (line, ) = [line for line in report.splitlines() if line.startswith(f'{name}: ')]
    assert 'correct the list' in line or 'cannot be read' in line or 'too long' in line
    made = sorted(tmp_path.rglob('*.xml')) + sorted(tmp_path.glob('*.png'))
    assert all(tmp_path / 'out' in path.parents for path in made if path not in before)
