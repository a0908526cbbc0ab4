"""COCO files with every kind of supervision, against the files as other readers see them."""
import json
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from dataset_bench import (
    AUGMENT,
    PLAIN,
    WEAK_IDS,
    DatasetBench,
    assert_same_samples,
    flat,
    make_root,
)
from devkit import CLASSES
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope
from mmseg.utils import get_classes
from PIL import Image

from mmseg_wss.datasets import COCOWeakSegDataset, StrongWeakSampler, VOCWeakSegDataset
from mmseg_wss.datasets.samplers.seeded_index import SeededIndex
from mmseg_wss.engine.config_check import check_sample, read_data_lists
from mmseg_wss.errors import DataError
from mmseg_wss.labels.boxes import box_hash
from mmseg_wss.labels.formats.coco_json import clip_boxes, match_classes, read_coco
from mmseg_wss.labels.formats.voc_xml import read_voc_objects
from mmseg_wss.labels.objects import load_objects
from mmseg_wss.labels.stores.mask_folder import MaskFolder

REPO = Path(__file__).resolve().parents[2]
VOC = tuple(get_classes('voc'))
# as in instances_train2017.json: id and name of the categories that VOC has, in VOC's order
COCO_OF_VOC = {
    5: 'airplane', 2: 'bicycle', 16: 'bird', 9: 'boat', 44: 'bottle', 6: 'bus', 3: 'car', 17: 'cat',
    62: 'chair', 21: 'cow', 67: 'dining table', 18: 'dog', 19: 'horse', 4: 'motorcycle',
    1: 'person', 64: 'potted plant', 20: 'sheep', 63: 'couch', 7: 'train', 72: 'tv'}


def categories(names):
    return [dict(id=number, name=name, supercategory='x') for number, name in names.items()]


def image(number, name, size=(64, 48)):
    return dict(id=number, file_name=name, width=size[0], height=size[1], license=3)


def annotation(owner, category, box, **more):
    return dict(dict(id=7, image_id=owner, category_id=category, bbox=box, iscrowd=0, area=9.5,
                     segmentation=[[1.5, 2, 3, 4]]), **more)


def make_coco(root):
    """`make_root` with a JSON file of its weak images; ids have gaps and are in no order."""
    make_root(root)
    images, annotations = [], []
    for number, name in zip((581, 9, 300, 12), WEAK_IDS):
        mask = np.array(Image.open(root / f'SegmentationClass/{name}.png'))
        y, x = np.nonzero(mask)
        box = [int(v) for v in (x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1)]
        images.append(image(number, f'{name}.jpg', (32, 24)))
        annotations.insert(0, annotation(number, {1: 90, 2: 7}[mask.max()], box))
    (root / 'weak.json').write_text(json.dumps(dict(
        info={}, licenses=[], images=images, annotations=annotations,
        categories=categories({90: 'red', 33: 'blue', 7: 'green'}))))
    return root


def coco(root, supervision, **options):
    return COCOWeakSegDataset(**{**dict(
        data_root=str(root), supervision=supervision, pipeline=PLAIN, ann_file='weak.json',
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        metainfo=dict(classes=list(CLASSES)),
        pseudo_mask='Pseudo' if supervision == 'pseudo' else None), **options})


class COCOBench(DatasetBench):
    label_key = 'img_path'

    @pytest.fixture
    def root(self, tmp_path):
        return make_coco(tmp_path)

    def build(self, root, **options):
        return coco(root, self.supervision, **options)


class TestPixel(COCOBench):
    supervision = 'pixel'
    label_key = 'seg_map_path'
    label_folder = 'SegmentationClass'
    fields = ('gt_sem_seg', )

    def expected(self, root, name):
        return dict(gt_sem_seg=self.true_mask(root, name)[None].astype(np.int64))


