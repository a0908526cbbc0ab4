"""What configs/papers.yml does not state of DSRG's configs, and the truth is in its code."""
import functools
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from devkit import COLOURS, make_devkit
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, HOOKS, MODELS, init_default_scope

from mmseg_wss.engine.hooks import ClassifyFirstHook

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
NETWORKS = 'vgg16', 'r101'
STEP_1, RETRAIN = 'wss/dsrg_{}_voc', 'wss/dsrg_retrain_{}_voc'
CAM, MSRC = 'wss/dsrg_cam_vgg16_voc', 'msrc/dsrg_efflite0_msrc'


def load(name):
    return Config.fromfile(CONFIGS / f'{name}.py')


@functools.lru_cache(maxsize=None)
def build(name):
    """A config's network, without weights: parameters of the 'meta' device take no memory."""
    cfg = load(name)
    init_default_scope(cfg.default_scope)
    with torch.device('meta'):
        return MODELS.build(cfg.model).eval()


def settings(name):
    """Of the built optimiser: name of a parameter -> its learning rate and weight decay."""
    optimizer = build_optim_wrapper(build(name), load(name).optim_wrapper).optimizer
    assert isinstance(optimizer, torch.optim.SGD) and optimizer.defaults['momentum'] == 0.9
    by_id = {id(p): (group['lr'], group['weight_decay'])
             for group in optimizer.param_groups for p in group['params']}
    return {key: by_id[id(p)] for key, p in build(name).named_parameters()}


def test_the_pipeline_of_msrc_trains_the_classifier_alone():
    """Its option counts hooks: it must be that of the hook with two phases."""
    init_default_scope('mmseg')
    folder = CONFIGS / 'msrc/pipelines'
    stage = Config.fromfile(folder / 'dsrg_msrc.py').stages[0]
    cfg = Config.fromfile(folder / stage.config)
    cfg.merge_from_dict(dict(stage.cfg_options))
    hooks = [HOOKS.build(dict(hook)) for hook in cfg.custom_hooks]
    assert [hook.share for hook in hooks if isinstance(hook, ClassifyFirstHook)] == [1]
    page = (CONFIGS.parent / 'docs/tags.md').read_text()
    options = [f'{key}={value}' for key, value in stage.cfg_options.items()]
    assert ' '.join(options) in page


@pytest.mark.parametrize('network', NETWORKS)
@pytest.mark.parametrize('name, resized', [(STEP_1, 'Resize'), (RETRAIN, 'RandomCrop')])
def test_images_are_resized_and_mirrored_alone(network, name, resized):
    (source, ) = load(name.format(network)).train_dataloader.dataset.datasets
    assert [transform.type.split('.')[-1] for transform in source.pipeline] == [
        'LoadImageFromFile', 'LoadWeakLabels', resized, 'RandomFlip', 'PackWeakSegInputs']


@pytest.mark.parametrize('name', [
    *map(STEP_1.format, NETWORKS), CAM, 'wss/dsrg_vgg16_coco', 'wss/dsrg_cam_vgg16_coco'])
def test_step_1_sees_warped_images_when_masks_are_made_too(name):
    cfg = load(name)
    for dataset in cfg.val_dataloader.dataset, cfg.test_dataloader.dataset:
        kinds = [step.type.split('.')[-1] for step in dataset.pipeline]
        assert kinds.index('Resize') < kinds.index('LoadWeakLabels')  # truth has the file's size
        warp = dataset.pipeline[kinds.index('Resize')]
        assert tuple(warp.scale) == (321, 321) and not warp.keep_ratio
    sizes = cfg.tta_pipeline[1].transforms[0]
    assert [tuple(step.scale) for step in sizes] == [(241, 241), (321, 321), (401, 401)]
    assert not any(step.keep_ratio for step in sizes)


@pytest.mark.parametrize('network', NETWORKS)
def test_retrained_networks_see_three_sizes(network):
    sizes = load(RETRAIN.format(network)).tta_pipeline[1].transforms[0]
    assert [(step.scale_factor, step.keep_ratio) for step in sizes] == [
        (0.75, True), (1., True), (1.25, True)]


def test_the_classifier_of_the_seeds_as_that_of_sec():
    cfg = load(CAM)
    assert cfg.val_evaluator == cfg.test_evaluator == [dict(type='mmpretrain.AveragePrecision')]
    model = build(CAM)
    assert model.backbone.fc6.dilation == model.backbone.fc7.kernel_size == (1, 1)
    assert model.decode_head.classifier.weight.shape == (20, 1024, 1, 1)


@pytest.mark.parametrize('name, rate, new', [
    *((STEP_1.format(network), 5e-4, 'classifiers') for network in NETWORKS),
    *((RETRAIN.format(network), 1e-3, 'classifiers') for network in NETWORKS),
    (CAM, 1e-3, 'decode_head|fc6|fc7')], ids=str)
