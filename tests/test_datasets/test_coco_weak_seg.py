"""What a COCO file says about the classes, what is wrong with it, and lists of its images."""
import json
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from dataset_bench import annotation, categories, image
from mmengine.config import Config
from mmseg.utils import get_classes
from torch.utils.data import ConcatDataset

from mmseg_wss.datasets import COCOWeakSegDataset, StrongWeakSampler
from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.coco_json import clip_boxes, match_classes, read_coco

REPO = Path(__file__).resolve().parents[2]
VOC = tuple(get_classes('voc'))
# as in instances_train2017.json: id and name of the categories that VOC has, in VOC's order
COCO_OF_VOC = {
    5: 'airplane', 2: 'bicycle', 16: 'bird', 9: 'boat', 44: 'bottle', 6: 'bus', 3: 'car', 17: 'cat',
    62: 'chair', 21: 'cow', 67: 'dining table', 18: 'dog', 19: 'horse', 4: 'motorcycle',
    1: 'person', 64: 'potted plant', 20: 'sheep', 63: 'couch', 7: 'train', 72: 'tv'}


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
    if content is not None:
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        (folder / 'a.json').write_bytes(text)
    if supervision == 'pseudo':
        options = dict(pseudo_mask='Masks', **options)
    options = dict(dict(empty='unlabelled'), **options)
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


@pytest.mark.parametrize('supervision', ['box', 'image', 'pseudo'])
def test_an_image_without_any_annotation_is_known_to_be_empty(tmp_path, supervision):
    """One with crowds, flat boxes or other categories alone is not."""
    data_list, faults = scan(tmp_path, made_up(), supervision, empty='background')
    names = [Path(info['img_path']).stem for info in data_list]
    assert (names, faults) == (['two', 'over', 'bare'], [])


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
    (None, 'there is no such file. Set ann_file'), (b'', 'not a readable JSON file'),
    (b'{"images": [', 'not a readable JSON file'), (b'[' * 100000, 'not a readable JSON file'),
    (b'\xff\xd8\xff\xe0 JFIF', 'not a readable JSON file'),
    ([], "no list 'images', 'annotations', "),
    (7, "no list 'images'"), ({**made_up(), 'annotations': {}}, "no list 'annotations', so"),
    ({key: made_up()[key] for key in ('images', 'annotations')}, "no list 'categories', so")])
def test_what_is_no_coco_file(tmp_path, content, said):
    data_list, (fault, ) = scan(tmp_path, content)
    assert not data_list and fault.startswith(f'{tmp_path}/a.json: ') and said in fault


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
    (None, r'some\.txt: there is no such list\. Set image_list'),
    ('two\nover\ntwo\n', r'names 1 image\(s\) more than once: two'),
    ('two\nthree\n', r'some\.txt: 1 image\(s\) are not in .*a\.json: three')])
def test_faults_of_an_image_list(tmp_path, content, said):
    if content is not None:
        (tmp_path / 'some.txt').write_text(content)
    _, faults = scan(tmp_path, made_up(), image_list='some.txt')
    assert re.search(said, '\n'.join(faults))


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
    strong, others = tuned.train_dataloader.dataset.datasets
    weak, coco_part = others.datasets
    assert [strong, weak] == base.train_dataloader.dataset.datasets
    assert (coco_part.data_root, coco_part.supervision) == ('/somewhere/coco', 'pseudo')
    assert coco_part.pipeline == weak.pipeline
    loader = tuned.train_dataloader
    assert loader.batch_size == base.train_dataloader.batch_size
    sampler = StrongWeakSampler(  # of the 1464 + 9118 + 94,000 images, on one GPU
        ConcatDataset([range(1464), ConcatDataset([range(9118), range(94000)])]), seed=0,
        **{key: value for key, value in loader.sampler.items() if key != 'type'})
    drawn = np.bincount(np.digitize(list(sampler), [1464, 1464 + 9118]))
    assert drawn[0] == drawn[1] + drawn[2] and len(sampler) == sum(drawn) == 104584
    assert abs(drawn[2] / drawn[1] / (94000 / 9118) - 1) < 0.02