class TestBox(COCOBench):
    supervision = 'box'
    fields = ('gt_boxes', 'gt_tags')

    def expected(self, root, name):
        """From the mask: the devkit draws one square, whose box is exact."""
        mask = self.true_mask(root, name)
        y, x = np.nonzero(mask)
        box = [x.min(), y.min(), x.max() + 1, y.max() + 1]
        return {'gt_boxes.bboxes': np.array([box], np.float32),
                'gt_boxes.labels': np.array([mask.max()], np.int64),
                'gt_tags': np.isin(range(3), mask).astype(np.uint8)}


class TestImage(COCOBench):
    supervision = 'image'
    label_key = 'tags'
    fields = ('gt_tags', )

    def expected(self, root, name):
        return dict(gt_tags=np.isin(range(3), self.true_mask(root, name)).astype(np.uint8))


class TestNone(COCOBench):
    supervision = 'none'

    def expected(self, root, name):
        return {}

    def test_the_file_needs_images_alone(self, root):
        content = json.loads((root / 'weak.json').read_text())
        (root / 'weak.json').write_text(json.dumps(dict(images=content['images'])))
        assert len(list(self.build(root))) == 4
        with pytest.raises(DataError, match="no list 'annotations', 'categories'"):
            coco(root, 'box')


class TestPseudo(COCOBench):
    supervision = 'pseudo'
    label_key = 'pseudo_mask_path'
    label_folder = 'Pseudo'
    fields = ('gt_sem_seg', )

    def expected(self, root, name):
        mask = np.full((1, 24, 32), WEAK_IDS.index(name) % 3, np.int64)
        mask[:, :5] = 255
        return dict(gt_sem_seg=mask)

    def test_boxes_beside_the_mask(self, root):
        boxed, weak = self.build(root, with_boxes=True), coco(root, 'box')
        for i in range(4):
            assert boxed.get_data_info(i)['objects'] == weak.get_data_info(i)['objects']
            assert len(boxed.get_data_info(i)['objects']['names']) == 1
        assert_same_samples(list(boxed), list(self.build(root)))

    @pytest.mark.parametrize('with_boxes', [True, False])
    def test_masks_made_for_other_boxes(self, root, with_boxes):
        weak, folder = coco(root, 'box'), MaskFolder(root / 'made', dict(tool='test'))
        for i, name in enumerate(WEAK_IDS):
            names, boxes, _ = load_objects(weak.get_data_info(i), CLASSES)
            folder.write(name, np.ones((24, 32), np.uint8), box_hash(names, boxes))
        folder.close()
        options = dict(pseudo_mask='made', with_boxes=with_boxes)
        assert len(list(self.build(root, **options))) == 4
        content = json.loads((root / 'weak.json').read_text())
        content['annotations'][-1]['bbox'][2] -= 1  # of the first image
        (root / 'weak.json').write_text(json.dumps(content))
        changed = self.build(root, **options)
        message = f'{WEAK_IDS[0]}.png: the mask was made for other boxes'
        assert message in check_sample(changed.get_data_info(0), CLASSES)[0][0]
        assert check_sample(changed.get_data_info(1), CLASSES)[0] == []
        with pytest.raises(DataError, match=message):
            changed[0]


# ---- what a file says

def made_up():
    """Six images of which two have objects of VOC's classes, and a fault-free file of them."""
    images = [image(90, 'two.jpg'), image(4, 'crowd.jpg'), image(1, 'zebra.jpg'),
              image(512, 'sub/over.png', (20, 10)), image(7, 'flat.jpg'), image(8, 'bare.jpg')]
    annotations = [
        annotation(512, 72, [12, 6, 12, 4.5]),  # 4 and 0.5 pixels beyond the right and lower edge
        annotation(90, 5, [1.5, 2, 10, 20.25]),
        annotation(4, 1, [1, 2, 10, 20], iscrowd=1, segmentation=dict(size=[1, 1], counts='a')),
        annotation(1, 24, [1, 2, 10, 20]),
        annotation(1, 24, None),  # of no class, so never used
        annotation(7, 1, [5, 6, 0, 4]),
        annotation(90, 1, [-0.25, 40, 64.5, 8.5]),
        annotation(90, 5, [63, 47, 1, 1]),
        annotation(90, 1, [3, 4, 5, 6], iscrowd=1)]
    return dict(images=images, annotations=annotations,
                categories=categories({24: 'zebra', **COCO_OF_VOC}))


