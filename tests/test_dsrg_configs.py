"""DSRG's configs against its released code; the classifier of its seeds against SEC's."""
import functools
import os.path as osp
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from devkit import COLOURS, make_devkit
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import (
    DATASETS,
    MODELS,
    PARAM_SCHEDULERS,
    init_default_scope,
)

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
NETWORKS = 'vgg16', 'r101'
STEP_1, RETRAIN = 'wss/dsrg_{}_voc', 'wss/dsrg_retrain_{}_voc'
CAM, MSRC, MSRC_TWO_STEP = ('wss/dsrg_cam_vgg16_voc', 'msrc/dsrg_efflite0_msrc',
                            'msrc/dsrg_two_step_efflite0_msrc')


def load(name):
    return Config.fromfile(CONFIGS / f'{name}.py')


@functools.lru_cache(maxsize=None)
def build(name):
    """A config's network, without weights: parameters of the 'meta' device take no memory."""
    cfg = load(name)
    init_default_scope(cfg.default_scope)
    with torch.device('meta'):
        return MODELS.build(cfg.model).eval()


def source_of(name):
    (source, ) = load(name).train_dataloader.dataset.datasets
    return source


def settings(name):
    """Of the built optimiser: name of a parameter -> its learning rate and weight decay."""
    optimizer = build_optim_wrapper(build(name), load(name).optim_wrapper).optimizer
    assert isinstance(optimizer, torch.optim.SGD) and optimizer.defaults['momentum'] == 0.9
    by_id = {id(p): (group['lr'], group['weight_decay'])
             for group in optimizer.param_groups for p in group['params']}
    return {key: by_id[id(p)] for key, p in build(name).named_parameters()}


def rates_by_step(name, steps):
    """The learning rate of weights of the backbone in some of the steps of a training."""
    cfg = load(name)
    optimizer = torch.optim.SGD(
        [torch.zeros(1, requires_grad=True)], lr=cfg.optim_wrapper.optimizer.lr)
    common = dict(end=cfg.train_cfg.max_iters, optimizer=optimizer)
    schedulers = [PARAM_SCHEDULERS.build(dict(common, **one)) for one in cfg.param_scheduler]
    rates = []
    for _ in range(cfg.train_cfg.max_iters):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return [rates[step] for step in steps]


def check_recipe(name, batch, steps):
    cfg = load(name)
    loader = cfg.train_dataloader
    assert (loader.batch_size == loader.sampler.batch_size == cfg.auto_scale_lr.base_batch_size
            == batch)
    assert cfg.train_cfg.type == 'IterBasedTrainLoop' and cfg.train_cfg.max_iters == steps
    assert not loader.sampler.by_epoch and not cfg.log_processor.by_epoch
    assert tuple(cfg.model.data_preprocessor.size) == (321, 321)


def transforms(name):
    return [transform.type.split('.')[-1] for transform in source_of(name).pipeline]


@pytest.mark.parametrize('network', NETWORKS)
def test_step_1_as_its_released_code(network):
    name = STEP_1.format(network)
    check_recipe(name, batch=20, steps=8000)
    # warped, whatever the shape, and mirrored; no other augmentation
    assert transforms(name) == ['LoadImageFromFile', 'LoadWeakLabels', 'Resize', 'RandomFlip',
                                'PackWeakSegInputs']
    warp = source_of(name).pipeline[2]
    assert tuple(warp.scale) == (321, 321) and not warp.keep_ratio
    head = build(name).decode_head
    assert (head.fg_threshold, head.bg_threshold, head.loss_weights) == (0.85, 0.99, (1., 1.))
    assert head.crf == dict(iterations=10, sxy_gaussian=3 / 12, compat_gaussian=3,
                            sxy_bilateral=80 / 12, srgb=13, compat_bilateral=10)


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
def test_retraining_as_its_released_code(network):
    name = RETRAIN.format(network)
    check_recipe(name, batch=10, steps=20000)
    assert transforms(name) == ['LoadImageFromFile', 'LoadWeakLabels', 'RandomCrop', 'RandomFlip',
                                'PackWeakSegInputs']
    assert tuple(source_of(name).pipeline[2].crop_size) == (321, 321)
    loss = build(name).decode_head.loss_decode
    assert type(loss).__name__ == 'CrossEntropyLoss' and loss.avg_non_ignore
    sizes = load(name).tta_pipeline[1].transforms[0]
    assert [(step.scale_factor, step.keep_ratio) for step in sizes] == [
        (0.75, True), (1., True), (1.25, True)]


