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

from mmseg_wss.errors import ConfigError
from mmseg_wss.registry import MODELS

WRAPPERS = dict(
    EMHead=dict(e_step=dict(type='mask')), DenseEnergyHead=dict(), DSRGHead=dict(),
    CrossJointHead=dict(groups=[[0, 2], [1]]))
ONE = dict(in_channels=4, channels=8)
TWO_BRANCHES = dict(type='mmseg_wss.MixedDualHead', num_classes=CLASSES,
                    feature_head=dict(FEATURE_HEADS['fcn'], dropout_ratio=0.))
EM = dict(type='mmseg_wss.EMHead', head=dict(
    FEATURE_HEADS['fcn'], num_classes=CLASSES,
    loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)))
RRM = dict(type='mmseg_wss.RRMHead', num_classes=CLASSES, in_channels=4, channels=8, in_index=0)
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
    with pytest.raises(ValueError, match=f'{wrapper}: expected .* but {fault}.*such as FCNHead'):
        build(wrapper, config)


@pytest.mark.parametrize('wrapper', ['EMHead', 'DenseEnergyHead', 'DSRGHead'])
@pytest.mark.parametrize('container', [tuple, list])
def test_a_foreign_head_of_several_maps_is_refused_in_training(wrapper, container):
    if wrapper == 'DSRGHead':
        pytest.importorskip('scipy')
    wrapped = build(wrapper, dict(FEATURE_HEADS['fcn'], type=SeveralMapsHead, container=container))
    fault = f'SeveralMapsHead gives a {container.__name__}.*such as FCNHead'
    with pytest.raises(ValueError, match=f'{wrapper}: expected .* but {fault}'):
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


# ---- heads with a loss of their own

@pytest.mark.parametrize('wrapper, inner', [
    ('DSRGHead', TWO_BRANCHES), ('CrossJointHead', TWO_BRANCHES), ('DSRGHead', EM), ('EMHead', EM),
    ('EMHead', RRM), ('DenseEnergyHead', RRM), ('CrossJointHead', dict(EM, head=TWO_BRANCHES)),
    ('EMHead', dict(type='mmseg_wss.DenseEnergyHead', head=EM['head']))])
def test_a_loss_that_would_not_be_used_is_refused_when_it_is_built(wrapper, inner):
    with pytest.raises(ConfigError, match=f'Head has a loss of its own, which {wrapper} around it '
                                          'would not use. Use one of the two alone, or give'):
        MODELS.build(dict(type=f'mmseg_wss.{wrapper}', head=inner, **WRAPPERS[wrapper]))


@pytest.mark.parametrize('wrapper', ['DenseEnergyHead', 'EMHead'])
def test_around_a_two_branch_head_each_branch_learns_from_its_own_images(wrapper):
    """Labels of strong images reach the strong branch alone, labels of weak ones the weak one."""
    torch.manual_seed(0)
    head = MODELS.build(dict(type=f'mmseg_wss.{wrapper}', head=dict(TWO_BRANCHES, mix_ratio=None),
                             **WRAPPERS[wrapper])).eval()  # eval: no batch statistics
    image = dict(image=torch.rand(4, 3, 16, 16) * 255) if wrapper == 'DenseEnergyHead' else {}
    kinds = ['pixel', 'scribble'] * 2

    def gradients(changed=None):
        samples = make_samples(kinds)
        for sample in samples:
            if sample.supervision == changed:
                labelled = sample.gt_sem_seg.data != 255
                sample.gt_sem_seg.data[labelled] = (sample.gt_sem_seg.data[labelled] + 1) % CLASSES
        return backward(head, head.loss(make_features(4), samples, None, **image))

    before = gradients()
    assert all(gradient is not None for gradient in before.values())
    for changed, learns in ('pixel', 'strong'), ('scribble', 'weak'):
        after = gradients(changed)
        for branch in 'strong', 'weak':
            assert branch == learns or all(
                torch.equal(before[name], after[name]) for name in before
                if name.startswith(f'head.{branch}_branch'))
        assert not torch.equal(after[f'head.{learns}_branch.conv_seg.bias'],
                               before[f'head.{learns}_branch.conv_seg.bias'])


# ---- classes

@pytest.mark.parametrize('wrapper', ['EMHead', 'DenseEnergyHead', 'DSRGHead'])
def test_num_classes_of_a_wrapper_is_that_of_its_head(wrapper):
    head = build(wrapper, FEATURE_HEADS['fcn'])
    assert head.num_classes == CLASSES
    config = dict(type=f'mmseg_wss.{wrapper}', head=EM['head'], num_classes=7, **WRAPPERS[wrapper])
    assert MODELS.build(config).head.conv_seg.out_channels == 7


def test_num_classes_of_two_data_sets_is_refused():
    with pytest.raises(ConfigError, match='num_classes=5 .* set num_classes in its head'):
        MODELS.build(dict(type='mmseg_wss.CrossJointHead', num_classes=5, head=EM['head'],
                          groups=[[0, 2], [1]]))
