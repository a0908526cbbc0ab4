"""Batches as a training draws them: the alarm on collapses, and silence on healthy labels."""
import itertools
import pickle
import re
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from devkit import read_mask, write_mask
from mmengine.config import Config
from mmengine.dataset import DefaultSampler
from mmengine.registry import DATASETS, init_default_scope

from mmseg_wss.datasets.samplers import StrongWeakSampler
from mmseg_wss.engine.hooks import LabelShareHook
from mmseg_wss.simulation.partial_labels import (
    background_region,
    draw_points,
    draw_scribbles,
    object_regions,
)
from mmseg_wss.simulation.shapes import make_shapes

ROOT = Path(__file__).parents[3]


MASKS = {}
"""dict: name of a folder of masks -> how it comes from the true masks, function of mask and rng."""


def masks(change):
    MASKS[change.__name__] = change
    return change


@masks
def true(mask, rng):
    return mask


@masks
def grown(mask, rng):
    """As a program makes them: the objects reach over their edges."""
    objects = np.where(mask == 255, 0, mask)
    return np.where(mask == 0, cv2.dilate(objects, np.ones((9, 9), np.uint8)), objects)


@masks
def sure(mask, rng):
    """What a threshold leaves of a network's: a third of the rows, no object in some images."""
    mask = np.where((mask < 255) & (rng.random() < 0.1), 0, mask)
    mask[rng.random(len(mask)) < 0.67] = 255
    return mask


@masks
def points(mask, rng):
    return draw_points([*object_regions(mask), *background_region(mask)], mask.shape, rng)


@masks
def scribbles(mask, rng):
    return draw_scribbles([*object_regions(mask), *background_region(mask)], mask.shape, rng)


@masks
def without_the_first_class(mask, rng):
    return np.where(mask == 1, 0, mask)


@masks
def one_class(mask, rng):
    """A network that sees one class nearly everywhere, and the others still in some corners."""
    return np.where(rng.random(mask.shape) < 0.9, 2, mask)


@masks
def background(mask, rng):
    return 0 * mask


@masks
def unsure(mask, rng):
    mask = mask.copy()
    mask[rng.random(len(mask)) < 0.97] = 255
    return mask


class Data:
    """A data set's lists, with folders of masks that are made when they are asked for."""

    def __init__(self, root, config, strong, weak, out):
        self.root, self.config, self.out = Path(root), config, out
        self.strong, self.weak = self._ids(strong), self._ids(weak)

    def _ids(self, name):
        return (self.root / f'ImageSets/Segmentation/{name}.txt').read_text().split()

    def source(self, ids, supervision='pixel', folder=None, **options):
        """The config of a source; `folder` is a key of `MASKS`."""
        listed = self.out / f'{len(list(self.out.iterdir()))}.txt'
        listed.write_text('\n'.join(ids))
        pipeline = [t for t in Config.fromfile(
            ROOT / f'configs/_base_/datasets/{self.config}.py').train_pipeline
            if t.type not in ('PhotoMetricDistortion', 'mmseg_wss.PseudoMask')]
        if supervision == 'box' and folder is None:
            options['masks'] = 'rect'
        if folder and supervision in ('point', 'scribble'):
            options['data_prefix'] = {f'{supervision}_path': self._folder(folder, ids)}
        elif folder and supervision == 'pseudo':
            options['pseudo_mask'] = self._folder(folder, ids)
        elif folder:
            options['masks'] = dict(type='folder', path=self._folder(folder, ids))
        return dict(type='mmseg_wss.VOCWeakSegDataset', data_root=str(self.root), pipeline=pipeline,
                    ann_file=str(listed), supervision=supervision, **options)

    def _folder(self, name, ids):
        folder = self.out / name
        folder.mkdir(exist_ok=True)
        rng = np.random.default_rng(0)
        for image in ids:
            mask = read_mask(self.root / f'SegmentationClass/{image}.png')
            write_mask(folder / f'{image}.png', MASKS[name](mask, rng))
        return str(folder)

    def pair(self, *weak, **options):
        """Half strong, half weak images."""
        return [self.source(self.strong), self.source(self.weak, *weak, **options)], [1, 1]

    def mixed(self):
        fifths = [self.weak[i::5] for i in range(5)]
        return [self.source(self.strong), self.source(fifths[0], 'box'),
                self.source(fifths[1], 'image', 'grown'),
                self.source(fifths[2], 'point', 'points'),
                self.source(fifths[3], 'scribble', 'scribbles'),
                self.source(fifths[4], 'none', 'sure')], [3, 1, 1, 1, 1, 1]


HEALTHY = dict(
    boxes=lambda data: data.pair('box'),
    boxes_and_few_masks=lambda data: (
        [data.source(data.strong[:15]), data.source(data.weak, 'box')], [1, 3]),
    true_masks=lambda data: data.pair('pseudo', 'true'),
    grown_masks=lambda data: data.pair('pseudo', 'grown'),
    grown_masks_in_boxes=lambda data: data.pair('box', 'grown'),
    unlabelled=lambda data: data.pair('none', 'sure'),
    points=lambda data: data.pair('point', 'points'),
    scribbles=lambda data: data.pair('scribble', 'scribbles'),
    tags=lambda data: data.pair('image'),
    strong_alone=lambda data: ([data.source(data.strong)], [1]),
    weak_alone=lambda data: ([data.source(data.weak, 'box')], [1]),
    everything=Data.mixed)


