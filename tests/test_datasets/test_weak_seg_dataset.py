"""Every kind of supervision in both layouts, against the files as other readers see them."""
import json
import shutil

import numpy as np
import pytest
from dataset_bench import (
    LAYOUTS,
    WEAK_IDS,
    DatasetBench,
    assert_same_samples,
    coco,
    coco_config,
    make_root,
    opened_paths,
    true_mask,
    true_object,
    voc,
    voc_config,
)
from devkit import CLASSES, write_annotation
from mmengine.registry import DATASETS, init_default_scope

from mmseg_wss.datasets.samplers.seeded_index import SeededIndex
from mmseg_wss.engine.config_check import check_sample
from mmseg_wss.engine.data_lists import read_data_lists
from mmseg_wss.errors import DataError
from mmseg_wss.labels.boxes import box_hash
from mmseg_wss.labels.objects import load_objects
from mmseg_wss.labels.stores.mask_folder import MaskFolder


def in_both(value):
    return dict.fromkeys(LAYOUTS, value)


def tags_of(root, name):
    return np.isin(range(3), true_mask(root, name)).astype(np.uint8)


class TestPixel(DatasetBench):
    supervision = 'pixel'
    label_keys = in_both('seg_map_path')
    label_folders = in_both('SegmentationClass')
    fields = ('gt_sem_seg', )

    def expected(self, root, name):
        return dict(gt_sem_seg=true_mask(root, name)[None].astype(np.int64))


class TestBox(DatasetBench):
    supervision = 'box'
    label_keys = dict(voc='box_path')
    label_folders = dict(voc='Annotations')
    fields = ('gt_boxes', 'gt_tags')

    def expected(self, root, name):
        label, box = true_object(root, name)
        return {'gt_boxes.bboxes': np.array([box], np.float32),
                'gt_boxes.labels': np.array([label], np.int64), 'gt_tags': tags_of(root, name)}


class TestImage(DatasetBench):
    supervision = 'image'
    label_keys = dict(voc='box_path', coco='tags')
    label_folders = dict(voc='Annotations')
    fields = ('gt_tags', )

    def expected(self, root, name):
        return dict(gt_tags=tags_of(root, name))


class TestNone(DatasetBench):
    supervision = 'none'

    def expected(self, root, name):
        return {}

    def test_images_are_enough(self, root, build):
        for folder in ('SegmentationClass', 'Annotations', 'Pseudo'):
            shutil.rmtree(root / folder)
        content = json.loads((root / 'weak.json').read_text())
        (root / 'weak.json').write_text(json.dumps(dict(images=content['images'])))
        assert len(list(build())) == 4
        with pytest.raises(DataError, match="no list 'annotations', 'categories'"):
            coco(root, 'box')


class TestPseudo(DatasetBench):
    supervision = 'pseudo'
    label_keys = in_both('pseudo_mask_path')
    label_folders = in_both('Pseudo')
    fields = ('gt_sem_seg', )

    def expected(self, root, name):
        mask = np.full((1, 24, 32), WEAK_IDS.index(name) % 3, np.int64)
        mask[:, :5] = 255
        return dict(gt_sem_seg=mask)

    def test_an_absolute_folder(self, root, build, tmp_path_factory):
        before = list(build())
        elsewhere = tmp_path_factory.mktemp('elsewhere') / 'masks'
        (root / 'Pseudo').rename(elsewhere)
        assert_same_samples(list(build(pseudo_mask=str(elsewhere))), before)

    def test_boxes_beside_the_mask(self, root, build, layout):
        """Those of the list, for transforms; the sample is as without them."""
        boxed, weak = build(with_boxes=True), LAYOUTS[layout](root, 'box')
        for i in range(4):
            (names, boxes, _), expected = (
                load_objects(dataset.get_data_info(i), CLASSES) for dataset in (boxed, weak))
            assert names == expected[0] and np.array_equal(boxes, expected[1])
        assert not any('SegmentationClass' in path for path in opened_paths(lambda: list(boxed)))
        assert_same_samples(list(boxed), list(build()))

    @pytest.mark.parametrize('with_boxes', [True, False])
    def test_masks_made_for_other_boxes(self, root, build, layout, with_boxes):
        """Found by a training and by a check; also where nothing else needs the boxes."""
        weak = LAYOUTS[layout](root, 'box')
        with MaskFolder(root / 'made', dict(tool='test')) as folder:
            for i, name in enumerate(WEAK_IDS):
                names, boxes, _ = load_objects(weak.get_data_info(i), CLASSES)
                folder.write(name, np.ones((24, 32), np.uint8), box_hash(names, boxes))
        options = dict(pseudo_mask='made', with_boxes=with_boxes)
        assert len(list(build(**options))) == 4

        write_annotation(root / 'Annotations/w1.xml', 'green', (0, 0, 5, 5))
        content = json.loads((root / 'weak.json').read_text())
        content['annotations'][-2]['bbox'] = [0, 0, 5, 5]
        (root / 'weak.json').write_text(json.dumps(content))
        changed = build(**options)
        faults = [check_sample(changed.get_data_info(i), CLASSES)[0] for i in range(4)]
        assert [len(found) for found in faults] == [0, 1, 0, 0]
        assert len([changed[i] for i in (0, 2, 3)]) == 3
        with pytest.raises(DataError, match=r'w1\.png: the mask was made for other boxes than .*'
                                            r'w1\.(xml|jpg).*Run the tool') as error:
            changed[1]
        assert str(error.value) == faults[1][0]

    def test_a_folder_that_is_not_of_this_method(self, root, build, layout):
        """Refused by a training, and listed by a check."""
        for method in ('rect', 'grabcut'):
            with MaskFolder(root / method, dict(tool='test', method=method)) as folder:
                for name in WEAK_IDS:
                    folder.write(name, np.ones((24, 32), np.uint8))
        shutil.copytree(root / 'Pseudo', root / 'old')
        (root / 'old/manifest.jsonl').touch()
        assert len(list(build(pseudo_mask='rect', made_by='rect'))) == 4
        for made_by, folder, said in (
                ('rect', 'grabcut', r"w0\.png \(made by 'grabcut'\)"),
                ('rect', 'Pseudo', r'w0\.png \(without a record\)'),
                (None, 'old', 'mask_records.py .*old" once')):
            options = dict(pseudo_mask=folder, made_by=made_by)
            with pytest.raises(DataError, match=said) as error:
                build(**options)
            config = dict(voc=voc_config, coco=coco_config)[layout](root, 'pseudo', **options)
            listed, = read_data_lists(dict(train_dataloader=dict(dataset=config)))
            assert len(listed.images) == 4 and listed.faults == [str(error.value)]


