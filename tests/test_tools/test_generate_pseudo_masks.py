"""Pseudo masks of a small network against its own predictions; resumed, shared, never from truth.

The network is random (`make_checkpoint`).
"""
import copy
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from devkit import make_devkit, read_mask, write_annotation
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from PIL import Image
from tiny_run import (
    ROOT,
    contents,
    finish,
    free_port,
    kill_all,
    launch,
    load_script,
    make_checkpoint,
    one_thread,
)

from mmseg_wss.datasets import VOCWeakSegDataset
from mmseg_wss.engine.weak_sources import image_pipeline, weak_images
from mmseg_wss.errors import ConfigError, DataError, DiskFullError
from mmseg_wss.labels.formats.mask_file import read_record, write_mask
from mmseg_wss.labels.formats.voc_xml import read_voc_objects
from mmseg_wss.labels.stores.mask_folder import read_records
from mmseg_wss.labels.stores.mask_target import confidence_path

SIZE = (36, 48)
WEAK = [f'w{i}' for i in range(5)]
TAU = 0.6
CONFIG = """
_base_ = [{base!r}]
loading = [dict(type='LoadImageFromFile')]
views = [dict(type='Resize', scale=(64, 64), keep_ratio=True)]
packing = [dict(type='mmseg_wss.LoadWeakLabels'), *{priors},
           dict(type='mmseg_wss.PackWeakSegInputs')]
pipeline = [*loading, *views, *packing]
tta_pipeline = [*loading, dict(type='TestTimeAug', transforms=[
    [dict(type='Resize', scale_factor=r, keep_ratio=True) for r in (0.75, 1.5)],
    [dict(type='RandomFlip', prob=p, direction='horizontal') for p in (0., 1.)],
    *([transform] for transform in packing)])]
data = dict(type='mmseg_wss.VOCWeakSegDataset', data_root={root!r}, pipeline=pipeline)
lists = 'ImageSets/Segmentation/'
train_dataloader = dict(dataset=dict(datasets=[
    dict(data, ann_file=lists + 'strong.txt'),
    dict(data, ann_file=lists + 'weak.txt', supervision='box')]))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(
    data, ann_file=lists + 'val.txt', test_mode=True))
test_dataloader = val_dataloader
model = dict(
    data_preprocessor=dict(mean=[127.5] * {channels}, std=[127.5] * {channels},
                           test_cfg=dict(size_divisor=16)),
    backbone=dict(in_channels={channels}),
    decode_head=dict(num_classes=3, feature_head=dict(num_classes=3)))
"""
SEEDS = """
method = 'cam'
pipeline.remove(views[0])
train_dataloader['dataset']['datasets'][1].update(supervision='image')
model.update(decode_head=dict(
    _delete_=True, type='mmseg_wss.RRMHead', in_channels=16, channels=8, num_classes=3, in_index=3,
    scales=(1., 2.), loss_energy=None))
"""
KILL = """
custom_imports = dict(imports=['kill_hook'])
custom_hooks = [*_base_.custom_hooks, dict(type='KillHook')]
"""
KILL_HOOK = """
import os, signal
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
@HOOKS.register_module()
class KillHook(Hook):
    def after_test_iter(self, runner, batch_idx, **kwargs):
        if batch_idx == 1:
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope='module')
def tool():
    with one_thread():
        yield load_script('tools/generate_pseudo_masks.py')


def make(tool, arguments):
    tool.run(tool.parse_args(arguments))


class Setting:
    """A devkit, a config for it, and a checkpoint of its network."""

    def __init__(self, folder, priors=False, checkpoint=None, more=''):
        self.root, self.config = folder / 'kit', folder / 'tiny.py'
        make_devkit(self.root, weak=len(WEAK), size=SIZE)
        self.config.write_text(CONFIG.format(
            base=str(ROOT / 'configs/quickstart/mixed_dual_shapes.py'), root=str(self.root),
            priors=[dict(type='mmseg_wss.BoxPriors')] if priors else [],
            channels=5 if priors else 3) + more)
        self.cfg = Config.fromfile(self.config)
        self.model = make_checkpoint(self.config, folder / 'net.pth', seed=0)
        self.checkpoint = checkpoint or folder / 'net.pth'
        self.work_dir = folder / 'work'

    def arguments(self, out, *options, tau=TAU):
        if tau is not None:
            options = '--tau', tau, *options
        return [str(text) for text in (
            self.config, self.checkpoint, '--out', out, '--work-dir', self.work_dir, *options)]

    def predict(self, pipeline):
        """Softmax of the network's own predictions of the weak images: name -> (K, H, W)."""
        data = VOCWeakSegDataset(
            data_root=str(self.root), ann_file='ImageSets/Segmentation/weak.txt', test_mode=True,
            supervision='box', pipeline=pipeline)
        with torch.no_grad():
            samples = [self.model.test_step(pseudo_collate([item]))[0] for item in data]
        return {Path(sample.img_path).stem: sample.seg_logits.data.softmax(0).numpy()
                for sample in samples}


