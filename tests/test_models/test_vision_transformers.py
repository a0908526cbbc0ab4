"""DINOv2 and DINOv3 with random weights: built from the configs, trained for a step."""
from pathlib import Path

import pytest
import torch
from head_bench import make_samples
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmseg_wss.registry import MODELS

pytest.importorskip('timm', reason='timm builds the networks')
CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
BASES = 'dinov2s_linear', 'dinov2s_dpt', 'dinov3s_dpt'
# DINOv2 as mmpretrain has it
MMPRETRAIN = dict(type='mmpretrain.VisionTransformer', arch='dinov2-s', img_size=518, patch_size=14,
                  layer_scale_init_value=1e-5, out_type='featmap', out_indices=(2, 5, 8, 11))


def build(base, backbone=None):
    """The model of a base config, with the dual-branch head around its own."""
    init_default_scope('mmseg')
    model = Config.fromfile(CONFIGS / f'_base_/models/{base}.py').model
    model.backbone.init_cfg = None
    model.backbone = backbone or model.backbone
    model.data_preprocessor.size = (112, 112)  # a multiple of 14 and of 16
    model.decode_head = dict(
        type='mmseg_wss.DualBranchHead', num_classes=16, channels=16, dilation=1,
        num_shared_convs=1, num_convs=1, norm_cfg=dict(type='BN'), feature_head=model.decode_head)
    torch.manual_seed(0)
    return MODELS.build(model)


def batch(kinds=('pixel', 'box'), size=(112, 112)):
    samples = make_samples(kinds)
    generator = torch.Generator().manual_seed(0)
    for sample in samples:
        labels = torch.randint(16, (1, *size), generator=generator)
        sample.set_data(dict(gt_sem_seg=PixelData(data=labels)))
        del sample.valid
    images = [torch.randint(256, (3, *size), dtype=torch.uint8, generator=generator)
              for _ in kinds]
    return dict(inputs=images, data_samples=samples)


@pytest.mark.parametrize('base', BASES)
def test_a_step_moves_every_parameter(base):
    """Each but those that are for an image classifier."""
    model = build(base)
    optim = build_optim_wrapper(model, dict(
        type='OptimWrapper', optimizer=dict(type='SGD', lr=1e-2)))
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    losses = model.train_step(batch(), optim)
    assert losses['loss'].isfinite()
    still = {name for name, value in model.named_parameters() if torch.equal(value, before[name])}
    assert not {name for name in still if value_has_gradient(model, name)}
    assert not any(name.startswith(('neck', 'decode_head')) for name in still)


def value_has_gradient(model, name):
    gradient = model.get_parameter(name).grad
    return gradient is not None and bool(gradient.any())


@pytest.mark.parametrize('base, size', [('dinov2s_linear', (50, 75)), ('dinov3s_dpt', (33, 64))])
def test_images_of_any_size_are_predicted(base, size):
    """They are padded to a multiple of the patch, and the prediction is cut back."""
    sample = SegDataSample(metainfo=dict(ori_shape=size, img_shape=size))
    image = torch.randint(256, (3, *size), dtype=torch.uint8)
    result, = build(base).eval().test_step(dict(inputs=[image], data_samples=[sample]))
    assert result.pred_sem_seg.shape == size


def test_mmpretrains_transformer_fits_the_same_head():
    pytest.importorskip('mmpretrain')
    model = build('dinov2s_dpt', backbone=MMPRETRAIN)
    losses = model(**model.data_preprocessor(batch(), True), mode='loss')
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    assert model.backbone.patch_embed.projection.weight.grad.any()


@pytest.mark.parametrize('keys, backbone', [({}, 5e-6), (dict(backbone=dict(lr_mult=0.)), 0.)])
def test_rates_of_the_config(keys, backbone):
    """UniMatch V2's; and a frozen backbone, as the comment of the config says."""
    init_default_scope('mmseg')
    cfg = Config.fromfile(CONFIGS / 'msrc/dual_branch_dinov2s_msrc.py')
    cfg.optim_wrapper.paramwise_cfg.custom_keys.update(keys)
    cfg.model.backbone.init_cfg = None
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    optim = build_optim_wrapper(model, cfg.optim_wrapper)
    rates = {}
    names = {parameter: name for name, parameter in model.named_parameters()}
    for group in optim.optimizer.param_groups:
        for parameter in group['params']:
            rates.setdefault(names[parameter].split('.')[0], set()).add(round(group['lr'], 9))
    assert rates == dict(backbone={backbone}, neck={2e-4}, decode_head={2e-4})