@pytest.fixture
def root(tmp_path):
    init_default_scope('mmseg')
    return make_root(tmp_path)


@pytest.mark.parametrize('weak_config', [voc_config, coco_config])
def test_strong_and_weak_images_in_one_data_set(root, weak_config):
    """A concatenation wants equal meta information, the palette included."""
    strong = voc_config(root, 'pixel', ann_file='ImageSets/Segmentation/strong.txt')
    both = DATASETS.build(dict(
        type='ConcatDataset', datasets=[strong, weak_config(root, 'box')]))
    kinds = [both[SeededIndex(i, 0)]['data_samples'].supervision for i in range(6)]
    assert kinds == ['pixel'] * 2 + ['box'] * 4


def test_layouts_have_the_same_classes_unless_they_are_told(root):
    (root / 'classes.txt').unlink()
    first, second = (make(root, 'box', metainfo=None, lazy_init=True).metainfo
                     for make in (voc, coco))
    assert first == second and len(first['classes']) == 21


@pytest.mark.parametrize('options, said', [
    (dict(supervision='scribbles'),
     "one of pixel, box, image, pseudo, point, scribble, none, got 'scribbles'"),
    (dict(supervision='pseudo', pseudo_mask=None), 'pseudo_mask=None'),
    (dict(supervision='box', pseudo_mask='Pseudo'), "supervision='box' with pseudo_mask='Pseudo'"),
    (dict(supervision='box', made_by='rect'), "made_by='rect' says who made pseudo masks"),
    (dict(supervision='box', with_boxes=True), "'pixel', 'pseudo'.*got supervision='box'"),
    (dict(supervision='image', with_boxes=True), "use supervision='box'"),
    (dict(supervision='point', with_boxes=True), "got supervision='point': remove it"),
    (dict(supervision='none', with_boxes=True), "got supervision='none': remove it"),
    (dict(supervision='none', tag_file='tags.txt'), "'image', 'point', 'scribble', got .*'none'"),
    (dict(supervision='box', tag_file='tags.txt'), "tag_file='tags.txt' belongs to"),
    (dict(supervision='pixel', box_source='json'), "'xml' or 'instance', got 'json'"),
    (dict(supervision='pixel', box_source='instance'), 'with_boxes=False'),
    (dict(supervision='pixel', box_source='instance', with_boxes=True, test_mode=True),
     'test_mode=True'),
    (dict(supervision='pseudo', box_source='instance', with_boxes=True),
     "got supervision='pseudo'")])
def test_options_that_do_not_fit_are_refused(root, options, said):
    with pytest.raises(ValueError, match=said):
        voc(root, **options)


@pytest.mark.parametrize('options, said', [
    (dict(supervision='point'), "box, image, pseudo, none, got 'point'"),
    (dict(supervision='pixel', data_prefix=None), r'data_prefix=dict\(seg_map_path=FOLDER\)')])
def test_what_a_coco_file_has_not_is_refused(root, options, said):
    with pytest.raises(ValueError, match=said):
        coco(root, **options)