def scan(folder, content, supervision='box', **options):
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / 'a.json').write_text(text)
    if supervision == 'pseudo':
        options = dict(pseudo_mask='Masks', **options)
    return COCOWeakSegDataset(
        ann_file='a.json', data_root=str(folder), supervision=supervision, lazy_init=True,
        **options).scan_list()


def test_objects_of_the_classes_and_nothing_else(tmp_path):
    data_list, faults = scan(tmp_path, made_up())
    assert not faults
    assert [(info['img_path'], info['objects']) for info in data_list] == [
        (f'{tmp_path}/train2017/two.jpg', dict(
            names=['aeroplane', 'person', 'aeroplane'],
            bboxes=[[1.5, 2, 11.5, 22.25], [0, 40, 64, 48], [63, 47, 64, 48]])),
        (f'{tmp_path}/train2017/sub/over.png', dict(
            names=['tvmonitor'], bboxes=[[12, 6, 20, 10]]))]


def test_tags_are_the_classes_once(tmp_path):
    data_list, _ = scan(tmp_path, made_up(), 'image')
    assert [info['tags'] for info in data_list] == [['aeroplane', 'person'], ['tvmonitor']]
    assert not any('objects' in info for info in data_list)


def test_masks_are_named_by_the_stem(tmp_path):
    data_list, _ = scan(tmp_path, made_up(), 'pseudo')
    assert [info['pseudo_mask_path'] for info in data_list] == [
        f'{tmp_path}/Masks/two.png', f'{tmp_path}/Masks/over.png']


def test_true_masks_count_without_objects_too(tmp_path):
    data_list, _ = scan(tmp_path, made_up(), 'pixel', with_boxes=True,
                        data_prefix=dict(seg_map_path='Truth', img_path='val'))
    assert [info['seg_map_path'][-9:-4] for info in data_list] == [
        'h/two', 'crowd', 'zebra', '/over', '/flat', '/bare']
    assert [len(info['objects']['names']) for info in data_list] == [3, 0, 0, 1, 0, 0]


def test_classes_from_a_file_and_in_another_order(tmp_path):
    (tmp_path / 'names.txt').write_text('background\nperson\nzebra\n')
    data_list, faults = scan(tmp_path, {**made_up(), 'annotations': made_up()['annotations'][:4]},
                             metainfo=dict(classes=str(tmp_path / 'names.txt')))
    assert not faults
    assert [info['objects']['names'] for info in data_list] == [['zebra']]


def test_every_class_of_voc_is_found_under_either_spelling():
    coco_names = list(COCO_OF_VOC.values())
    assert list(match_classes(coco_names, VOC).values()) == list(VOC[1:])
    assert list(match_classes(VOC, ['background', *coco_names]).values()) == coco_names
    assert list(match_classes(coco_names, ['background', *coco_names]).values()) == coco_names
    assert match_classes(['background', 'zebra', 'TV'], VOC) == {}
    both = ['background', 'sofa', 'couch']
    assert match_classes(['couch', 'sofa'], both) == dict(couch='couch', sofa='sofa')


def test_clipping_is_painting_within_the_image():
    rng = np.random.default_rng(0)
    width, height, border = 12, 9, 20
    for _ in range(200):
        x, y = rng.integers(-10, 15, 2)
        w, h = rng.integers(1, 15, 2)
        canvas = np.zeros((height + 2 * border, width + 2 * border), bool)
        canvas[border + y:border + y + h, border + x:border + x + w] = True
        inside = canvas[border:-border, border:-border]
        (box, ) = clip_boxes(np.array([[x, y, w, h]]), np.array([[width, height]]))
        x1, y1, x2, y2 = box.astype(int)
        painted = np.zeros((height, width), bool)
        painted[y1:y2, x1:x2] = True
        assert box.dtype == np.float32 and np.array_equal(painted, inside)


