"""Images that are known to be empty: background all over, the best label that there is."""
import json

import numpy as np
import pytest
import torch
from dataset_bench import LAYOUTS, PLAIN, WEAK_IDS, coco, coco_config, make_root, voc, voc_config
from devkit import CLASSES
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmseg_wss.engine.config_check import check_sample
from mmseg_wss.engine.weak_sources import image_tags, weak_images
from mmseg_wss.errors import DataError

EMPTY_ONES = 'w1', 'w2'
MOVED = [*PLAIN[:2], dict(type='mmseg_wss.PseudoMask'),
         dict(type='RandomResize', scale=(40, 40), ratio_range=(0.8, 1.5), keep_ratio=True),
         dict(type='RandomFlip', prob=1.), dict(type='mmseg_wss.BoxPriors'),
         dict(type='mmseg_wss.RandomCrop', crop_size=(18, 18), cat_max_ratio=0.75),
         dict(type='PhotoMetricDistortion'), PLAIN[2]]


@pytest.fixture
def root(tmp_path):
    """Two of four images have no object, in each of the formats."""
    init_default_scope('mmseg')
    make_root(tmp_path)
    for name in EMPTY_ONES:
        (tmp_path / f'Annotations/{name}.xml').write_text(
            '<annotation><size><width>32</width><height>24</height></size></annotation>')
    (tmp_path / 'tags.txt').write_text('w0 red\nw1\nw2,\nw3 green\n')
    content = json.loads((tmp_path / 'weak.json').read_text())
    ids = {image['id'] for image in content['images'] if image['file_name'][:2] in EMPTY_ONES}
    content['annotations'] = [
        entry for entry in content['annotations'] if entry['image_id'] not in ids]
    (tmp_path / 'weak.json').write_text(json.dumps(content))
    return tmp_path


SOURCES = pytest.mark.parametrize('build, supervision, options', [
    (voc, 'box', {}), (voc, 'image', {}), (voc, 'image', dict(tag_file='tags.txt')),
    (coco, 'box', {}), (coco, 'image', {})])


@SOURCES
def test_it_is_background(root, build, supervision, options):
    dataset = build(root, supervision, **options)
    assert len(dataset) == 4
    for name, packed in zip(WEAK_IDS, dataset):
        sample = packed['data_samples']
        assert sample.supervision == supervision and sample.gt_tags[0] == 1
        is_empty = name in EMPTY_ONES
        assert bool(sample.gt_tags[1:].any()) != is_empty
        if supervision == 'box':
            assert tuple(sample.gt_boxes.bboxes.shape) == (1 - is_empty, 4)
            assert tuple(sample.gt_boxes.labels.shape) == (1 - is_empty, )
            assert sample.gt_boxes.bboxes.dtype == torch.float32
            assert sample.gt_boxes.labels.dtype == torch.int64


@pytest.mark.parametrize('build', LAYOUTS.values())
def test_it_goes_through_every_transform(root, build):
    """Painted boxes: no box is background everywhere, and its priors are those of no box."""
    dataset = build(root, 'box', pipeline=MOVED)
    for index in (1, 2):
        for _ in range(3):
            packed = dataset[index]
            sample = packed['data_samples']
            assert sample.gt_boxes.bboxes.shape == (0, 4) and not sample.gt_sem_seg.data.any()
            assert sample.gt_sem_seg.shape == (18, 18) and sample.supervision == 'box'
            assert (packed['inputs'][3] == 255).all() and (packed['inputs'][4] == 0).all()
    assert dataset[0]['data_samples'].supervision == 'box'


@SOURCES
def test_the_option_unlabelled(root, build, supervision, options):
    dataset = build(root, supervision, empty='unlabelled', **options)
    samples = {packed['data_samples'].img_path[-6:-4]: packed['data_samples'] for packed in dataset}
    if build is coco:  # it lists what has labels
        assert list(samples) == ['w0', 'w3']
        return
    for name in EMPTY_ONES:
        assert samples[name].supervision == 'none' and not list(samples[name].keys())
    assert samples['w0'].supervision == supervision and 'gt_tags' in samples['w0']


