"""What every data set of weakly labelled images has to pass: subclass `DatasetBench`."""
import json
import random
import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from devkit import CLASSES, make_devkit, write_mask
from mmengine.registry import DATASETS, init_default_scope
from mmengine.structures import InstanceData, PixelData
from PIL import Image
from torch.utils.data import DataLoader

from mmseg_wss.datasets.samplers.seeded_index import SeededIndex
from mmseg_wss.errors import DataError

PLAIN = [dict(type='LoadImageFromFile'), dict(type='mmseg_wss.LoadWeakLabels'),
         dict(type='mmseg_wss.PackWeakSegInputs')]
AUGMENT = [*PLAIN[:2],
           dict(type='RandomResize', scale=(32, 32), ratio_range=(0.8, 1.5), keep_ratio=True),
           dict(type='mmseg_wss.RandomCrop', crop_size=(18, 18), cat_max_ratio=0.9),
           dict(type='RandomFlip', prob=0.5), dict(type='PhotoMetricDistortion'), PLAIN[2]]
WEAK_IDS = ['w0', 'w1', 'w2', 'w3']

_opened = None  # a list while `opened_paths` watches


def _audit(event, args):
    if _opened is not None and event in ('open', 'os.listdir', 'os.scandir'):
        _opened.append(str(args[0]))


def opened_paths(action):
    """Every path that Python opens or lists while `action()` runs."""
    global _opened
    if not hasattr(opened_paths, 'installed'):
        sys.addaudithook(_audit)
        opened_paths.installed = True
    _opened = paths = []
    try:
        action()
    finally:
        _opened = None
    return paths


def flat(packed):
    """A packed sample as a dict of arrays."""
    arrays = dict(inputs=packed['inputs'].numpy())
    for name, field in packed['data_samples'].items():
        if isinstance(field, InstanceData):
            arrays.update((f'{name}.{key}', value.numpy()) for key, value in field.items())
        else:
            arrays[name] = (field.data if isinstance(field, PixelData) else field).numpy()
    return arrays


def assert_same_samples(one, other):
    assert len(one) == len(other) > 0
    for a, b in zip(map(flat, one), map(flat, other)):
        assert a.keys() == b.keys()
        assert all(np.array_equal(a[key], b[key]) for key in a)


def make_root(folder):
    """A devkit with four weak images, whose pseudo masks are no copies of the true ones.

    ``weak.json`` is a COCO file of them; its ids have gaps, and its lists are in no order.
    """
    make_devkit(folder, strong=2, weak=4, val=0, size=(24, 32))
    (folder / 'Pseudo').mkdir()
    images, annotations = [], []
    for number, name in enumerate(WEAK_IDS):
        mask = np.full((24, 32), number % 3, np.uint8)
        mask[:5] = 255
        write_mask(folder / 'Pseudo' / f'{name}.png', mask)
        coco_id = (581, 9, 300, 12)[number]
        label, (x1, y1, x2, y2) = true_object(folder, name)
        images.append(image(coco_id, f'{name}.jpg', (32, 24)))
        annotations.insert(0, annotation(
            coco_id, {1: 90, 2: 7}[label], [x1, y1, x2 - x1, y2 - y1]))
    (folder / 'weak.json').write_text(json.dumps(dict(
        info={}, licenses=[], images=images, annotations=annotations,
        categories=categories({90: 'red', 33: 'blue', 7: 'green'}))))
    return folder


# ---- entries of a COCO file

def categories(names):
    return [dict(id=number, name=name, supercategory='x') for number, name in names.items()]


def image(number, name, size=(64, 48)):
    return dict(id=number, file_name=name, width=size[0], height=size[1], license=3)


def annotation(image_id, category, box, **more):
    return dict(dict(id=7, image_id=image_id, category_id=category, bbox=box, iscrowd=0, area=9.5,
                     segmentation=[[1.5, 2, 3, 4]]), **more)


# ---- the weak images of `make_root`

def true_mask(root, name):
    return np.array(Image.open(Path(root, 'SegmentationClass', f'{name}.png')))


def true_object(root, name):
    """Label and box of the one object of an image, from its mask: a square fills its box."""
    mask = true_mask(root, name)
    y, x = np.nonzero(mask)
    return int(mask.max()), [int(v) for v in (x.min(), y.min(), x.max() + 1, y.max() + 1)]


def voc_config(root, supervision, **options):
    """From the devkit."""
    return dict(dict(
        type='mmseg_wss.VOCWeakSegDataset', data_root=str(root), supervision=supervision,
        pipeline=PLAIN, ann_file='ImageSets/Segmentation/weak.txt',
        pseudo_mask='Pseudo' if supervision == 'pseudo' else None), **options)


def coco_config(root, supervision, **options):
    """From the COCO file."""
    return voc_config(root, supervision, **dict(dict(
        type='mmseg_wss.COCOWeakSegDataset', ann_file='weak.json',
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        metainfo=dict(classes=list(CLASSES))), **options))


def voc(root, supervision, **options):
    return DATASETS.build(voc_config(root, supervision, **options))


def coco(root, supervision, **options):
    return DATASETS.build(coco_config(root, supervision, **options))


LAYOUTS = dict(voc=voc, coco=coco)


