"""The masks of a small COCO file whose objects are rectangles, painted here by slices."""
import json
import pickle
import re
import tracemalloc

import numpy as np
import pytest
from devkit import mask_files, read_mask
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.converters.semantic_mask import MakeSemanticMask, paint_regions
from mmseg_wss.labels.formats.mask_file import write_mask
from mmseg_wss.labels.formats.outlines import Region

NAMES = {90: 'red', 7: 'green', 33: 'blue'}  # classes 3, 1 and 2
SIZE = 40, 30  # (width, height)


def image(number, name, size=SIZE):
    return dict(id=number, file_name=name, width=size[0], height=size[1])


def box(x1, y1, x2, y2):
    return [[x1, y1, x2, y1, x2, y2, x1, y2]]


def runs(x1, y1, x2, y2):
    """A rectangle as run lengths, down the columns."""
    height = SIZE[1]
    counts = [x1 * height + y1]
    for _ in range(x2 - x1):
        counts += [y2 - y1, height - (y2 - y1)]
    counts[-1] = SIZE[0] * height - sum(counts[:-1])
    return dict(size=[height, SIZE[0]], counts=counts)


def annotation(number, owner, category, segmentation, iscrowd=0):
    return dict(id=number, image_id=owner, category_id=category, segmentation=segmentation,
                iscrowd=iscrowd, bbox=[0, 0, 1, 1], area=1.5)


def content():
    return dict(
        info=dict(year=2017), licenses=[],
        images=[image(581, 'a.jpg'), image(9, 'bare.jpg'), image(30, 'sub/c.jpg'),
                image(4, 'crowd.jpg'), image(77, 'gone.jpg')],
        annotations=[
            annotation(1, 581, 7, box(12, 5, 16, 9)),  # the smallest, thus on top
            annotation(2, 581, 90, box(2, 2, 30, 20)),
            annotation(3, 581, 33, [*box(10, 4, 20, 10), *box(35, 25, 38, 28)]),
            annotation(4, 581, 7, runs(0, 0, 40, 25), iscrowd=1),  # larger than all
            annotation(5, 581, 90, runs(33, 21, 40, 26), iscrowd=1),
            annotation(6, 30, 33, dict(size=[30, 40], counts='Rc0i0ea0')),  # 610, 25, 565
            annotation(7, 4, 90, runs(5, 5, 9, 9), iscrowd=1),
            annotation(8, 77, 7, box(-5, 20, 10.6, 99))],
        categories=[dict(id=number, name=name) for number, name in NAMES.items()])


def expected(crowd=True):
    """name -> mask."""
    masks = {name: np.zeros(SIZE[::-1], np.uint8) for name in ('a', 'bare', 'c', 'crowd', 'gone')}
    a = masks['a']
    a[0:25, 0:40] = 255 if crowd else 1
    a[2:20, 2:30] = 3
    a[4:10, 10:20] = a[25:28, 35:38] = 2  # 69 pixels
    a[21:26, 33:40] = 255 if crowd else 3  # 35
    a[5:9, 12:16] = 1
    masks['c'][10:30, 20] = masks['c'][0:5, 21] = 2
    masks['crowd'][5:9, 5:9] = 255 if crowd else 3
    masks['gone'][20:, :11] = 1
    return masks


@pytest.fixture
def root(tmp_path):
    """A COCO folder; of its images, gone.jpg is missing."""
    (tmp_path / 'images/sub').mkdir(parents=True)
    for name in ('a', 'bare', 'sub/c', 'crowd'):
        Image.new('RGB', SIZE).save(tmp_path / f'images/{name}.jpg')
    (tmp_path / 'a.json').write_text(json.dumps(content()))
    return tmp_path


@pytest.fixture
def convert(root, run_tool):
    """A function that runs the tool; returns its exit code and what it printed at last."""
    def convert(*args, out='out', workers=1):
        return run_tool('dataset_converters/coco_semantic.py', root / 'a.json', '--out', root / out,
                        '--workers', workers, *args)

    return convert


def assert_made(folder, crowd=True):
    for name, mask in expected(crowd).items():
        assert np.array_equal(read_mask(folder / f'{name}.png'), mask), name


def change(root, key, number, **fields):
    changed = json.loads((root / 'a.json').read_text())
    changed[key][number].update(fields)
    (root / 'a.json').write_text(json.dumps(changed))


# ---- painting

