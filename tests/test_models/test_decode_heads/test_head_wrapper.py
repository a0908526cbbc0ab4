"""Wrappers take the heads that give logits alone, and tell at once of those that do not."""
import pytest
import torch
import torch.nn.functional as F
from head_bench import (
    CLASSES,
    FEATURE_HEADS,
    SeveralMapsHead,
    backward,
    make_features,
    make_samples,
)

from mmseg_wss.registry import MODELS

WRAPPERS = dict(
    EMHead=dict(e_step=dict(type='mask')), DenseEnergyHead=dict(), DSRGHead=dict(),
    CrossJointHead=dict(groups=[[0, 2], [1]]))
ONE = dict(in_channels=4, channels=8)
FOUR = dict(in_channels=[4] * 4, in_index=[0, 1, 2, 3], channels=8)
REFUSED = dict(
    da=(dict(type='DAHead', pam_channels=4, **ONE), 'DAHead has further outputs'),
    enc=(dict(type='EncHead', num_codes=4, **FOUR), 'EncHead has further outputs'),
    pid=(dict(type='PIDHead', **ONE), 'PIDHead has further outputs'),
    ocr=(dict(type='OCRHead', ocr_channels=4, **ONE), 'OCRHead needs prev_output as well'))
TAKEN = dict(
    FEATURE_HEADS, psp=dict(type='PSPHead', pool_scales=(1, 2), **ONE),
    deeplab_v2=dict(type='mmseg_wss.DeepLabV2Head', in_channels=4, dilations=(1, 2)),
    segmenter=dict(type='SegmenterMaskTransformerHead', num_layers=1, num_heads=1, embed_dims=4,
                   **ONE))


def build(wrapper, head):
    torch.manual_seed(0)
    head = dict(head, num_classes=CLASSES,
                loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))
    return MODELS.build(dict(type=f'mmseg_wss.{wrapper}', head=head, **WRAPPERS[wrapper])).train()


def losses_of(head, kinds):
    samples, more = make_samples(kinds), {}
    if getattr(head, 'takes_image', False):
        more['image'] = F.interpolate(torch.rand(len(kinds), 3, 4, 4) * 255, size=16)
    for number, sample in zip([CLASSES, 2] * 2, samples):  # for CrossJointHead
        sample.set_metainfo(dict(classes='abc'[:number]))
        if number == 2:
            sample.gt_sem_seg.data[sample.gt_sem_seg.data == 2] = 0
    return head.loss(make_features(len(kinds)), samples, None, **more)


@pytest.mark.parametrize('wrapper', WRAPPERS)
@pytest.mark.parametrize('head', REFUSED)
def test_a_head_of_more_than_logits_is_refused_when_it_is_built(wrapper, head):
    config, fault = REFUSED[head]
    with pytest.raises(ValueError, match=f'{wrapper} expected .* but {fault}.*such as FCNHead'):
        build(wrapper, config)


@pytest.mark.parametrize('wrapper', ['EMHead', 'DenseEnergyHead', 'DSRGHead'])
@pytest.mark.parametrize('container', [tuple, list])
def test_a_foreign_head_of_several_maps_is_refused_in_training(wrapper, container):
    if wrapper == 'DSRGHead':
        pytest.importorskip('scipy')
    wrapped = build(wrapper, dict(FEATURE_HEADS['fcn'], type=SeveralMapsHead, container=container))
    fault = f'SeveralMapsHead gives a {container.__name__}.*such as FCNHead'
    with pytest.raises(ValueError, match=f'{wrapper} expected .* but {fault}'):
        losses_of(wrapped, ['pixel', 'box'] * 2)


@pytest.mark.parametrize('wrapper', WRAPPERS)
@pytest.mark.parametrize('head', TAKEN)
def test_other_heads_train(wrapper, head):
    if wrapper == 'DSRGHead':
        pytest.importorskip('scipy')
    wrapped = build(wrapper, TAKEN[head])
    gradients = backward(wrapped, losses_of(wrapped, ['pixel', 'box'] * 2))
    assert all(gradient is not None and gradient.isfinite().all()
               for gradient in gradients.values())