def test_the_classifier_of_the_seeds_as_that_of_sec():
    check_recipe(CAM, batch=15, steps=8000)
    cfg = load(CAM)
    (phases, ) = [hook for hook in cfg.custom_hooks if hook.type.endswith('ClassifyFirstHook')]
    assert phases.share == 1
    assert cfg.val_evaluator == cfg.test_evaluator == [dict(type='mmpretrain.AveragePrecision')]
    model = build(CAM)
    assert model.backbone.fc6.dilation == model.backbone.fc7.kernel_size == (1, 1)
    assert model.decode_head.classifier.weight.shape == (20, 1024, 1, 1)


@pytest.mark.parametrize('name, expected', [
    (STEP_1, {0: 5e-4, 999: 5e-4, 1000: 5e-4 * 0.33, 2000: 5e-4 * 0.33**2, 7999: 5e-4 * 0.33**7}),
    (RETRAIN, {0: 1e-3, 10000: 1e-3 * 0.5**0.9, 19999: 0}),
    (CAM, {0: 1e-3, 1999: 1e-3, 2000: 1e-4, 7999: 1e-6})], ids=['step_1', 'retrain', 'cam'])
def test_learning_rates_by_step(name, expected):
    assert rates_by_step(name.format('vgg16'), expected) == pytest.approx(
        [*expected.values()], rel=1e-3, abs=2e-7)
    with_resnet = load(name.format('r101'))
    assert with_resnet.param_scheduler == load(name.format('vgg16')).param_scheduler


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
    head, paper = model.decode_head, build(STEP_1.format('vgg16')).decode_head
    assert (head.fg_threshold, head.bg_threshold) == (paper.fg_threshold, paper.bg_threshold)
    # sigmas of the image, in units of 8 of its pixels; all else as in the paper
    assert head.crf == dict(paper.crf, sxy_gaussian=3 / 8, sxy_bilateral=80 / 8)
    assert [conv.dilation[0] for conv in head.head.classifiers] == [
        round(d * 28 / 41) for d in (6, 12, 18, 24)]


@pytest.mark.parametrize('user, maker, kind, folder', [
    *((STEP_1.format(network), CAM, 'image', 'Seeds_dsrg') for network in NETWORKS),
    (RETRAIN.format('vgg16'), STEP_1.format('vgg16'), 'pseudo', 'PseudoMask_dsrg_vgg16'),
    (RETRAIN.format('r101'), STEP_1.format('r101'), 'pseudo', 'PseudoMask_dsrg_r101'),
    (MSRC, 'msrc/rrm_efflite0_msrc', 'image', 'Seeds_dsrg'),
    (MSRC_TWO_STEP, MSRC, 'pseudo', 'PseudoMask_dsrg_efflite0')], ids=str)
def test_seeds_and_masks_are_of_the_weak_images_of_the_config_that_makes_them(
        user, maker, kind, folder):
    """Else tools/generate_pseudo_masks.py MAKER could not make them."""
    source, made_of = source_of(user), source_of(maker)
    assert (source.supervision, source.pseudo_mask) == ('pseudo', folder)
    assert made_of.supervision == kind
    assert [(one.type, osp.join(one.data_root, one.ann_file)) for one in (source, made_of)] == [
        (source.type, osp.join(source.data_root, 'ImageSets/Segmentation/trainaug.txt'))] * 2


def test_seeds_go_with_the_image_when_it_is_warped_and_mirrored(tmp_path):
    """True masks as seeds: whatever is red stays labelled red."""
    make_devkit(tmp_path, weak=1, size=(60, 90))
    source = dict(source_of(STEP_1.format('vgg16')), data_root=str(tmp_path),
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