def test_outlines_are_not_kept_while_reading(tmp_path):
    content = made_up()
    outline = [[i / 7 for i in range(100)]]
    content['annotations'] = [annotation(90, 5, [1, 2, 3, 4], segmentation=outline)] * 1000
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(content))

    def peak(action):
        tracemalloc.start()
        try:
            action()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak(lambda: read_coco(str(path), VOC)) < peak(
        lambda: json.loads(path.read_text())) - 1000 * 100 * 8


# ---- faults

def change(key, number, **fields):
    """A change of an entry of a file; a field of value `...` is removed."""
    def apply(content):
        content[key][number].update(fields)
        for name in [name for name, value in fields.items() if value is ...]:
            del content[key][number][name]
    return apply


def append(key, entry):
    return lambda content: content[key].append(entry)


BOX = r'1 annotation\(s\) whose bbox is not four finite numbers.*: annotations\[1\] \(bbox'


@pytest.mark.parametrize('fault, said', [
    (append('images', image(90, 'other.jpg')),
     r"1 image\(s\) that are in the list already.*: images\[6\] \(file_name 'other.jpg'\)"),
    (append('images', image(91, 'b/two.png')), r'already.*images\[6\] \(file_name .b/two.png'),
    (change('images', 5, id=...), r'1 image\(s\) without an id.*: images\[5\] \(id None\)'),
    (change('images', 5, file_name=5), r'images\[5\] \(id 8\)'),
    (change('images', 5, width=0), r'positive width and height: images\[5\]'),
    (change('images', 5, height='48'), r'positive width and height: images\[5\]'),
    (append('images', 'bare.jpg'), r'images\[6\] \(id None\)'),
    (append('categories', dict(id=25)), r'without a name or an id.*: categories\[21\] \(id 25\)'),
    (append('categories', dict(id=5, name='kite')), r'id of their own: categories\[21\] \(id 5\)'),
    (change('annotations', 3, image_id=555),
     r'an image that is not in "images": annotations\[3\] \(image_id 555\)\. Add'),
    (change('annotations', 3, image_id=[90]), r'annotations\[3\] \(image_id \[90\]\)'),
    (change('annotations', 3, category_id=25),
     r'a category that is not in "categories": annotations\[3\] \(category_id 25\)\. Add'),
    (append('annotations', None), r'annotations\[9\] \(image_id None\)'),
    (change('annotations', 1, bbox=...), BOX),
    (change('annotations', 1, bbox=[1, 2, 3]), BOX),
    (change('annotations', 1, bbox=[1, 2, 3, '4']), BOX),
    (change('annotations', 1, bbox=[1, 2, 3, float('nan')]), BOX),
    (change('annotations', 1, bbox=[1, 2, float('inf'), 4]), BOX),
    (change('annotations', 1, bbox=[1, 2, 10**400, 4]), BOX),
    (change('annotations', 1, bbox=[1, 2, -3, 4]), BOX),
    (change('annotations', 1, bbox=[64, 2, 3, 4]),
     r'outside the image: annotations\[1\] \(bbox \[64, 2, 3, 4\]\)\. Correct or remove'),
    (change('annotations', 1, bbox=[-3, 2, 3, 4]), 'outside the image'),
    (change('annotations', 1, bbox=[1, 48, 3, 4]), 'outside the image'),
    (change('annotations', 1, bbox=[1, -9, 3, 4]), 'outside the image')])
def test_faults_of_entries_are_named_and_the_rest_is_read(tmp_path, fault, said):
    content = made_up()
    fault(content)
    data_list, (line, ) = scan(tmp_path, content)
    assert [Path(info['img_path']).stem for info in data_list] == ['two', 'over']
    assert line.startswith(f'{tmp_path}/a.json: ')
    with pytest.raises(DataError, match=said):
        raise DataError(line)