@pytest.fixture(scope='module')
def setting(tmp_path_factory):
    return Setting(tmp_path_factory.mktemp('setting'))


@pytest.fixture(scope='module')
def whole(tool, setting, tmp_path_factory):
    """The folder that one process writes in one go."""
    folder = tmp_path_factory.mktemp('whole') / 'masks'
    make(tool, setting.arguments(folder))
    return folder


def read_masks(folder):
    """The masks that are whole; a temporary file may be half written."""
    return {path.stem: read_mask(path) for path in sorted(folder.glob('[!.]*.png'))}


def by_hand(probs, tau=TAU):
    labels = probs.argmax(0)
    labels[probs.max(0) <= np.float32(tau)] = 255
    return labels


def assert_same_masks(folder, expected):
    assert folder.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(folder[name], expected[name])


# ---- what is in the masks

def test_masks_are_the_predictions_above_tau(tool, setting, whole):
    probs = setting.predict(setting.cfg.pipeline)
    assert sorted(probs) == WEAK and all(p.shape == (3, *SIZE) for p in probs.values())
    expected = {name: by_hand(p) for name, p in probs.items()}
    masks = read_masks(whole)
    assert_same_masks(masks, expected)
    pixels = np.stack(list(masks.values()))
    assert 0.1 < (pixels == 255).mean() < 0.9 and len(np.unique(pixels)) > 2
    for name, record in read_records(whole).items():
        assert record['kept'] == (masks[name] != 255).sum()
        assert record['recipe']['method'] == 'tiny'  # the config is tiny.py


def test_masks_that_teach_nothing_are_warned_of(tool, setting, whole, tmp_path, capsys):
    make(tool, setting.arguments(whole))
    assert 'Next: train' in capsys.readouterr().out
    make(tool, setting.arguments(tmp_path / 'unsure', tau=1))
    said = capsys.readouterr().out
    assert ' 0.0% of the pixels labelled' in said and 'Next' not in said
    assert 'Warning: almost no pixel is labelled' in said and 'lower --tau' in said

    folder = tmp_path / 'background'
    shutil.copytree(whole, folder)
    for number, path in enumerate(sorted(folder.glob('*.png'))):
        mask = np.full(SIZE, 255 if number == 1 else 0, np.uint8)
        write_mask(path, mask, read_record(path))
    make(tool, setting.arguments(folder))
    said = capsys.readouterr().out
    assert 'nothing to do' in said and 'Next' not in said
    assert 'Warning: no pixel has a class other than the background' in said
    mask[5, 7] = 2
    write_mask(path, mask, read_record(path))
    make(tool, setting.arguments(folder))
    assert 'Next: train' in capsys.readouterr().out


def test_flip_and_scales(tool, setting, tmp_path):
    views = []
    for scale in (0.75, 1.5):
        for flip in (0., 1.):
            views.append(setting.predict([
                *setting.cfg.loading, dict(type='Resize', scale_factor=scale, keep_ratio=True),
                dict(type='RandomFlip', prob=flip, direction='horizontal'), *setting.cfg.packing]))
    mean = {name: np.mean([view[name] for view in views], 0) for name in WEAK}
    make(tool, setting.arguments(tmp_path / 'tta', '--tta'))
    for name, mask in read_masks(tmp_path / 'tta').items():
        sure = abs(mean[name].max(0) - TAU) > 1e-5  # sums in another order
        np.testing.assert_array_equal(mask[sure], by_hand(mean[name])[sure])
        assert sure.mean() > 0.95


@pytest.mark.parametrize('options', [[], ['--tta']])
def test_the_mean_of_two_networks(tool, setting, tmp_path, options):
    other = copy.copy(setting)
    other.model = make_checkpoint(setting.config, tmp_path / 'other.pth', seed=1)
    views = [setting.cfg.pipeline]
    if options:
        views = [[*setting.cfg.loading, dict(type='Resize', scale_factor=scale, keep_ratio=True),
                  dict(type='RandomFlip', prob=flip, direction='horizontal'), *setting.cfg.packing]
                 for scale in (0.75, 1.5) for flip in (0., 1.)]
    probs = [network.predict(view) for view in views for network in (setting, other)]
    mean = {name: np.mean([one[name] for one in probs], 0) for name in WEAK}
    arguments = setting.arguments(tmp_path / 'both', '--average-with', tmp_path / 'other.pth',
                                  *options)
    make(tool, arguments)
    for name, mask in read_masks(tmp_path / 'both').items():
        sure = abs(mean[name].max(0) - TAU) > 1e-5  # sums in another order
        np.testing.assert_array_equal(mask[sure], by_hand(mean[name])[sure])
        assert sure.mean() > 0.95 and (mask != by_hand(probs[0][name])).any()

    before = contents(tmp_path / 'both')
    make(tool, arguments)
    assert contents(tmp_path / 'both') == before
    shutil.copy(setting.checkpoint, tmp_path / 'other.pth')  # another network: other masks
    make(tool, arguments)
    assert contents(tmp_path / 'both') != before


