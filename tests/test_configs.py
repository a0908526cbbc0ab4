"""The final form of every config: types that resolve in a fresh process, numbers that agree."""
import functools
import json
import os
import os.path as osp
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmseg.structures import SegDataSample

from mmseg_wss.engine.config_sources import leaf_datasets

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted(
    path.relative_to(ROOT / 'configs').as_posix() for path in (ROOT / 'configs').rglob('*.py')
    if not {'_base_', 'pipelines'} & set(path.parts) and not path.name.startswith('tmp_'))
NUM_CLASSES = dict(voc=21, coco=81, msrc=16, hard_shapes=6, shapes=5)  # the first that fits

# What a runner builds, without weights: parameters of the 'meta' device take no memory.
BUILD = """
import json, sys
import numpy as np
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import (DATA_SAMPLERS, DATASETS, HOOKS, LOOPS, METRICS, MODELS,
                               PARAM_SCHEDULERS, TRANSFORMS, VISUALIZERS,
                               WEIGHT_INITIALIZERS, init_default_scope)
assert not any(name.startswith('mmseg_wss') for name in sys.modules)


def resolved(registry, *types):
    with registry.switch_scope_and_registry(None) as node:
        for type_ in types:
            assert node.get(type_) is not None, type_


class Images(list):
    def class_table(self):
        return np.ones((len(self), 2), bool)


def leaves(dataset):
    inner = dataset.get('datasets')
    return [dataset] if inner is None else [leaf for part in inner for leaf in leaves(part)]


def build(cfg):
    init_default_scope(cfg.default_scope)
    cfg.model.pop('pretrained', None)
    init_cfg = cfg.model.backbone.pop('init_cfg', None)
    if init_cfg:
        resolved(WEIGHT_INITIALIZERS, init_cfg.type)
    divisor = (cfg.model.data_preprocessor.get('test_cfg') or {}).get('size_divisor', 64)
    side = -(-64 // divisor) * divisor
    with torch.device('meta'):
        model = MODELS.build(cfg.model).eval()
        images = torch.zeros(2, len(cfg.model.data_preprocessor.mean), side, side)
        backbone = json.dumps([cfg.model.backbone, cfg.model.get('neck'), side], sort_keys=True)
        if backbone not in features:  # the slow part, and the same in many configs
            features[backbone] = model.extract_feat(images)
        logits = model.decode_head(features[backbone])
        build_optim_wrapper(model, cfg.optim_wrapper)
    head = model.decode_head
    while hasattr(head, 'head'):
        head = head.head
    losses = head.loss_decode if isinstance(
        head.loss_decode, (list, torch.nn.ModuleList)) else [head.loss_decode]

    loaders = [cfg[f'{split}_dataloader'] for split in ('train', 'val', 'test')]
    for dataset in [*leaves(loaders[0].dataset), *(loader.dataset for loader in loaders[1:])]:
        resolved(DATASETS, dataset.type)
        for transform in dataset.pipeline:
            TRANSFORMS.build(transform)
    resolved(DATASETS, loaders[0].dataset.type)
    sources = torch.utils.data.ConcatDataset(
        [Images(range(999)) for _ in loaders[0].dataset.datasets])
    DATA_SAMPLERS.build(dict(loaders[0].sampler, dataset=sources))
    resolved(DATA_SAMPLERS, *(loader.sampler.type for loader in loaders))
    VISUALIZERS.build(cfg.visualizer)
    for hook in [*cfg.default_hooks.values(), *cfg.custom_hooks]:
        HOOKS.build(hook)
    resolved(LOOPS, cfg.train_cfg.type, cfg.val_cfg.type, cfg.test_cfg.type)
    for metrics in (cfg.val_evaluator, cfg.test_evaluator):
        resolved(METRICS, *(metric.type for metric in
                            (metrics if isinstance(metrics, list) else [metrics])))
    resolved(PARAM_SCHEDULERS, *(scheduler.type for scheduler in cfg.param_scheduler))
    if 'tta_pipeline' in cfg:
        resolved(MODELS, cfg.tta_model.type)
        for transform in cfg.tta_pipeline:
            TRANSFORMS.build(transform)
    return dict(logits=list(logits.shape),
                losses=[[type(loss).__name__, getattr(loss, 'avg_non_ignore', None)]
                        for loss in losses])


results, features = {}, {}
for path in sys.argv[2:]:
    try:
        results[path] = build(Config.fromfile(f'{sys.argv[1]}/{path}'))
    except Exception as error:
        results[path] = f'{type(error).__name__}: {error}'
print('RESULTS' + json.dumps(results))
"""