def test_all_faults_at_once_and_a_kind_in_one_line(tmp_path):
    content = made_up()
    for number in range(30):
        content['annotations'].append(annotation(1000 + number, 5, [1, 2, 3, 4]))
    content['annotations'].append(annotation(90, 5, [1, 2, 3]))
    data_list, faults = scan(tmp_path, content)
    assert len(data_list) == 2 and len(faults) == 2
    assert '30 annotation(s) of an image' in faults[0] and 'and 25 more' in faults[0]
    with pytest.raises(DataError, match='30 annotation') as error:
        COCOWeakSegDataset(ann_file=str(tmp_path / 'a.json'), supervision='box')
    assert faults[1] in str(error.value)


@pytest.mark.parametrize('content, said', [
    ('', 'not a readable JSON file'), ('{"images": [', 'not a readable JSON file'),
    ('[' * 100000, 'not a readable JSON file'), ('[]', "no list 'images', 'annotations', "),
    ('7', "no list 'images'"), ({**made_up(), 'annotations': {}}, "no list 'annotations', so"),
    ({key: made_up()[key] for key in ('images', 'annotations')}, "no list 'categories', so")])
def test_what_is_no_coco_file(tmp_path, content, said):
    data_list, (fault, ) = scan(tmp_path, content)
    assert not data_list and fault.startswith(f'{tmp_path}/a.json: ') and said in fault


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / 'a.json').write_bytes(b'\xff\xd8\xff\xe0 JFIF')
    with pytest.raises(DataError, match=r'a\.json: not a readable JSON file'):
        read_coco(str(tmp_path / 'a.json'), VOC)


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match=r'none\.json: there is no such file\. Set ann_file'):
        COCOWeakSegDataset(ann_file='none.json', data_root=str(tmp_path), supervision='box')


def test_no_image_with_the_classes_names_what_was_found(tmp_path):
    names = {**dict.fromkeys(COCO_OF_VOC, 'ox'), 24: 'yak'}
    content = {**made_up(), 'categories': categories(names)}
    data_list, (fault, ) = scan(tmp_path, content)
    assert not data_list
    assert 'none of its 6 image(s) has an object of the classes aeroplane, bicycle' in fault
    assert 'ox' in fault and 'yak' in fault


@pytest.mark.parametrize('supervision, stems', [('box', ['two']), ('pixel', ['two', 'crowd'])])
def test_an_image_list_is_obeyed(tmp_path, supervision, stems):
    (tmp_path / 'some.txt').write_bytes(b'\xef\xbb\xbftwo\r\ncrowd\r\n')
    prefix = dict(data_prefix=dict(seg_map_path='Truth')) if supervision == 'pixel' else {}
    data_list, faults = scan(tmp_path, made_up(), supervision, image_list='some.txt', **prefix)
    assert not faults
    assert [Path(info['img_path']).stem for info in data_list] == stems


@pytest.mark.parametrize('content, said', [
    (None, r'some\.txt: there is no such list\. Set image_list'), (b' \n', 'the list is empty'),
    (b'two\nover\ntwo\n', r'names 1 image\(s\) more than once: two'),
    (b'two\nthree\n', r'some\.txt: 1 image\(s\) are not in .*a\.json: three'),
    ('two\nover\n'.encode('utf-16'), r'some\.txt: .*Save it as UTF-8')])
def test_faults_of_an_image_list(tmp_path, content, said):
    if content is not None:
        (tmp_path / 'some.txt').write_bytes(content)
    _, faults = scan(tmp_path, made_up(), image_list='some.txt')
    assert re.search(said, '\n'.join(faults))