def lifted(probs, share):
    """Probabilities of a class that is there: divided by the mean of the largest."""
    return probs / np.sort(probs, None)[-int(share * probs.size):].mean()


def box_gated(setting, name, probs, present=False):
    """Probabilities of an image of a devkit, which has one object: its class in its box alone."""
    names, boxes = read_voc_objects(str(setting.root / f'Annotations/{name}.xml'))
    x1, y1, x2, y2 = boxes[0].astype(int)
    gated = np.zeros_like(probs)
    gated[0] = 1
    own = [0, ('background', 'red', 'green').index(names[0])]
    gated[own, y1:y2, x1:x2] = probs[own, y1:y2, x1:x2]
    if present:
        gated[own[1], y1:y2, x1:x2] = lifted(gated[own[1], y1:y2, x1:x2], 0.5)
    return gated / gated.sum(0)


@pytest.mark.parametrize('option', ['--box-gate', '--gate'])
def test_gate_and_confidence(tool, setting, whole, tmp_path, option):
    make(tool, setting.arguments(tmp_path / 'gated', option, '--soft'))
    masks, probs = read_masks(tmp_path / 'gated'), setting.predict(setting.cfg.pipeline)
    for name, mask in masks.items():
        gated = box_gated(setting, name, probs[name], option == '--gate')
        sure = abs(gated.max(0) - TAU) > 1e-6
        np.testing.assert_array_equal(mask[sure], by_hand(gated)[sure])
        soft = np.array(Image.open(confidence_path(tmp_path / 'gated', name)), float) / 255
        np.testing.assert_allclose(soft, gated.max(0), atol=0.5001 / 255)
    assert all((masks[name] != mask).any() for name, mask in read_masks(whole).items())


MIXED = """
train_dataloader['dataset']['datasets'] = [
    dict(data, ann_file=lists + 'strong.txt'),
    dict(data, ann_file=lists + 'box.txt', supervision='box'),
    dict(data, ann_file=lists + 'tags.txt', supervision='image'),
    dict(data, ann_file=lists + 'drawn.txt', supervision='scribble'),
    dict(data, ann_file=lists + 'plain.txt', supervision='none'),
    dict(data, ann_file=lists + 'made.txt', supervision='pseudo', pseudo_mask='Some')]
"""


def test_each_image_is_gated_by_its_own_labels(tool, setting, tmp_path, capsys):
    """Five images with a kind of label each, one or none of which says what is there."""
    kit = Setting(tmp_path, checkpoint=setting.checkpoint, more=MIXED)
    kinds = dict(zip(WEAK, ('box', 'tags', 'drawn', 'plain', 'made')))
    for name, kind in kinds.items():
        (kit.root / f'ImageSets/Segmentation/{kind}.txt').write_text(f'{name}\n')
    clicks = np.full(SIZE, 255, np.uint8)
    clicks[10:12, 20:30], clicks[0] = 2, 0
    (kit.root / 'ScribbleLabels').mkdir()
    write_mask(kit.root / 'ScribbleLabels/w2.png', clicks, None)
    for name in 'w3', 'w4':  # nothing of them may be opened
        (kit.root / f'Annotations/{name}.xml').unlink()

    make(tool, kit.arguments(tmp_path / 'masks', '--gate'))
    masks, probs = read_masks(tmp_path / 'masks'), setting.predict(setting.cfg.pipeline)
    names, _ = read_voc_objects(str(kit.root / 'Annotations/w1.xml'))
    for name, kind in kinds.items():
        own = probs[name].copy()
        if kind == 'box':
            own = box_gated(kit, name, own, present=True)
        if kind in ('tags', 'drawn'):
            label = 2 if kind == 'drawn' else ('background', 'red', 'green').index(names[0])
            free = clicks != 0 if kind == 'drawn' else clicks >= 0
            own[label, free], own[3 - label] = lifted(own[label, free], 0.2), 0
        if kind == 'drawn':
            own[:, clicks != 255] = np.eye(3)[:, clicks[clicks != 255]]
        own /= own.sum(0)
        sure = abs(own.max(0) - TAU) > 1e-6
        np.testing.assert_array_equal(masks[name][sure], by_hand(own)[sure])

    best = {kind: dict(kind=kind, source=source, tau=tau, crf=None) for kind, source, tau in (
        ('box', 'rect', None), ('image', 'teacher', 0.1), ('scribble', 'clicks', None),
        ('none', 'teacher', 0.9))}
    best['none']['tau_classes'] = dict(red=0.2)
    (tmp_path / 'judge.json').write_text(json.dumps(dict(best=best)))
    make(tool, kit.arguments(tmp_path / 'judged', '--judge', tmp_path / 'judge.json', tau=None))
    judged = read_masks(tmp_path / 'judged')
    _, boxes = read_voc_objects(str(kit.root / 'Annotations/w0.xml'))
    (x1, y1, x2, y2), own = boxes[0].astype(int), probs['w1'].copy()
    painted = np.zeros(SIZE, np.uint8)
    painted[y1:y2, x1:x2] = 2 - (names_of(kit, 'w0') == ['red'])
    label = 2 - (names == ['red'])
    own[label], own[3 - label] = lifted(own[label], 0.2), 0
    for name, expected in dict(w0=painted, w1=by_hand(own / own.sum(0), 0.1), w2=clicks,
                               w3=np.where(probs['w3'].argmax(0) == 1, by_hand(probs['w3'], 0.2),
                                           by_hand(probs['w3'], 0.9))).items():
        np.testing.assert_array_equal(judged[name], expected)
    best['none']['tau_classes'] = dict(pink=0.2)
    (tmp_path / 'judge.json').write_text(json.dumps(dict(best=best)))
    with pytest.raises(DataError, match='thresholds of the classes pink'):
        make(tool, kit.arguments(tmp_path / 'x', '--judge', tmp_path / 'judge.json', tau=None))
    (tmp_path / 'judge.json').write_text(json.dumps(dict(best=dict(box=best['box']))))
    with pytest.raises(ConfigError, match="nothing of images with supervision='image'.*--kinds"):
        make(tool, kit.arguments(tmp_path / 'x', '--judge', tmp_path / 'judge.json', tau=None))

    capsys.readouterr()
    write_annotation(kit.root / 'Annotations/w0.xml', names[0], (2, 3, 9, 30), SIZE)
    clicks[20, 20] = 2
    write_mask(kit.root / 'ScribbleLabels/w2.png', clicks, None)
    make(tool, kit.arguments(tmp_path / 'masks', '--gate'))
    assert '2 of them written now' in capsys.readouterr().out


