"""The energy is added to a head's own losses and to nothing else."""
import pytest
import torch
import torch.nn.functional as F
from head_bench import CLASSES, FEATURE_HEADS, make_features, make_samples
from mmengine.structures import PixelData

from mmseg_wss.registry import MODELS


def build(**options):
    torch.manual_seed(0)
    inner = dict(FEATURE_HEADS['fcn'], num_classes=CLASSES, dropout_ratio=0.,
                 loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))
    return MODELS.build(dict(type='mmseg_wss.DenseEnergyHead', head=inner, **options))


def make_batch():
    samples = make_samples(['scribble', 'scribble'], unlabelled=0.9)
    for sample in samples:
        sample.valid = PixelData(data=torch.ones(1, 16, 16, dtype=torch.bool))
    image = F.interpolate(torch.randint(256, (2, 3, 4, 4)).float(), size=16)
    return make_features(2), samples, image


def test_the_heads_own_losses_stay_and_the_energy_comes_with_them():
    head = build().train()
    features, samples, image = make_batch()
    losses = head.loss(features, samples, None, image=image)
    own = head.head.loss(features, samples, None)
    assert set(losses) == {*own, 'loss_energy'}
    torch.testing.assert_close(losses['loss_ce'], own['loss_ce'])


def test_the_energy_is_that_of_the_upsampled_probabilities():
    energy = dict(type='mmseg_wss.DenseEnergyLoss', scale_factor=1., loss_weight=1.)
    head = build(loss_energy=energy).eval()
    features, samples, image = make_batch()
    probs = F.interpolate(head(features), size=16, mode='bilinear').softmax(1)
    labels = torch.cat([sample.gt_sem_seg.data for sample in samples])
    expected = MODELS.build(energy)(image, probs, labels, torch.ones(2, 16, 16))
    torch.testing.assert_close(
        head.loss(features, samples, None, image=image)['loss_energy'], expected)
    assert expected != 0


def test_unlabelled_images_still_learn_from_the_energy():
    head = build(loss_energy=dict(type='mmseg_wss.DenseEnergyLoss', loss_weight=1.))
    features, samples, image = make_batch()
    for sample in samples:
        sample.gt_sem_seg.data.fill_(255)
    losses = head.loss(features, samples, None, image=image)
    assert losses['loss_ce'] == 0
    losses['loss_energy'].backward()
    assert head.head.conv_seg.weight.grad.abs().sum() > 0


@pytest.mark.parametrize('name', ['align_corners', 'num_classes', 'out_channels', 'threshold'])
def test_a_segmentor_finds_what_it_asks_a_head_for(name):
    head = build()
    assert getattr(head, name) == getattr(head.head, name)


def test_weights_of_the_bare_head_can_be_loaded():
    """With mmengine's loader, inside a network, to the last one."""
    from mmengine.runner.checkpoint import load_state_dict
    wrapped = torch.nn.ModuleDict(dict(decode_head=build()))
    bare = torch.nn.ModuleDict(dict(decode_head=build().head))
    with torch.no_grad():
        for parameter in bare.parameters():
            parameter.add_(1.)
    load_state_dict(wrapped, bare.state_dict(), strict=True)
    for name, value in bare['decode_head'].state_dict().items():
        assert torch.equal(wrapped['decode_head'].head.state_dict()[name], value)
    again = torch.nn.ModuleDict(dict(decode_head=build()))
    load_state_dict(again, wrapped.state_dict(), strict=True)
    features = make_features(2)
    torch.testing.assert_close(again['decode_head'].eval()(features),
                               bare['decode_head'].eval()(features))


def test_around_em_it_adds_the_energy_to_the_losses_of_em():
    options = dict(loss_energy=dict(type='mmseg_wss.DenseEnergyLoss', loss_weight=1.))
    features, samples, image = make_batch()
    samples[0].set_metainfo(dict(supervision='image', img_path='a.jpg'))
    del samples[0].gt_sem_seg
    for sample in samples:
        sample.gt_tags = torch.tensor([1, 1, 0])
    torch.manual_seed(0)
    em = dict(type='mmseg_wss.EMHead', e_step=dict(type='fixed'), head=dict(
        FEATURE_HEADS['fcn'], num_classes=CLASSES, dropout_ratio=0.,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)))
    head = MODELS.build(dict(type='mmseg_wss.DenseEnergyHead', head=em, **options))
    own = head.head.loss(features, samples, None)
    losses = head.loss(features, samples, None, image=image)
    assert set(losses) == {*own, 'loss_energy'}
    torch.testing.assert_close(losses['weak.loss_ce'], own['weak.loss_ce'])
    probs = F.interpolate(head(features), size=16, mode='bilinear').softmax(1)
    labels = torch.stack([torch.full((16, 16), 255), samples[1].gt_sem_seg.data[0]])
    torch.testing.assert_close(losses['loss_energy'], head.loss_energy(
        image, probs, labels, torch.ones(2, 16, 16)))


@pytest.mark.parametrize('with_em', [False, True])
def test_of_two_branches_it_is_the_energy_of_each_on_its_own_images(with_em):
    """What EM estimates does not count as a mask."""
    torch.manual_seed(0)
    branches = dict(type='mmseg_wss.MixedDualHead', num_classes=CLASSES, mix_ratio=None,
                    feature_head=dict(FEATURE_HEADS['fcn'], dropout_ratio=0.))
    em = dict(type='mmseg_wss.EMHead', head=branches, e_step='fixed')
    head = MODELS.build(dict(
        type='mmseg_wss.DenseEnergyHead', head=em if with_em else branches,
        loss_energy=dict(type='mmseg_wss.DenseEnergyLoss', formulation='paper',
                         loss_weight=1.))).eval()
    two = head.head.head if with_em else head.head
    features, samples, image = make_batch()
    samples[0].set_metainfo(dict(supervision='pixel'))
    samples[1].gt_tags = torch.tensor([1, 1, 0])
    found = head.loss(features, samples, None, image=image)
    if with_em:
        own = head.head.loss(features, samples, None)
        assert found.keys() - {'loss_energy'} == own.keys()
        torch.testing.assert_close({key: found[key] for key in own}, own)
    parts = []
    for number, branch in enumerate((two.strong_branch, two.weak_branch)):
        logits = branch(two.feature_head(features))[number:number + 1]
        parts.append(head.loss_energy(
            image[number:number + 1], F.interpolate(logits, size=16, mode='bilinear').softmax(1),
            samples[number].gt_sem_seg.data, torch.ones(1, 16, 16)))
    torch.testing.assert_close(found['loss_energy'], sum(parts) / 2)  # a mean over the pixels