def test_true_masks_need_their_folder(tmp_path):
    with pytest.raises(ValueError, match=r'data_prefix=dict\(seg_map_path=FOLDER\)'):
        COCOWeakSegDataset(ann_file='a.json', data_root=str(tmp_path))


def test_a_missing_file_of_class_names(tmp_path):
    with pytest.raises(DataError, match=r'names\.txt: there is no such file of class names'):
        scan(tmp_path, made_up(), metainfo=dict(classes=str(tmp_path / 'names.txt')))


# ---- with the rest of the package

@pytest.fixture
def root(tmp_path):
    init_default_scope('mmseg')
    return make_coco(tmp_path)


def test_masks_from_boxes_move_with_them(root):
    pipeline = [*AUGMENT[:2], dict(type='mmseg_wss.PseudoMask', kind='rect'), *AUGMENT[2:]]
    dataset = coco(root, 'box', pipeline=pipeline)
    partly = 0
    for i in range(40):
        arrays = flat(dataset[SeededIndex(i % 4, i)])
        assert arrays['inputs'].shape == (3, 18, 18)
        mask = arrays['gt_sem_seg'][0]
        y, x = np.nonzero(np.isin(mask, (1, 2)))
        if len(arrays['gt_boxes.bboxes']) and len(x):
            tight = [x.min(), y.min(), x.max() + 1, y.max() + 1]
            assert np.abs(arrays['gt_boxes.bboxes'][0] - tight).max() <= 1
            assert set(mask[y, x]) == set(arrays['gt_boxes.labels'])
            partly += not np.array_equal(tight, (0, 0, 18, 18))
    assert partly > 10


def test_beside_the_images_of_a_devkit(root):
    """A concatenation wants equal meta information, the palette included."""
    voc_part = dict(type='mmseg_wss.VOCWeakSegDataset', data_root=str(root), supervision='pixel',
                    ann_file='ImageSets/Segmentation/strong.txt', pipeline=PLAIN)
    coco_part = dict(type='mmseg_wss.COCOWeakSegDataset', data_root=str(root), ann_file='weak.json',
                     supervision='box', data_prefix=dict(img_path='JPEGImages'), pipeline=PLAIN,
                     metainfo=dict(classes=list(CLASSES)))
    both = DATASETS.build(dict(type='ConcatDataset', datasets=[voc_part, coco_part]))
    kinds = [both[SeededIndex(i, 0)]['data_samples'].supervision for i in range(6)]
    assert kinds == ['pixel'] * 2 + ['box'] * 4
    defaults = [cls(ann_file='x', lazy_init=True, supervision='box').metainfo
                for cls in (COCOWeakSegDataset, VOCWeakSegDataset)]
    assert defaults[0] == defaults[1] and len(defaults[0]['classes']) == 21


def test_the_check_of_a_config_reads_it(root):
    content = json.loads((root / 'weak.json').read_text())
    content['annotations'].append(annotation(4444, 90, [1, 2, 3, 4]))
    content['images'][0]['width'] = 99  # the picture itself has 32
    content['annotations'][-2]['bbox'] = [20, 2, 30, 4]
    (root / 'weak.json').write_text(json.dumps(content))
    leaf = dict(type='mmseg_wss.COCOWeakSegDataset', data_root=str(root), ann_file='weak.json',
                supervision='box', data_prefix=dict(img_path='JPEGImages'),
                metainfo=dict(classes=list(CLASSES)))
    (entry, ) = read_data_lists(Config(dict(train_dataloader=dict(dataset=leaf))))
    assert len(entry.images) == 4 and entry.supervision == 'box'
    assert ['image_id 4444' in fault for fault in entry.faults] == [True]
    (fault, ), seen = check_sample(entry.images[0], entry.classes)
    assert 'w0.jpg' in fault and 'reaches outside the image of 32x24 pixels' in fault
    assert check_sample(entry.images[1], entry.classes) == ([], {'background', 'green'})
    assert seen == {'background', 'red'}


