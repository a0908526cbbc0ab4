"""What every data set of weakly labelled images has to pass: subclass `DatasetBench`."""
import random
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from devkit import make_devkit, write_mask
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from PIL import Image
from torch.utils.data import DataLoader

from mmseg_wss.datasets import VOCWeakSegDataset
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


def as_list(batch):
    return batch


def make_root(folder):
    """A devkit with four weak images, whose pseudo masks are no copies of the true ones."""
    make_devkit(folder, strong=2, weak=4, val=0, size=(24, 32))
    (folder / 'Pseudo').mkdir()
    for number, name in enumerate(WEAK_IDS):
        mask = np.full((24, 32), number % 3, np.uint8)
        mask[:5] = 255
        write_mask(folder / 'Pseudo' / f'{name}.png', mask)
    return folder


def voc(root, supervision, **options):
    """The weak images of `make_root`."""
    if supervision == 'pseudo':
        options = {'pseudo_mask': 'Pseudo', **options}
    return VOCWeakSegDataset(**{**dict(
        data_root=str(root), supervision=supervision, pipeline=PLAIN,
        ann_file='ImageSets/Segmentation/weak.txt'), **options})


class DatasetBench:
    """Fill in the four attributes, and `build` and `expected` where the layout is not VOC's."""

    supervision = None
    label_key = None  # of an element of the data list, besides img_path
    label_folder = None
    fields = ()  # keys of the packed sample

    @pytest.fixture(autouse=True)
    def scope(self):
        init_default_scope('mmseg')

    @pytest.fixture
    def root(self, tmp_path):
        return make_root(tmp_path)

    def build(self, root, **options):
        return voc(root, self.supervision, **options)

    def true_mask(self, root, name):
        return np.array(Image.open(Path(root, 'SegmentationClass', f'{name}.png')))

    def expected(self, root, name):
        """The labels of an image, as `flat` gives them, from the files but not by our readers."""
        raise NotImplementedError

    def test_list_holds_the_label_that_the_supervision_allows_and_no_other(self, root):
        data_list = self.build(root).load_data_list()
        assert [Path(info['img_path']).stem for info in data_list] == WEAK_IDS
        for info in data_list:
            assert info['supervision'] == self.supervision
            assert {key for key in info if key.endswith('_path') or key == 'tags'} == {
                'img_path', self.label_key}

    def test_packed_sample_holds_the_labels_and_no_others(self, root):
        dataset = self.build(root)
        assert len(dataset) == 4
        for packed, name in zip(dataset, WEAK_IDS):
            sample = packed['data_samples']
            assert set(sample.keys()) == set(self.fields)
            assert sample.supervision == self.supervision
            assert Path(sample.img_path).stem == name
            assert sample.ori_shape == sample.img_shape == (24, 32)
            arrays = flat(packed)
            assert arrays['inputs'].shape == (3, 24, 32) and arrays['inputs'].dtype == np.uint8
            for key, value in self.expected(root, name).items():
                assert arrays[key].dtype == value.dtype and arrays[key].shape == value.shape, key
                assert np.array_equal(arrays[key], value), key

    def test_true_masks_of_weak_images_are_neither_opened_nor_listed(self, root):
        paths = opened_paths(lambda: list(self.build(root, pipeline=AUGMENT)))
        assert sum('JPEGImages' in path for path in paths) > 4
        assert any('SegmentationClass' in path for path in paths) == (self.supervision == 'pixel')

    def test_weak_samples_are_the_same_without_true_masks(self, root):
        def samples():
            dataset = self.build(root, pipeline=AUGMENT)
            return [dataset[SeededIndex(i % 4, i)] for i in range(12)]
        before = samples()
        shutil.rmtree(root / 'SegmentationClass')
        if self.supervision == 'pixel':
            with pytest.raises(DataError, match='SegmentationClass'):
                samples()
        else:
            assert_same_samples(samples(), before)

    def test_augmentation_depends_on_the_seed_alone(self, root):
        dataset = self.build(root, pipeline=AUGMENT)
        indices = [SeededIndex(i % 4, 10 + i // 4) for i in range(12)]
        states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
        expected = [dataset[index] for index in indices]
        assert states[0] == random.getstate()
        assert np.array_equal(states[1], np.random.get_state()[1])
        assert torch.equal(states[2], torch.get_rng_state())
        assert not np.array_equal(flat(expected[0])['inputs'], flat(expected[4])['inputs'])
        for workers in (0, 2):
            np.random.seed(workers)
            loader = DataLoader(dataset, 3, sampler=indices, num_workers=workers,
                                collate_fn=as_list)
            assert_same_samples([item for batch in loader for item in batch], expected)

    def test_a_sample_without_a_seed_uses_the_global_state(self, root):
        def samples(seed):
            np.random.seed(seed)
            random.seed(seed)
            return [dataset[0] for _ in range(4)]
        dataset = self.build(root, pipeline=AUGMENT)
        first = samples(1)
        assert_same_samples(samples(1), first)
        assert not all(np.array_equal(flat(a)['inputs'], flat(b)['inputs'])
                       for a, b in zip(first, samples(2)))
        assert not np.array_equal(flat(first[0])['inputs'], flat(first[1])['inputs'])

    def test_all_missing_files_are_listed_at_once(self, root):
        missing = ['JPEGImages/w1.jpg']
        if self.label_folder:
            missing += [str(next((root / self.label_folder).glob('w3.*')).relative_to(root))]
        for path in missing:
            (root / path).unlink()
        with pytest.raises(DataError) as error:
            self.build(root)
        assert f'{len(missing)} file(s)' in str(error.value)
        assert all(str(root / path) in str(error.value) for path in missing)