def test_images_of_another_config(tool, setting, whole, tmp_path):
    """Of a network whose own config has no weak source."""
    alone = tmp_path / 'alone.py'
    alone.write_text(f"_base_ = [{str(setting.config)!r}]\n"
                     "train_dataloader = dict(dataset=dict(datasets=[\n"
                     "    dict(_base_.data, ann_file='ImageSets/Segmentation/strong.txt')]))\n")
    arguments = setting.arguments(tmp_path / 'masks', '--images-of', setting.config)
    arguments[0] = str(alone)
    make(tool, arguments)
    assert_same_masks(read_masks(tmp_path / 'masks'), read_masks(whole))
    with pytest.raises(ValueError, match='no training source of the config has weak images'):
        make(tool, [str(alone), *setting.arguments(tmp_path / 'none')[1:]])


def names_of(kit, name):
    return read_voc_objects(str(kit.root / f'Annotations/{name}.xml'))[0]


def test_the_gate_of_all_labels_stands_alone(tool, setting, tmp_path, capsys):
    with pytest.raises(SystemExit):
        make(tool, setting.arguments(tmp_path / 'masks', '--gate', '--tag-gate'))
    assert 'give it alone' in capsys.readouterr().err


@pytest.mark.parametrize('source', ['boxes', 'tag file', 'pseudo'])
def test_tags_restrict_the_classes(tool, setting, tmp_path, capsys, source):
    """Wherever the tags are from; another tag makes its image's mask anew."""
    kit = Setting(tmp_path, checkpoint=setting.checkpoint, more={
        'boxes': '', 'pseudo': "train_dataloader['dataset']['datasets'][1].update("
                               "supervision='pseudo', pseudo_mask='not there yet')\n",
        'tag file': "train_dataloader['dataset']['datasets'][1].update("
                    "supervision='image', tag_file='tags.txt')\n"}[source])
    classes = 'background', 'red', 'green'

    def write_tags(**changed):
        names = {name: changed.get(name, classes[1 + i % 2]) for i, name in enumerate(WEAK)}
        (kit.root / 'tags.txt').write_text('\n'.join(map(' '.join, names.items())))
        for name in changed:
            write_annotation(kit.root / f'Annotations/{name}.xml', names[name], (2, 3, 9, 30), SIZE)
        return {name: classes.index(tag) for name, tag in names.items()}

    probs, out = setting.predict(setting.cfg.pipeline), tmp_path / 'masks'
    for changed, made in ({}, len(WEAK)), ({'w3': 'red'}, 1):
        tags = write_tags(**changed)
        make(tool, kit.arguments(out, '--tag-gate'))
        assert f'{made} of them written now' in capsys.readouterr().out
        for name, mask in read_masks(out).items():
            own = probs[name].copy()
            own[3 - tags[name]] = 0
            own /= own.sum(0)
            sure = abs(own.max(0) - TAU) > 1e-6
            np.testing.assert_array_equal(mask[sure], by_hand(own)[sure])
    make(tool, kit.arguments(out))  # without the gate
    assert f'{len(WEAK)} of them written now' in capsys.readouterr().out