def test_a_painted_mask_of_an_unlabelled_image_says_nothing(root):
    dataset = voc(root, 'box', empty='unlabelled', pipeline=[*PLAIN[:2], MOVED[2], PLAIN[2]])
    assert (dataset[1]['data_samples'].gt_sem_seg.data == 255).all()
    assert (dataset[0]['data_samples'].gt_sem_seg.data < 255).all()
    with pytest.raises(ValueError, match='an unlabelled image has none'):  # a whole source
        dataset.pipeline.transforms[2](dict(
            img_path='a.jpg', supervision='none', img=np.zeros((4, 4, 3), np.uint8)))


@SOURCES
def test_the_option_error(root, build, supervision, options):
    dataset = build(root, supervision, empty='error', **options)
    with pytest.raises(DataError, match=r"w1\..* has no object: .*set empty='background'"):
        dataset[1]
    assert 'gt_tags' in dataset[0]['data_samples']


def test_other_values_are_refused(root):
    with pytest.raises(ValueError, match="background, unlabelled, error, got 'skip'"):
        voc(root, 'box', empty='skip')


def test_other_categories_are_no_empty_image(root):
    """Nor crowds: the file does not say that nothing is there."""
    content = json.loads((root / 'weak.json').read_text())
    ids = {image['file_name'][:2]: image['id'] for image in content['images']}
    entry = dict(content['annotations'][0])
    content['annotations'] += [
        dict(entry, image_id=ids['w1'], category_id=33), dict(entry, image_id=ids['w2'], iscrowd=1)]
    (root / 'weak.json').write_text(json.dumps(content))
    assert len(coco(root, 'box')) == 2


def test_a_file_of_other_classes_is_still_named(root):
    with pytest.raises(DataError, match='none of its 4 image.*has an object of the classes'):
        coco(root, 'box', metainfo=dict(classes=['background', 'zebra']))


def test_a_file_without_any_object_says_that_there_is_none(root):
    content = json.loads((root / 'weak.json').read_text())
    (root / 'weak.json').write_text(json.dumps(dict(content, annotations=[])))
    assert [packed['data_samples'].gt_tags.tolist() for packed in coco(root, 'box')] == [
        [1, 0, 0]] * 4


@SOURCES
def test_they_are_counted(root, build, supervision, options):
    dataset = build(root, supervision, **options)
    checked = [check_sample(dataset.get_data_info(i), CLASSES) for i in range(4)]
    assert [faults for faults, _ in checked] == [[]] * 4
    assert [facts.known_empty for _, facts in checked] == [False, True, True, False]
    assert checked[1][1].seen == {'background'}


@pytest.mark.parametrize('supervision', ['box', 'image'])
def test_no_file_at_all_is_a_fault_that_tells_both_apart(root, supervision):
    (root / 'Annotations/w1.xml').unlink()
    for read in (lambda: voc(root, supervision), lambda: (_ for _ in ()).throw(DataError(
            check_sample(dict(voc(root, 'none').get_data_info(1), supervision=supervision,
                              box_path=f'{root}/Annotations/w1.xml'), CLASSES)[0][0]))):
        with pytest.raises(DataError, match=r"w1\.xml[\s\S]*without <object>[\s\S]*"
                                            r"supervision='none'"):
            read()
    (root / 'tags.txt').write_text('w0 red\nw2\nw3 green\n')
    with pytest.raises(DataError, match="no line for 1 image.*: w1.*ID alone.*supervision='none'"):
        voc(root, 'image', tag_file='tags.txt')


def test_files_of_other_formats_are_not_taken_for_empty(root):
    """An XML file of another tool has no <object> either."""
    (root / 'Annotations/w1.xml').write_text('<annotations><image/></annotations>')
    with pytest.raises(DataError, match='w1.xml: no annotation file of VOC: .*<annotations>'):
        voc(root, 'box')[1]


def test_tools_that_make_masks_see_them_as_empty(root):
    for config in voc_config, coco_config:
        source = dict(config(root, 'box'), pipeline=[])
        cfg = Config(dict(train_dataloader=dict(dataset=source)))
        dataset = weak_images(cfg, str(root / 'out'), PLAIN[:2], with_boxes=True)
        assert len(dataset) == 4 and dataset[1]['gt_bboxes'].shape == (0, 4)
        tags = image_tags(cfg)
        assert [tags[f'{root}/JPEGImages/{name}.jpg'] for name in EMPTY_ONES] == [(0, )] * 2
        source['empty'] = 'unlabelled'
        assert len(image_tags(Config(dict(train_dataloader=dict(dataset=source))))) == 2