def test_the_smaller_object_is_on_top():
    """Against a look at every pixel: of the objects there, the smallest, of equal ones the last."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        labels, regions, masks = [], [], []
        for _ in range(6):
            top, left, height, width = rng.integers(0, (8, 9, 5, 5))
            mask = rng.random((height, width)) < 0.8
            labels.append(int(rng.choice([1, 2, 3, 255])))
            regions.append(Region(top, left, mask))
            masks.append(np.zeros((12, 13), bool))
            masks[-1][top:top + height, left:left + width] = mask
        painted = paint_regions(zip(labels, regions), (12, 13))
        for y, x in np.ndindex(12, 13):
            there = [(mask.sum(), -i) for i, mask in enumerate(masks) if mask[y, x]]
            assert painted[y, x] == (labels[-min(there)[1]] if there else 0)


def test_many_objects_take_the_memory_of_one():
    one = 2000 * 2000
    regions = ((1, Region(0, 0, np.ones((2000, 2000), bool))) for _ in range(30))
    tracemalloc.start()
    try:
        paint_regions(regions, (2000, 2000))
        assert tracemalloc.get_traced_memory()[1] < 12 * one
    finally:
        tracemalloc.stop()


def test_a_worker_gets_no_more_than_its_job():
    assert len(pickle.dumps(MakeSemanticMask('a.json', 'out', {}))) < 2000


# ---- the tool

def test_masks(root, convert):
    code, report = convert('--images', root / 'images', workers=2)
    assert '5 images, 4 classes: 0 up to date, 5 to make' in report
    assert '5 made' in report and '0 failed' in report
    assert code == 1 and '1 image(s) of' in report and 'are missing' in report
    assert 'gone.jpg' in report and 'Train with them' in report
    assert_made(root / 'out')
    assert (root / 'out/classes.txt').read_text() == 'background\ngreen\nblue\nred\n'
    made = mask_files(root / 'out')
    assert set(made) == {f'{name}.png' for name in expected()}

    Image.new('RGB', SIZE).save(root / 'images/gone.jpg')
    (root / 'out/bare.png').unlink()
    (root / 'out/.tmp-1-abc-bare.png').touch()  # of a run that was killed
    code, report = convert('--images', root / 'images')
    assert code == 0 and '4 up to date, 1 to make' in report and 'missing' not in report
    again = mask_files(root / 'out')
    assert again.pop('bare.png')[0] == made.pop('bare.png')[0] and again == made


def test_crowds_may_have_their_class(root, convert):
    code, report = convert('--crowd', 'class')  # the images are not asked for
    assert code == 0 and 'missing' not in report
    assert_made(root / 'out', crowd=False)


def test_the_data_set_reads_them(root, convert):
    assert convert()[0] == 0
    from mmengine.registry import init_default_scope

    from mmseg_wss.datasets import COCOWeakSegDataset
    from mmseg_wss.engine.config_check import check_sample
    init_default_scope('mmseg')
    Image.new('RGB', SIZE).save(root / 'images/gone.jpg')
    dataset = COCOWeakSegDataset(
        data_root=str(root), ann_file='a.json', supervision='pixel',
        metainfo=dict(classes=str(root / 'out/classes.txt')),
        data_prefix=dict(img_path='images', seg_map_path='out'),
        pipeline=[dict(type='LoadImageFromFile'), dict(type='mmseg_wss.LoadWeakLabels'),
                  dict(type='mmseg_wss.PackWeakSegInputs')])
    masks = [sample['data_samples'].gt_sem_seg.data[0].numpy() for sample in dataset]
    assert all(np.array_equal(mask, expected()[name])
               for mask, name in zip(masks, ('a', 'bare', 'c', 'crowd', 'gone')))
    assert [check_sample(dataset.get_data_info(i), dataset.metainfo['classes'])[0]
            for i in range(5)] == [[]] * 5

    # a mask of 0 and 255 of objects, not of crowds, is what the check is for
    content = expected()['gone']
    write_mask(root / 'out/gone.png', np.where(content, 255, 0).astype(np.uint8))
    assert 'gone.png' in check_sample(dataset.get_data_info(4), dataset.metainfo['classes'])[0][0]
    with pytest.raises(DataError, match='gone.png: the mask has only the values 0 and 255'):
        dataset[4]


def test_another_file_or_option_makes_the_masks_anew(root, convert):
    assert convert()[0] == 0
    code, report = convert('--crowd', 'class')
    assert code == 0 and '0 up to date, 5 to make' in report
    assert_made(root / 'out', crowd=False)
    change(root, 'annotations', 0, category_id=33)
    assert '0 up to date, 5 to make' in convert()[1]
    Image.new('P', SIZE).save(root / 'out/a.png')  # by hand
    before = mask_files(root / 'out')
    code, error = convert()
    assert code == 1 and 'They are not overwritten' in error and mask_files(root / 'out') == before


def test_ctrl_c(root, convert, ctrl_c):
    code, report = convert()
    assert code == 130 and 'The finished masks are in' in report
    code, report = convert()
    assert code == 0 and not list((root / 'out').glob('.tmp-*'))
    assert any(f'{done} up to date, {5 - done} to make' in report for done in (1, 2))
    assert_made(root / 'out')


def test_images_that_fail(root, convert):
    change(root, 'annotations', 0, segmentation=[[1, 2, 3]])
    change(root, 'annotations', 3, segmentation=dict(size=[30, 40], counts='ooo'))
    change(root, 'annotations', 7, segmentation=[['x', 2, 3, 4, 5, 6]])
    change(root, 'annotations', 4, segmentation=[[1, 2, 3, 4, 5e5, 6]])
    Image.new('RGB', (30, 40)).save(root / 'images/bare.jpg')
    (root / 'images/crowd.jpg').write_bytes(b'no picture')
    code, report = convert('--images', root / 'images')
    assert code == 1 and '1 made' in report and '4 failed' in report and 'Train' not in report
    lines = {line.split(':')[0]: line for line in report.splitlines()}
    for name, words in (
            ('a', ('a.json', 'annotation 1: its outline has a polygon (number 1)',
                   'annotation 4: its outline has counts',
                   'annotation 5: its outline has a polygon (number 1) with the corner (500000, 6)'
                   )),
            ('gone', ('annotation 8: its outline has a polygon', )),
            ('bare', ('bare.jpg: the image is 30x40 (width x height)', 'says 40x30')),
            ('crowd', ('crowd.jpg: the image cannot be read', ))):
        assert all(word in lines[name] for word in words), lines[name]
    assert [path.name for path in (root / 'out').glob('*.png')] == ['c.png']


@pytest.mark.parametrize('key, number, fields, says', [
    ('images', 0, dict(width=40.5), r'not whole numbers.*image\[581\]'),
    ('images', 0, dict(height=1 << 27), r'more than 268435456 pixels.*image\[581\]'),
    ('images', 0, dict(file_name='b/bare.png'), r'in the list already.*images\[1\]'),
    ('categories', 0, dict(id='x'), r"no whole number.*category\[x\]"),
    ('categories', 0, dict(name='a\nb'), 'names of one line'),
    ('annotations', 0, dict(image_id=5), 'an image that is not in "images"'),
    ('annotations', 0, dict(category_id=5), 'a category that is not in "categories"'),
    ('annotations', 0, dict(segmentation=[]), r'without a segmentation.*annotations\[0\] \(id 1\)'),
])
def test_a_file_that_contradicts_itself(root, convert, key, number, fields, says):
    change(root, key, number, **fields)
    code, error = convert()
    assert code == 1 and re.search(says, error) and not list(root.glob('out/*.png'))


@pytest.mark.parametrize('depth', [300, 900, 100000])
@pytest.mark.parametrize('key, field, opening, closing', [
    ('annotations', 'segmentation', '[', ']'), ('annotations', 'segmentation', '{"size":', '}'),
    ('annotations', 'segmentation', '{"counts":', '}'), ('annotations', 'id', '[', ']'),
    ('annotations', 'segmentation', '[{"size":', '}]'), ('images', 'id', '[', ']'),
    ('images', 'width', '{"id":', '}'), ('categories', 'name', '[', ']'),
    ('annotations', 'image_id', '[', ']'), ('annotations', 'category_id', '{"id":', '}')])
def test_deep_nesting(root, convert, depth, key, field, opening, closing):
    change(root, key, 0, **{field: 'DEEP'})
    deep = opening * depth + '1' + closing * depth
    text = (root / 'a.json').read_text().replace('"DEEP"', deep)
    (root / 'a.json').write_text(text)
    code, report = convert()
    if (key, field) == ('annotations', 'id') and code == 0:
        return  # an id is for messages alone
    assert code == 1 and 'a.json' in report and 'Traceback' not in report
    assert any(words in report for words in (
        'annotation 1: its outline', 'not a readable JSON file', 'image(s) without',
        'category(s) without', 'annotation(s) of '))


def test_run_lengths_may_be_written_as_floats(root, convert):
    counts = [float(count) for count in runs(0, 0, 40, 25)['counts']]
    change(root, 'annotations', 3, segmentation=dict(size=[30, 40], counts=counts))
    assert convert()[0] == 0
    assert_made(root / 'out')


def test_all_faults_of_a_file_together(root, convert):
    change(root, 'images', 0, width='40')
    change(root, 'annotations', 5, segmentation=None)
    code, error = convert()
    assert code == 1 and 'positive width and height: images[0] (id 581)' in error
    assert 'annotations[0] (image_id 581)' in error and 'annotations[5] (id 6)' in error
    assert all(line.startswith(str(root / 'a.json')) for line in error.splitlines())


def test_a_missing_folder_of_images(root, convert):
    code, error = convert('--images', 'nowhere')
    assert code == 2 and 'nowhere: there is no such folder' in error
    assert not (root / 'out').exists()


def test_a_missing_file(root, convert):
    (root / 'a.json').unlink()
    code, error = convert()
    assert code == 1 and 'there is no such file' in error and not (root / 'out').exists()


def test_outlines_take_a_fraction_of_the_file(root):
    """8 bytes a number, where Python's own objects are 32."""
    from mmseg_wss.labels.formats.coco_outlines import read_outlines
    large = content()
    outline = [[i / 7 for i in range(400)]]
    large['annotations'] = [annotation(i, 581, 7, outline) for i in range(500)]
    (root / 'a.json').write_text(json.dumps(large))
    tracemalloc.start()
    try:
        kept = read_outlines(str(root / 'a.json'))
        assert len(kept.images[0].outlines) == 500
        assert tracemalloc.get_traced_memory()[0] < 500 * 400 * 8 * 1.5
    finally:
        tracemalloc.stop()