def build(sources):
    init_default_scope('mmseg')
    return DATASETS.build(dict(type='ConcatDataset', datasets=sources))


def warnings_of(sources, ratio, steps=15, hook=None, batch_size=8):
    """What the hook says in so many steps, which have no network."""
    dataset, said = build(sources), []
    sampler = (StrongWeakSampler(dataset, batch_size, ratio, seed=0) if ratio else
               DefaultSampler(dataset, seed=0))
    runner = SimpleNamespace(
        logger=SimpleNamespace(warning=said.append),
        train_dataloader=SimpleNamespace(sampler=sampler, dataset=dataset))
    hook, indices = hook or LabelShareHook(first=15), itertools.cycle(iter(sampler))
    hook.before_train(runner)
    for step in range(steps):
        batch = dict(data_samples=[dataset[next(indices)]['data_samples']
                                   for _ in range(batch_size)])
        hook.before_train_iter(runner, step, batch)
        hook.after_train_iter(runner, step, batch)
    return said


@pytest.fixture(scope='module')
def shapes(tmp_path_factory):
    """40 strong and 80 weak drawn images."""
    root = tmp_path_factory.mktemp('shapes') / 'data'
    make_shapes(root, num_images=(40, 80, 1), size=(64, 64))
    return root


@pytest.fixture
def drawn(shapes, tmp_path):
    return Data(shapes, 'shapes', 'train_strong', 'train_weak', tmp_path)


@pytest.mark.parametrize('name', HEALTHY)
def test_silent_on_drawn_images(drawn, name):
    assert warnings_of(*HEALTHY[name](drawn)) == []


@pytest.mark.parametrize('name', HEALTHY)
def test_silent_on_photographs(msrc, tmp_path, name):
    data = Data(msrc, 'msrc', 'train_strong60', 'train_weak60', tmp_path)
    assert warnings_of(*HEALTHY[name](data)) == []


@pytest.mark.parametrize('folder, said', [
    ('without_the_first_class', 'none of .* images with objects shows {} '),
    ('one_class', '{} has 9.* of the labelled pixels'),
    ('background', '0.00% of the labelled pixels of .* images are objects .*no objects'),
    ('unsure', 'only [1-4].*% of the pixels of .* images are labelled')])
def test_a_collapse_is_said_once(drawn, folder, said):
    sources, ratio = drawn.pair('none', folder)
    warning, = warnings_of(sources, ratio, 25, LabelShareHook(first=15, interval=5))
    classes = build(sources).metainfo['classes']
    assert re.match(r"The labels of source 1 \(\S*.txt, supervision='none'\) may have "
                    'collapsed: ' + said.format(classes[1 + (folder == 'one_class')]), warning)
    assert warning.endswith('If the images are like that, all is well.')


def test_a_source_is_known_by_its_place_in_the_batch(drawn):
    """Two sources of a kind, of which one has collapsed."""
    half = len(drawn.weak) // 2
    sources = [drawn.source(drawn.weak[:half], 'none', 'background'), drawn.source(drawn.strong),
               drawn.source(drawn.weak[half:], 'none', 'true')]
    warning, = warnings_of(sources, [1, 2, 1])
    assert 'The labels of source 0 (' in warning
    warning, = warnings_of(sources[:2], None)  # and by its kind with another sampler
    assert "supervision='none'" in warning
    assert warnings_of(sources, None) == []


def test_unlabelled_images_of_a_list_of_boxes_are_not_counted(drawn, tmp_path):
    """Their painted masks are 255 all over, rightly."""
    (tmp_path / 'xml').mkdir()
    for number, name in enumerate(drawn.weak):
        text = (drawn.root / f'Annotations/{name}.xml').read_text()
        (tmp_path / f'xml/{name}.xml').write_text(text if number < 12 else '<annotation/>')
    source = drawn.source(drawn.weak, 'box', data_prefix=dict(box_path=str(tmp_path / 'xml')),
                          empty='unlabelled')
    del source['masks']
    source['pipeline'].insert(2, dict(type='mmseg_wss.PseudoMask', kind='rect'))
    assert warnings_of([drawn.source(drawn.strong), source], [1, 3]) == []


def test_windows_are_counted_anew(drawn):
    hook = LabelShareHook(first=3, interval=4)
    warnings_of(*drawn.pair('box'), steps=6, hook=hook)
    assert sum(count.pixels.sum() for count in hook._counts.values()) == 3 * 8 * 48 * 96
    warnings_of(*drawn.pair('box'), steps=1, hook=hook)
    assert not hook._counts


def test_ranks_are_judged_together(drawn, monkeypatch):
    """Neither rank alone has seen ten weak images."""
    sent = []

    def gather(counts):
        sent.append(pickle.loads(pickle.dumps(counts)))
        return [*sent, counts]

    monkeypatch.setattr('mmseg_wss.engine.hooks.label_share_hook.all_gather_object', gather)
    for number in range(2):
        sources = [drawn.source(drawn.strong[number::2]),
                   drawn.source(drawn.weak[number:16:2], 'none', 'background')]
        said = warnings_of(sources, [1, 1], 2, LabelShareHook(first=2))
        assert bool(said) == bool(number)
    assert 'of the labelled pixels of 16 images are objects' in said[0]


@pytest.mark.parametrize('options', [dict(first=0), dict(interval=0)])
def test_a_number_of_steps_is_positive(options):
    with pytest.raises(ValueError, match='1 or more; got'):
        LabelShareHook(**options)