def test_crf_sharpens_the_probabilities(tool, setting, tmp_path):
    from mmseg_wss.ops import dense_crf
    make(tool, setting.arguments(tmp_path / 'crf', '--crf'))
    for name, probs in setting.predict(setting.cfg.pipeline).items():
        image = np.array(Image.open(setting.root / f'JPEGImages/{name}.jpg')).transpose(2, 0, 1)
        refined = dense_crf(torch.from_numpy(probs)[None], torch.from_numpy(image.copy())[None])
        mask = np.array(Image.open(tmp_path / f'crf/{name}.png'))
        # two decoders of JPEG may differ by a level
        assert (mask == by_hand(refined[0].numpy())).mean() > 0.99


# ---- seeds

@pytest.fixture(scope='module')
def classifier(tmp_path_factory):
    return Setting(tmp_path_factory.mktemp('classifier'), more=SEEDS)


@torch.no_grad()
def maps_by_hand(model, path):
    """The mean of the maps at full and double size, cut to the image, (2, H, W)."""
    image = np.array(Image.open(path), np.float32).transpose(2, 0, 1) / 127.5 - 1
    padded = F.pad(torch.from_numpy(image)[None], (0, 0, 0, 48 - SIZE[0]))
    cams = []
    for scale in (1., 2.):
        scaled = F.interpolate(padded, scale_factor=scale, mode='bilinear')
        features = model.backbone(scaled)[3]
        cam = F.conv2d(features, model.decode_head.classifier.weight).relu()
        cams.append(F.interpolate(cam, padded.shape[-2:], mode='bilinear'))
    return (sum(cams) / 2)[0, :, :SIZE[0], :SIZE[1]].numpy()


def test_seeds_are_those_of_the_images_own_classes(tool, classifier, tmp_path, capsys):
    arguments = classifier.arguments(tmp_path / 'seeds', '--seeds', 0.7, 0.4, tau=None)
    make(tool, arguments)
    found = set()
    for i, name in enumerate(WEAK):
        label = 1 + i % 2
        share = maps_by_hand(
            classifier.model, classifier.root / f'JPEGImages/{name}.jpg')[label - 1]
        share = share / share.max()
        expected = np.where(share > 0.7, label, np.where(share < 0.4, 0, 255))
        mask = np.array(Image.open(tmp_path / f'seeds/{name}.png'))
        assert mask.shape == SIZE
        assert (mask == expected).mean() > 0.98  # two decoders of JPEG may differ by a level
        record = read_records(tmp_path / 'seeds')[name]
        assert record['kept'] == (mask != 255).sum() and record['recipe']['method'] == 'cam'
        found |= set(mask.ravel().tolist())
    assert found == {0, 1, 2, 255}
    assert '5 of them written now' in capsys.readouterr().out
    make(tool, arguments)
    assert 'nothing to do' in capsys.readouterr().out


@pytest.mark.parametrize('options, message', [
    (['0.2', '0.3'], 'bg_threshold <= fg_threshold'),
    (['0.2', '0.06', '--tta'], '--tta is not for'),
    (['0.2', '0.06', '--tau', '0'], '--tau is not for'),
    (['0.2', '0.06', '--box-gate'], '--box-gate is not for')])
def test_impossible_options_of_seeds(tool, classifier, tmp_path, capsys, options, message):
    with pytest.raises(SystemExit):
        make(tool, classifier.arguments(tmp_path / 'seeds', '--seeds', *options, tau=None))
    assert message in capsys.readouterr().err and not (tmp_path / 'seeds').exists()


def test_seeds_of_a_head_without_classifier(tool, setting, tmp_path):
    with pytest.raises(ValueError, match='RRMHead; got MixedDualHead'):
        make(tool, setting.arguments(tmp_path / 'seeds', '--seeds', 0.2, 0.06, tau=None))


def with_scribbles(folder, of, more=''):
    """A setting with the network of another, whose weak images have a stroke of background each."""
    kit = Setting(folder, checkpoint=of.checkpoint, more=more + (
        "\ntrain_dataloader['dataset']['datasets'][1].update(supervision='scribble')"))
    drawn = np.full(SIZE, 255, np.uint8)
    drawn[0, :5] = 0
    (kit.root / 'ScribbleLabels').mkdir()
    for name in WEAK:
        write_mask(kit.root / f'ScribbleLabels/{name}.png', drawn)
    return kit