@pytest.fixture(scope='module')
def built():
    """Name of a config -> what it gave in a process that had imported nothing of ours."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get('PYTHONPATH')]))
    process = subprocess.run(
        [sys.executable, '-c', BUILD, ROOT / 'configs', *CONFIGS], text=True,
        capture_output=True, env=dict(os.environ, PYTHONPATH=paths, OMP_NUM_THREADS='1'))
    assert 'RESULTS' in process.stdout, process.stderr[-4000:]
    return json.loads(process.stdout.split('RESULTS')[1])


@pytest.fixture(params=CONFIGS)
def name(request):
    return request.param


@functools.cache
def load(name):
    return Config.fromfile(ROOT / 'configs' / name)


@pytest.fixture
def cfg(name):
    return load(name)


def crop_sizes(cfg):
    """Of each source; where images are warped instead, their size then."""
    return [tuple(transform.get('crop_size') or transform.scale)
            for source in leaf_datasets(cfg.train_dataloader.dataset)
            for transform in source.pipeline if transform.type.endswith('RandomCrop')
            or transform.type == 'Resize' and not transform.keep_ratio]


def test_all_configs_are_here():
    counts = Counter(name.split('/')[0] for name in CONFIGS)
    assert counts == dict(wss=57, msrc=33, quickstart=4)


def test_everything_resolves_and_fits_in_a_fresh_process(built, name):
    assert isinstance(built[name], dict), built[name]
    assert built[name]['logits'][:2] == [2, number_of_classes(name)]


def number_of_classes(name):
    return next(number for data, number in NUM_CLASSES.items() if data in Path(name).stem)


def test_crops_have_the_size_that_is_padded_to(cfg):
    sizes = crop_sizes(cfg)
    assert len(sizes) == len([*leaf_datasets(cfg.train_dataloader.dataset)])
    padded = cfg.model.data_preprocessor.get('size')
    assert len(set(sizes)) == 1
    if padded is not None:
        assert tuple(padded) == sizes[0]
    else:
        assert all(side % cfg.model.data_preprocessor.size_divisor == 0 for side in sizes[0])


QUICKSTART = [name for name in CONFIGS if name.startswith('quickstart')]


@pytest.fixture(scope='module', params=QUICKSTART)
def quickstart(request):
    """The name of a config, and its network."""
    init_default_scope('mmseg')
    cfg = Config.fromfile(ROOT / 'configs' / request.param)
    return request.param, MODELS.build(cfg.model).eval()


@pytest.mark.parametrize('size', [
    (128, 128), (16, 16), (1, 500), (500, 1), (1, 1), (8, 8), (15, 17), (40, 56), (37, 50),
    (127, 129), (136, 120), (33, 100)], ids=str)
def test_the_quick_start_predicts_images_of_any_size(quickstart, size):
    """The U-Net halves the image four times; prediction is of the size of the file."""
    image = torch.randint(0, 256, (3, *size), dtype=torch.uint8)
    sample = SegDataSample(metainfo=dict(ori_shape=size, img_shape=size))
    name, model = quickstart
    result, = model.test_step(dict(inputs=[image], data_samples=[sample]))
    assert result.pred_sem_seg.shape == size
    assert result.seg_logits.shape == size
    assert len(result.seg_logits.data) == number_of_classes(name)


def test_the_rare_shapes_are_trained_as_the_page_says():
    """The block of docs/own_data.md over the plain config is the other one."""
    page = (ROOT / 'docs/own_data.md').read_text()
    block = page.split("## A class stays at 0")[1].split('```python\n')[1].split('```')[0]
    name = 'quickstart/hard_shapes_rare.py'
    text = (ROOT / 'configs' / name).read_text()
    assert text.split("'./hard_shapes.py'")[1] == block.split("'my_config.py'")[1]
    rare, plain = (Config.fromfile(ROOT / 'configs' / path)
                   for path in (name, 'quickstart/hard_shapes.py'))
    for one, other in zip(leaf_datasets(rare.train_dataloader.dataset),
                          leaf_datasets(plain.train_dataloader.dataset)):
        assert [step.pop('object_prob', None) for step in one.pipeline].count(0.33) == 1
        assert one == other


def test_sampler_fits_the_loader(cfg):
    loader = cfg.train_dataloader
    assert loader.sampler.type == 'mmseg_wss.StrongWeakSampler'
    assert loader.sampler.batch_size == loader.batch_size
    assert len(loader.sampler.source_ratio) == len(loader.dataset.datasets)


def test_two_branch_heads_get_strong_and_weak_images_and_others_get_masks(cfg, name):
    kinds = [source.supervision for source in leaf_datasets(cfg.train_dataloader.dataset)]
    stem = Path(name).stem
    if kinds[0] != 'pixel':
        assert len(kinds) == 1
    for kind in ('scribble', 'point'):  # those of the others are in configs/papers.yml
        assert (kind in kinds) == stem.startswith(kind)
    head = cfg.model.decode_head
    has_branches = 'Dual' in head.type and head.get('weak_branch', True)
    assert has_branches == stem.startswith(
        ('dual', 'mixed_dual', 'ann_net', 'seg_net', 'hard'))
    if has_branches:
        assert len(kinds) > 1
        for source in [*leaf_datasets(cfg.train_dataloader.dataset)][1:]:
            assert source.supervision in ('box', 'pseudo') or source.masks.type == 'folder'
    elif 'full' in stem or 'strong' in stem:
        assert set(kinds) == {'pixel'}
    if 'box' in kinds:
        assert any(transform.type == 'mmseg_wss.PseudoMask'
                   for transform in [*leaf_datasets(cfg.train_dataloader.dataset)][-1].pipeline)


def test_training_and_evaluation_lists_differ(cfg):
    lists = [source.get('image_list') or source.ann_file
             for source in leaf_datasets(cfg.train_dataloader.dataset)]
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.ann_file not in lists
        assert loader.dataset.test_mode and loader.batch_size == 1
    assert len(set(lists)) == len(lists)


def test_epochs_or_iterations_everywhere(cfg):
    by_epoch = cfg.train_cfg.type == 'EpochBasedTrainLoop'
    assert by_epoch or cfg.train_cfg.type == 'IterBasedTrainLoop'
    assert cfg.train_dataloader.sampler.get('by_epoch', False) == by_epoch
    assert cfg.log_processor.by_epoch == by_epoch
    assert cfg.default_hooks.logger.log_metric_by_epoch == by_epoch
    assert cfg.default_hooks.checkpoint.by_epoch == by_epoch
    assert all(scheduler.by_epoch == by_epoch for scheduler in cfg.param_scheduler)


def test_schedules_end_with_the_training(cfg):
    """mmengine ends a schedule without an `end` with the training, however long that is."""
    last = cfg.param_scheduler[-1]
    length = cfg.train_cfg.get('max_epochs') or cfg.train_cfg.get('max_iters')
    assert last.get('end', length) == length and max(last.get('milestones', [0])) < length


def test_losses_count_labelled_pixels_alone(built, cfg, name):
    """Cross-entropy of mmseg averages over ignored pixels, too, unless it is told not to."""
    first, *others = built[name]['losses']
    assert first == ['CrossEntropyLoss', True] or (
        cfg.model.decode_head.type == 'mmseg_wss.RRMHead'
        and first[0] == 'FilteredCrossEntropyLoss')
    assert {loss for loss, _ in others} <= {'DiceLoss'}


def test_checkpoints_survive_a_kill_and_set_ups_are_checked(cfg):
    assert cfg.default_hooks.checkpoint.type == 'mmseg_wss.ResumableCheckpointHook'
    assert {hook.type for hook in cfg.custom_hooks} >= {
        'mmseg_wss.SetupCheckHook', 'mmseg_wss.NonFiniteLossHook'}


def test_annotation_networks_see_box_priors_and_others_do_not(cfg, name):
    sources = [*leaf_datasets(cfg.train_dataloader.dataset), cfg.val_dataloader.dataset]
    with_priors = 'ann_net' in name and 'no_priors' not in name
    channels = 5 if with_priors else 3
    assert len(cfg.model.data_preprocessor.mean) == channels
    assert cfg.model.backbone.get('in_channels', 3) == channels
    for source in sources:
        types = [transform.type for transform in source.pipeline]
        assert source.get('with_boxes', False) == with_priors
        assert ('mmseg_wss.BoxPriors' in types) == with_priors
    if with_priors:  # an empty place is far from every box, and background
        assert list(cfg.model.data_preprocessor.extra_pad_vals) == [255, 0]


@functools.cache
def weak_lists(prefixes):
    """Where the weak images of the configs that are named so are listed."""
    return {osp.join(source.data_root, source.ann_file)
            for name in CONFIGS if name.split('/')[1].startswith(prefixes)
            for source in leaf_datasets(load(name).train_dataloader.dataset)
            if source.supervision != 'pixel'}


# Folder of masks -> the beginnings of the names of the configs that they can be made with, and the
# method that these name for the records of the masks.
MAKERS = dict(
    PseudoMask_annnet=('ann_net', 'annnet'), PseudoMask_annnet_15=('ann_net_15', 'annnet'),
    PseudoMask_rrm_r38=('rrm_r38', 'rrm_r38'),
    PseudoMask_rrm_efflite0=('rrm_efflite0', 'rrm_efflite0'),
    Seeds_dsrg=(('dsrg_cam', 'rrm_efflite0'), None),
    PseudoMask_dsrg_vgg16=('dsrg_vgg16_voc', 'dsrg_vgg16'),
    PseudoMask_dsrg_efflite0=('dsrg_efflite0', 'dsrg_efflite0'),
    PseudoMask_dsrg_r101=('dsrg_r101', 'dsrg_r101'),
    PseudoMask81_dsrg_vgg16=('dsrg_vgg16_coco', 'dsrg_vgg16'),
    PseudoMask_bbox_seg=('bbox_rect', None))  # a tool's masks, without a network


def test_pseudo_masks_are_of_images_that_another_config_has_as_weak_ones(cfg):
    """Else tools/generate_pseudo_masks.py could not make them."""
    for source in leaf_datasets(cfg.train_dataloader.dataset):
        folder = source.get('pseudo_mask')
        if folder not in (None, 'PseudoMask_grabcut_region', 'SegmentationClassAug'):
            lists = weak_lists(MAKERS[folder][0])  # trainaug's images are train's and aug's
            lists |= {path.replace('/trainaug.txt', '/aug.txt') for path in lists}
            assert osp.join(source.data_root, source.ann_file) in lists


@pytest.mark.parametrize('folder', MAKERS)
def test_folders_have_the_name_of_the_method_that_fills_them(folder):
    beginning, method = MAKERS[folder]
    makers = [name for name in CONFIGS if name.split('/')[1].startswith(beginning)]
    assert makers
    if method is not None:
        assert method in folder
        assert {load(name).get('method') for name in makers
                if 'no_priors' not in name} == {method}


def test_networks_as_in_their_papers():
    """What configs/papers.yml does not state of them."""
    mixed, annotation, without_priors, dual, rrm = (load(f'wss/{name}.py') for name in (
        'mixed_dual_r50_voc', 'ann_net_hr48_voc', 'ann_net_hr48_voc_no_priors',
        'dual_branch_r101_voc', 'rrm_r38_voc_from_cls'))
    assert mixed.param_scheduler[0].convert_to_iter_based
    assert (mixed.model.backbone.depth, dual.model.backbone.depth) == (50, 101)
    assert mixed.model.decode_head.feature_head.type == 'DepthwiseSeparableASPPHead'
    assert annotation.model.pretrained.endswith('hrnetv2_w48')
    assert annotation.model.backbone.extra.stage4.num_channels == (48, 96, 192, 384)
    assert without_priors.model.decode_head == annotation.model.decode_head
    assert without_priors.optim_wrapper == annotation.optim_wrapper
    assert rrm.load_from and not rrm.model.backbone.init_cfg


def training_scales(cfg):
    """What the training resizes images to (None: relative to the file), and the range around it."""
    found = None, (1., 1.)
    for source in leaf_datasets(cfg.train_dataloader.dataset):
        for step in source.pipeline:
            if step.type.endswith(('RandomScale', 'RandomResize')):
                found = step.get('scale'), step.ratio_range
    return found


def test_images_are_tested_at_scales_that_the_training_has(cfg, name):
    """But for DSRG's retraining, whose release tests at 0.75 to 1.25; a warped image has no scale.

    Where a training gives all images one size, a test does too.
    """
    if 'tta_pipeline' not in cfg or 'dsrg_retrain' in name:
        return
    size, (low, high) = training_scales(cfg)
    views = [step.scale[0] / size[0] if size else step.scale_factor
             for steps in cfg.tta_pipeline[1].transforms for step in steps
             if step.type == 'Resize' and step.keep_ratio]
    assert all(low <= view <= high for view in views)
    assert [step.scale for step in cfg.test_dataloader.dataset.pipeline
            if step.type == 'Resize' and step.keep_ratio] == ([size] if size else [])


def test_the_baseline_is_segnet_as_it_predicts():
    """Mixed-dual-head, section 4.3: "exactly the same as the baseline model at inference time"."""
    init_default_scope('mmseg')
    shapes = []
    for name, options in (('single_head_r50_voc', {}), ('single_head_r50_voc_full', {}),
                          ('mixed_dual_r50_voc', dict(weak_branch=False))):
        model = load(f'wss/{name}.py').model.copy()
        model.decode_head.update(options)
        model.pop('pretrained')
        with torch.device('meta'):
            built = MODELS.build(model)
        shapes.append({key: value.shape for key, value in built.state_dict().items()})
    assert shapes[0] == shapes[1] == shapes[2]
    plain = MODELS.build(dict(model.decode_head.feature_head, norm_cfg=dict(type='BN')))
    head = sum(parameter.numel() for parameter in built.decode_head.parameters())
    assert head - sum(parameter.numel() for parameter in plain.parameters()) == 263168


@pytest.mark.parametrize('network', ['vgg16', 'r101'])
def test_the_single_branch_is_the_dual_branch_as_it_predicts(network):
    """So what table 4 compares is the weak branch alone."""
    init_default_scope('mmseg')
    shapes = []
    for name, options in ((f'single_branch_{network}_voc_strong', {}),
                          (f'dual_branch_{network}_voc', dict(weak_branch=False))):
        model = load(f'wss/{name}.py').model.copy()
        model.decode_head.update(options)
        with torch.device('meta'):
            built = MODELS.build(model)
        shapes.append({key: value.shape for key, value in built.state_dict().items()})
    assert shapes[0] == shapes[1]