class DatasetBench:
    """Fill in the attributes and `expected`; `layout` where not every layout has such labels."""

    supervision = None
    label_keys = {}  # by layout: of an element of the data list, besides img_path
    label_folders = {}  # by layout
    fields = ()  # keys of the packed sample
    absent = {}  # name of an image -> those of the fields that it does not have

    @pytest.fixture(params=LAYOUTS)
    def layout(self, request):
        return request.param

    @pytest.fixture
    def build(self, root, layout):
        """A function of further options that builds the data set."""
        return partial(LAYOUTS[layout], root, self.supervision)

    @pytest.fixture(autouse=True)
    def scope(self):
        init_default_scope('mmseg')

    @pytest.fixture
    def root(self, tmp_path):
        return make_root(tmp_path)

    def expected(self, root, name):
        """The labels of an image, as `flat` gives them, from the files but not by our readers."""
        raise NotImplementedError

    def test_list_holds_the_label_that_the_supervision_allows_and_no_other(self, build, layout):
        data_list = build().load_data_list()
        assert [Path(info['img_path']).stem for info in data_list] == WEAK_IDS
        for info in data_list:
            assert info['supervision'] == self.supervision
            keys = {key for key in info if key.endswith('_path') or key == 'tags'}
            assert keys == {'img_path', self.label_keys.get(layout, 'img_path')}

    def test_packed_sample_holds_the_labels_and_no_others(self, root, build):
        dataset = build()
        assert len(dataset) == 4
        for packed, name in zip(dataset, WEAK_IDS):
            sample = packed['data_samples']
            assert set(sample.keys()) == {*self.fields} - {*self.absent.get(name, ())}
            assert sample.supervision == self.supervision
            assert Path(sample.img_path).stem == name
            assert sample.ori_shape == sample.img_shape == (24, 32)
            arrays = flat(packed)
            assert arrays['inputs'].shape == (3, 24, 32) and arrays['inputs'].dtype == np.uint8
            for key, value in self.expected(root, name).items():
                assert arrays[key].dtype == value.dtype and arrays[key].shape == value.shape, key
                assert np.array_equal(arrays[key], value), key

    def test_class_table_holds_the_objects_of_the_label_and_opens_no_other(self, root, build):
        dataset, tables = build(), []
        paths = opened_paths(lambda: tables.append(dataset.class_table()))
        assert any('SegmentationClass' in path for path in paths) == (self.supervision == 'pixel')
        assert tables[0].dtype == bool and tables[0].shape == (4, 3)
        for row, name in zip(tables[0], WEAK_IDS):
            labels = self.expected(root, name)
            tags = labels.get('gt_tags', np.zeros(0))
            objects = {*np.flatnonzero(tags), *labels.get('gt_boxes.labels', ()),
                       *labels.get('gt_sem_seg', np.zeros(0)).ravel()} - {0, 255}
            assert {*np.flatnonzero(row)} == objects

    def test_true_masks_of_weak_images_are_neither_opened_nor_listed(self, build):
        paths = opened_paths(lambda: list(build(pipeline=AUGMENT)))
        assert sum('JPEGImages' in path for path in paths) > 4
        assert any('SegmentationClass' in path for path in paths) == (self.supervision == 'pixel')

    def test_weak_samples_are_the_same_without_true_masks(self, root, build):
        def samples():
            dataset = build(pipeline=AUGMENT)
            return [dataset[SeededIndex(i % 4, i)] for i in range(12)]
        before = samples()
        shutil.rmtree(root / 'SegmentationClass')
        if self.supervision == 'pixel':
            with pytest.raises(DataError, match='SegmentationClass'):
                samples()
        else:
            assert_same_samples(samples(), before)

    def test_augmentation_depends_on_the_seed_alone(self, build):
        dataset = build(pipeline=AUGMENT)
        indices = [SeededIndex(i % 4, 10 + i // 4) for i in range(12)]
        states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
        expected = [dataset[index] for index in indices]
        assert states[0] == random.getstate()
        assert np.array_equal(states[1], np.random.get_state()[1])
        assert torch.equal(states[2], torch.get_rng_state())
        assert not np.array_equal(flat(expected[0])['inputs'], flat(expected[4])['inputs'])
        for workers in (0, 2):
            np.random.seed(workers)
            loader = DataLoader(dataset, 3, sampler=indices, num_workers=workers, collate_fn=list)
            assert_same_samples([item for batch in loader for item in batch], expected)

    def test_a_sample_without_a_seed_uses_the_global_state(self, build):
        def samples(seed):
            np.random.seed(seed)
            random.seed(seed)
            return [dataset[0] for _ in range(4)]
        dataset = build(pipeline=AUGMENT)
        first = samples(1)
        assert_same_samples(samples(1), first)
        assert not all(np.array_equal(flat(a)['inputs'], flat(b)['inputs'])
                       for a, b in zip(first, samples(2)))
        assert not np.array_equal(flat(first[0])['inputs'], flat(first[1])['inputs'])

    def test_all_missing_files_are_listed_at_once(self, root, build, layout):
        missing = ['JPEGImages/w1.jpg']
        if layout in self.label_folders:
            folder = root / self.label_folders[layout]
            missing += [str(next(folder.glob('w3.*')).relative_to(root))]
        for path in missing:
            (root / path).unlink()
        with pytest.raises(DataError) as error:
            build()
        assert f'{len(missing)} file(s)' in str(error.value)
        assert 'remove the images from the list' in str(error.value)
        assert all(str(root / path) in str(error.value) for path in missing)