@pytest.mark.parametrize('supervision', ['box', 'image'])
def test_photographs_give_the_samples_of_their_devkit(tmp_path, msrc, supervision):
    """The same boxes by way of VOC's XML and of COCO's JSON, COCO's names and sizes included."""
    init_default_scope('mmseg')
    names = (msrc / 'classes.txt').read_text().split()
    ids = {name: 1000 - 3 * i for i, name in enumerate(names[1:])}
    images, annotations = [], []
    stems = (msrc / 'ImageSets/Segmentation/train_weak60.txt').read_text().split()[:40]
    for number, stem in enumerate(stems):
        width, height = Image.open(msrc / f'JPEGImages/{stem}.jpg').size
        images.append(image(7 * number, f'{stem}.jpg', (width, height)))
        for name, (x1, y1, x2, y2) in zip(*read_voc_objects(str(msrc / f'Annotations/{stem}.xml'))):
            box = [float(v) for v in (x1, y1, x2 - x1, y2 - y1)]
            annotations.append(annotation(7 * number, ids[name], box))
    spelt = {number: dict(aeroplane='airplane').get(name, name) for name, number in ids.items()}
    (tmp_path / 'msrc.json').write_text(json.dumps(dict(
        images=images, annotations=annotations, categories=categories(spelt))))
    (tmp_path / 'list.txt').write_text('\n'.join(stems))
    pipeline = [*PLAIN[:2],
                *([dict(type='mmseg_wss.PseudoMask')] if supervision == 'box' else []),
                dict(type='RandomResize', scale=(320, 320), ratio_range=(0.75, 1.5),
                     keep_ratio=True),
                dict(type='mmseg_wss.RandomCrop', crop_size=(112, 112), cat_max_ratio=0.9),
                dict(type='RandomFlip', prob=0.5), PLAIN[2]]
    common = dict(data_root=str(msrc), supervision=supervision, pipeline=pipeline)
    from_coco = COCOWeakSegDataset(
        ann_file=str(tmp_path / 'msrc.json'), data_prefix=dict(img_path='JPEGImages'),
        metainfo=dict(classes=names), **common)
    from_voc = VOCWeakSegDataset(ann_file=str(tmp_path / 'list.txt'), **common)
    assert len(from_coco) == len(from_voc) == 40
    indices = [SeededIndex(i, i) for i in range(40)]
    assert_same_samples([from_coco[i] for i in indices], [from_voc[i] for i in indices])


def test_fine_tuning_as_in_its_paper(monkeypatch):
    """Mixed-dual-head Meets Box Priors, "Fine-tuning with COCO dataset" and table 7."""
    monkeypatch.setenv('COCO_ROOT', '/somewhere/coco')
    base, tuned = (Config.fromfile(REPO / f'configs/wss/mixed_dual_r101_voc{name}.py')
                   for name in ('', '_coco_ft'))
    assert tuned.load_from.startswith('work_dirs/mixed_dual_r101_voc/')
    assert tuned.model == base.model
    assert tuned.train_cfg.max_epochs == 30
    assert tuned.optim_wrapper.optimizer == dict(base.optim_wrapper.optimizer, lr=0.001)
    assert tuned.auto_scale_lr == base.auto_scale_lr
    strong, weak, coco_part = tuned.train_dataloader.dataset.datasets
    assert [strong, weak] == base.train_dataloader.dataset.datasets
    assert (coco_part.data_root, coco_part.supervision) == ('/somewhere/coco', 'pseudo')
    assert coco_part.pipeline == weak.pipeline
    loader = tuned.train_dataloader
    assert loader.batch_size == base.train_dataloader.batch_size
    sources = [range(1464), range(9118), range(94000)]
    sampler = StrongWeakSampler(
        type('Sources', (), dict(datasets=sources)),
        **{key: value for key, value in loader.sampler.items() if key != 'type'})
    assert sampler.counts[0] == sum(sampler.counts[1:]) == 4
    assert sampler.counts[2] == max(sampler.counts[1:])