def test_strokes_on_the_background_alone_exclude_no_class(tool, setting, whole, tmp_path):
    make(tool, with_scribbles(tmp_path, setting).arguments(tmp_path / 'masks', '--tag-gate'))
    masks = read_masks(tmp_path / 'masks')
    assert {1, 2} & {*np.unique(list(masks.values()))}
    assert all(np.array_equal(masks[name], mask) for name, mask in read_masks(whole).items())


def test_strokes_on_the_background_alone_are_no_tags_for_seeds(tool, classifier, tmp_path):
    kit = with_scribbles(tmp_path, classifier, SEEDS)
    with pytest.raises(DataError, match='seeds need tags, and 5 image.* a tag_file'):
        make(tool, kit.arguments(tmp_path / 'seeds', '--seeds', 0.7, 0.4, tau=None))


# ---- which images, and from what

def test_no_label_is_opened(tool, setting, whole, tmp_path):
    """Without true masks and without boxes: the same files, also the records in them."""
    bare = Setting(tmp_path, checkpoint=setting.checkpoint)
    for name in WEAK:
        (bare.root / f'SegmentationClass/{name}.png').unlink()
        (bare.root / f'Annotations/{name}.xml').unlink()
    make(tool, bare.arguments(tmp_path / 'masks'))
    assert contents(tmp_path / 'masks') == contents(whole)


def test_a_network_that_takes_boxes(tool, tmp_path, capsys):
    """Boxes are an input: without masks it works; another box makes its image's mask anew."""
    setting = Setting(tmp_path, priors=True)
    out = tmp_path / 'masks'
    expected = {name: by_hand(p) for name, p in setting.predict(setting.cfg.pipeline).items()}
    for name in WEAK:
        (setting.root / f'SegmentationClass/{name}.png').unlink()
    make(tool, setting.arguments(out))
    masks = read_masks(out)
    assert_same_masks(masks, expected)
    write_annotation(setting.root / 'Annotations/w3.xml', 'red', (2, 3, 9, 30), SIZE)
    make(tool, setting.arguments(out))
    assert '1 of them written now' in capsys.readouterr().out
    changed = [name for name, mask in read_masks(out).items() if (mask != masks[name]).any()]
    assert changed == ['w3']


def test_two_images_never_share_a_mask(setting, tmp_path):
    """An image in two sources has one mask; two images of one ID would write over each other."""
    cfg = copy.deepcopy(setting.cfg)
    sources = cfg.train_dataloader.dataset.datasets
    sources.append(dict(sources[1], supervision='pseudo', pseudo_mask='not there yet'))
    images = weak_images(cfg, tmp_path)
    assert [images.get_data_info(i)['mask_name'] for i in range(len(images))] == WEAK
    sources[2]['data_prefix'] = dict(img_path='OtherImages')
    with pytest.raises(ValueError, match=r'JPEGImages/w0.jpg and .*OtherImages/w0.jpg .* w0.png'):
        weak_images(cfg, tmp_path)


def test_loaders_of_labels_leave_no_empty_alternative():
    image, pack = dict(type='LoadImageFromFile'), dict(type='PackSegInputs')
    pipeline = [image, dict(type='TestTimeAug', transforms=[
        [dict(type='mmseg_wss.LoadWeakLabels')], [dict(type='LoadAnnotations')], [pack]])]
    assert image_pipeline(pipeline) == (
        [image, dict(type='TestTimeAug', transforms=[[pack]])], False)
    pipeline[1]['transforms'].insert(1, [dict(type='mmseg_wss.BoxPriors')])
    assert image_pipeline(pipeline) == ([image, dict(type='TestTimeAug', transforms=[
        [dict(type='mmseg_wss.LoadWeakLabels')], [dict(type='mmseg_wss.BoxPriors')], [pack]])],
        True)


def test_evaluation_images_are_refused(tool, setting, tmp_path, capsys):
    out, val = tmp_path / 'masks', 'ImageSets/Segmentation/val.txt'
    with pytest.raises(DataError, match=r'val \(.*val.txt\) has 2 of the images.*--allow-val'):
        make(tool, setting.arguments(out, '--ann-file', val))
    assert not out.exists()
    make(tool, setting.arguments(out, '--ann-file', val, '--allow-val'))
    assert sorted(read_masks(out)) == ['v0', 'v1']


@pytest.mark.parametrize('place, value, message', [
    (0, 'none', 'none: there is no such config'), (1, 'none', 'none: there is no such checkpoint'),
    (-1, '1.5', 'got 1.5'), (-1, '-0.1', 'got -0.1'), (-1, 'nan', 'got nan')])
def test_impossible_arguments(tool, setting, tmp_path, capsys, place, value, message):
    arguments = setting.arguments(tmp_path / 'masks')
    arguments[place] = value  # of --tau the last
    with pytest.raises(SystemExit) as error:
        make(tool, arguments)
    assert error.value.code == 2 and message in capsys.readouterr().err
    assert not (tmp_path / 'masks').exists()