def test_rates_of_1_2_10_and_20_and_no_decay_of_biases(name, rate, new):
    """By the built optimiser; scales and shifts of batch normalisation are weights in this."""
    found = settings(name)
    norms = {f'{key}.bias' for key, module in build(name).named_modules()
             if isinstance(module, torch.nn.BatchNorm2d)}
    for key, (lr, decay) in found.items():
        is_bias = key.endswith('.bias')
        if 'decode_head.hidden.conv' in key or 'conv_seg' in key:  # RRM's other branch rests
            continue
        times = (10 if re.search(new, key) else 1) * (2 if is_bias and key not in norms else 1)
        assert lr == pytest.approx(times * rate), key
        assert decay == (0 if is_bias else 5e-4), key
    assert sorted({round(lr / rate) for lr, _ in found.values()}) == (
        [1, 10, 20] if 'r101' in name else [1, 2, 10, 20])


@pytest.mark.parametrize('name, hidden', [
    (STEP_1.format('vgg16'), 1024), (RETRAIN.format('vgg16'), 1024), (STEP_1.format('r101'), None),
    (RETRAIN.format('r101'), None)], ids=str)
def test_networks_have_four_branches_over_maps_of_41_pixels(name, hidden):
    model = build(name)
    head = getattr(model.decode_head, 'head', model.decode_head)
    first = head.classifiers if hidden is None else [layers[0] for layers in head.hidden]
    assert [(conv.dilation, conv.kernel_size) for conv in first] == [
        ((d, d), (3, 3)) for d in (6, 12, 18, 24)]
    assert all(classifier.in_channels == (hidden or 2048) for classifier in head.classifiers)
    assert getattr(model.backbone, 'average_pool5', None) is (None if hidden is None else True)
    with torch.device('meta'):
        logits = model(torch.zeros(1, 3, 321, 321), mode='tensor')
    assert logits.shape == (1, 21, 41, 41)


def test_msrc_has_the_same_method_for_its_size():
    model = build(MSRC)
    with torch.device('meta'):
        logits = model(torch.zeros(1, 3, *load(MSRC).model.data_preprocessor.size), mode='tensor')
    assert logits.shape == (1, 16, 28, 28)
    assert [conv.dilation[0] for conv in model.decode_head.head.classifiers] == [
        round(d * 28 / 41) for d in (6, 12, 18, 24)]


def test_seeds_go_with_the_image_when_it_is_warped_and_mirrored(tmp_path):
    """True masks as seeds: whatever is red stays labelled red."""
    make_devkit(tmp_path, weak=1, size=(60, 90))
    (source, ) = load(STEP_1.format('vgg16')).train_dataloader.dataset.datasets
    source = dict(source, data_root=str(tmp_path),
                  ann_file='ImageSets/Segmentation/weak.txt', pseudo_mask='SegmentationClass')
    init_default_scope('mmseg')
    dataset = DATASETS.build(source)
    corners = set()
    np.random.seed(0)
    for _ in range(12):
        packed = dataset[0]
        image = packed['inputs'].flip(0).permute(1, 2, 0).float()
        labels = packed['data_samples'].gt_sem_seg.data[0]
        assert image.shape[:2] == labels.shape == (321, 321)
        is_red = (image - torch.tensor(COLOURS[1])).abs().amax(2) < 60
        assert ((labels == 1) == is_red).float().mean() > 0.97
        assert set(labels.unique().tolist()) == {0, 1}
        corners.add(int(labels.any(0).long().argmax()))
    assert len(corners) == 2  # mirrored or not


def test_retraining_starts_from_the_whole_network_of_step_1(tmp_path):
    """Its head, too, which is inside a `DSRGHead` there."""
    step_1, retrain = (load(name.format('vgg16')) for name in (STEP_1, RETRAIN))
    init_default_scope('mmseg')
    small = dict(hidden_channels=4)
    step_1.model.decode_head.head.update(small)
    trained = MODELS.build(step_1.model)
    for parameter in trained.decode_head.parameters():
        torch.nn.init.normal_(parameter)
    file = str(tmp_path / 'iter_8000.pth')
    torch.save(dict(state_dict=trained.state_dict(), meta={}), file)
    retrain.model.decode_head.update(small)
    retrain.model.init_cfg.checkpoint = retrain.model.init_cfg.override.checkpoint = file
    model = MODELS.build(retrain.model)
    model.init_weights()
    expected = {key.replace('decode_head.head.', 'decode_head.'): value
                for key, value in trained.state_dict().items()}
    assert model.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize('network', NETWORKS)
def test_retraining_looks_for_the_last_checkpoint_of_its_step_1(network):
    init_cfg = load(RETRAIN.format(network)).model.init_cfg
    last = load(STEP_1.format(network)).train_cfg.max_iters
    assert init_cfg.checkpoint == init_cfg.override.checkpoint == (
        f'work_dirs/dsrg_{network}_voc/iter_{last}.pth')
