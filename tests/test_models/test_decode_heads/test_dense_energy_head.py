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