@pytest.mark.parametrize('options, message', [
    (['--average-with', 'none.pth'], 'none.pth: there is no such checkpoint'),
    (['--average-with', __file__, '--seeds', '0.2', '0.06'],
     '--average-with is not for --seeds')])
def test_networks_that_cannot_be_averaged(tool, setting, tmp_path, capsys, options, message):
    with pytest.raises(SystemExit) as error:
        make(tool, setting.arguments(tmp_path / 'masks', *options, tau=None))
    assert error.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize('gate, box, message', [
    ('--tag-gate', 'error', r'w3\.xml: the weak image .*no object'),
    ('--box-gate', 'error', r'w3\.xml: the image has no object'),
    ('--box-gate', 'unlabelled', r'w3\.xml: the image has no object'),
    ('--box-gate', (2, 3, 49, 30),
     r'w3\.xml: object 1 \(red\), box 2 3 49 30: .*outside the image of 48x36')])
def test_a_gate_needs_objects(tool, setting, tmp_path, gate, box, message):
    more = f"\ntrain_dataloader['dataset']['datasets'][1]['empty'] = {box!r}"
    kit = Setting(tmp_path, checkpoint=setting.checkpoint, more=more * isinstance(box, str))
    path = kit.root / 'Annotations/w3.xml'
    if isinstance(box, tuple):
        write_annotation(path, 'red', box, SIZE)
    else:
        path.write_text('<annotation></annotation>')
    with pytest.raises(DataError, match=message):
        make(tool, kit.arguments(tmp_path / 'masks', gate))
    assert not (tmp_path / 'masks').exists()


def test_images_that_are_known_to_be_empty(tool, setting, tmp_path):
    """By their tags or boxes they are background, however sure the network is of objects."""
    kit = Setting(tmp_path, checkpoint=setting.checkpoint)
    (kit.root / 'Annotations/w3.xml').write_text('<annotation></annotation>')
    make(tool, kit.arguments(tmp_path / 'plain'))
    for gate in '--tag-gate', '--box-gate':
        make(tool, kit.arguments(tmp_path / gate[2:], gate))
    plain, tags, boxes = (read_masks(tmp_path / name)['w3']
                          for name in ('plain', 'tag-gate', 'box-gate'))
    assert {1, 2} & set(np.unique(plain)) and not tags.any() and not boxes.any()


@pytest.mark.parametrize('names', [
    ['../x'], ['a/../../x'], ['../x', '../../y'], ['{folder}/x'], ['./../x']])
@pytest.mark.parametrize('soft', [[], ['--soft']])
def test_names_outside_the_folder_are_refused_ahead_of_all(tool, setting, tmp_path, names, soft):
    kit = Setting(tmp_path, checkpoint=setting.checkpoint)
    (kit.root / 'JPEGImages/a').mkdir()
    names = [name.format(folder=tmp_path / 'elsewhere') for name in names]
    path = kit.root / 'ImageSets/Segmentation/weak.txt'
    path.write_text(path.read_text() + ''.join(f'{name}\n' for name in names))
    for name in names:
        image = kit.root / 'JPEGImages' / f'{name}.jpg'
        image.parent.mkdir(exist_ok=True)
        shutil.copy(kit.root / 'JPEGImages/w0.jpg', image)
        shutil.copy(kit.root / 'Annotations/w0.xml', image.with_suffix('.xml'))
    before = sorted(tmp_path.rglob('*.png'))
    with pytest.raises(DataError, match='would lie outside .*: correct the list') as error:
        make(tool, kit.arguments(tmp_path / 'masks', *soft))
    assert len(str(error.value).splitlines()) == len(names)
    assert sorted(tmp_path.rglob('*.png')) == before and not (tmp_path / 'masks').exists()


def rename(weights):
    for key in [key for key in weights if key.startswith('backbone.')]:
        weights[f'other_{key}'] = weights.pop(key)


def of_three_channels(weights):
    """What `widen_on_load` would take for pretrained weights."""
    key = next(key for key in weights if weights[key].dim() == 4)
    weights[key] = weights[key][:, :3]


@pytest.mark.parametrize('change, message, options', [
    (rename, r'missing: backbone\.', []),
    (of_three_channels, r'1 of another shape: backbone\..* 3, 3, 3\) instead of .* 5, 3, 3\)',
     ['--tta'])])
def test_a_checkpoint_of_another_network_is_refused(tool, tmp_path, change, message, options):
    setting = Setting(tmp_path, priors=True)
    checkpoint = torch.load(setting.checkpoint, weights_only=True)
    change(checkpoint['state_dict'])
    torch.save(checkpoint, setting.checkpoint)
    with pytest.raises(DataError, match=rf'net\.pth: .* not of the network .*{message}'):
        make(tool, setting.arguments(tmp_path / 'masks', *options))
    assert not read_masks(tmp_path / 'masks')


def test_parts_that_the_network_does_not_use_are_no_fault(tool, setting, whole, tmp_path):
    """As a checkpoint saved inside a wrapper, with a head that the config has no more."""
    checkpoint = torch.load(setting.checkpoint, weights_only=True)
    weights = checkpoint['state_dict']
    weights['auxiliary_head.conv.weight'] = torch.zeros(1)
    torch.save(dict(state_dict={f'module.{key}': value for key, value in weights.items()}),
               tmp_path / 'net.pth')
    arguments = setting.arguments(tmp_path / 'masks')
    arguments[1] = str(tmp_path / 'net.pth')
    make(tool, arguments)
    assert_same_masks(read_masks(tmp_path / 'masks'), read_masks(whole))


@pytest.mark.parametrize('soft', [[], ['--soft']])
def test_a_full_disk_ends_it_in_a_sentence(tool, setting, whole, tmp_path, full_disk, soft):
    out = tmp_path / 'masks'
    with full_disk(3):
        with pytest.raises(DiskFullError, match=r'/w\d\.png: .*Free space on this disk'):
            make(tool, setting.arguments(out, *soft))
    made = read_masks(out)
    assert 1 <= len(made) < 5
    make(tool, setting.arguments(out, *soft))
    assert_same_masks(read_masks(out), read_masks(whole))


# ---- again, shared, killed

def test_a_second_run_computes_nothing(tool, setting, whole, capsys, monkeypatch):
    def runner(*args, **kwargs):
        raise AssertionError('a network was built')
    monkeypatch.setattr('mmseg_wss.engine.image_runner.QuietRunner', runner)
    before = contents(whole)
    make(tool, setting.arguments(whole))
    assert '5 pseudo masks (nothing to do' in capsys.readouterr().out
    assert contents(whole) == before


def test_another_tau_makes_all_anew(tool, setting, whole, tmp_path, capsys):
    shutil.copytree(whole, tmp_path / 'masks')
    make(tool, setting.arguments(tmp_path / 'masks', tau=0.8))
    probs = setting.predict(setting.cfg.pipeline)
    assert_same_masks(read_masks(tmp_path / 'masks'),
                      {name: by_hand(p, 0.8) for name, p in probs.items()})
    assert {record['recipe']['tau'] for record in read_records(tmp_path / 'masks').values()} == {
        0.8}
    assert '5 of them written now' in capsys.readouterr().out


def test_two_processes_write_what_one_does(setting, whole, tmp_path):
    """Five images: one of the processes has one more."""
    printed = finish('bash', ROOT / 'tools/dist_generate_pseudo_masks.sh', setting.config,
                     setting.checkpoint, 2, *setting.arguments(tmp_path / 'masks')[2:],
                     PORT=free_port())
    assert printed.count('5 pseudo masks (5 of them written now)') == 1  # one process says it
    assert contents(tmp_path / 'masks') == contents(whole)


def test_killed_and_continued(tool, setting, whole, tmp_path, monkeypatch, capsys):
    (tmp_path / 'kill_hook.py').write_text(KILL_HOOK)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    deadly = Setting(tmp_path / 'deadly', checkpoint=setting.checkpoint, more=KILL)
    process = launch(sys.executable, ROOT / 'tools/generate_pseudo_masks.py',
                     *deadly.arguments(tmp_path / 'masks'))
    try:
        printed = process.communicate(timeout=300)[0]
    finally:
        kill_all(process)
    assert process.returncode == -signal.SIGKILL, printed[-4000:]
    assert sorted(read_masks(tmp_path / 'masks')) == WEAK[:2]
    make(tool, setting.arguments(tmp_path / 'masks'))
    assert '5 pseudo masks (3 of them written now)' in capsys.readouterr().out
    assert contents(tmp_path / 'masks') == contents(whole)


@pytest.mark.parametrize('seconds', [1, 2, 3, 4, 6, 'made'])
def test_ctrl_c_gives_no_traceback(setting, tmp_path, seconds):
    """While libraries are loaded, which takes longest, and while masks are made."""
    path = tmp_path / 'workers.py'
    path.write_text(f'_base_ = [{str(setting.config)!r}]\n'
                    'test_dataloader = dict(num_workers=1, persistent_workers=True)\n')
    process = launch(sys.executable, ROOT / 'tools/generate_pseudo_masks.py', path,
                     *setting.arguments(tmp_path / 'masks')[1:])
    try:
        if seconds == 'made':
            while process.poll() is None and not read_masks(tmp_path / 'masks'):
                time.sleep(0.02)
        else:
            time.sleep(seconds)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it: to its workers, too
        printed = process.communicate(timeout=300)[0]
    finally:
        kill_all(process)
    assert 'Traceback' not in printed and 'KeyboardInterrupt' not in printed, printed[-4000:]
    if process.returncode and ' pseudo masks (' not in printed:  # it may have been through
        assert process.returncode == 130 and 'Stopped.' in printed
    assert seconds != 1 or process.returncode
