"""Weights of the network pass; those of another one are refused, with what fits and the remedy."""
import pytest
import torch
from head_bench import FEATURE_HEADS
from mmengine.runner.checkpoint import load_state_dict
from torch import nn

from mmseg_wss.errors import DataError
from mmseg_wss.models.backbones import widen_on_load
from mmseg_wss.models.checkpoint_fit import check_checkpoint, weight_faults
from mmseg_wss.registry import MODELS

FCN = dict(FEATURE_HEADS['fcn'], num_classes=3,
           loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))
HEADS = dict(
    bare=FCN, wrapped=dict(type='mmseg_wss.EMHead', head=FCN),
    two=dict(type='mmseg_wss.MixedDualHead', num_classes=3, feature_head=FCN),
    strong=dict(type='mmseg_wss.MixedDualHead', num_classes=3, feature_head=FCN, weak_branch=False),
    weak=dict(type='mmseg_wss.MixedDualHead', num_classes=3, feature_head=FCN,
              predict_branch='weak'),
    five=dict(FCN, num_classes=5))


def network(head, backbone=()):
    return nn.ModuleDict(dict(
        backbone=nn.Sequential(nn.Conv2d(5, 4, 3), nn.BatchNorm2d(4), *backbone),
        decode_head=MODELS.build(HEADS[head])))


def checkpoint(model, **meta):
    return dict(state_dict=model.state_dict(), meta=meta, message_hub={})


@pytest.fixture
def model():
    return nn.ModuleDict(dict(backbone=nn.Sequential(nn.Conv2d(5, 8, 3), nn.BatchNorm2d(8)),
                              head=nn.Conv2d(8, 2, 1)))


def weights(model, leave_out=(), **further):
    return {**{key: value for key, value in model.state_dict().items() if key not in leave_out},
            **{key.replace('__', '.'): torch.zeros(shape) for key, shape in further.items()}}


def test_weights_of_the_network(model):
    assert weight_faults(model.state_dict(), model) == []
    assert weight_faults(weights(model, ['backbone.1.num_batches_tracked']), model) == []
    assert weight_faults(weights(model, auxiliary_head__weight=(2, 3)), model) == []


def test_weights_of_others(model):
    assert weight_faults(weights(model, ['head.bias', 'head.weight']), model) == [
        '2 missing: head.bias, head.weight']
    assert weight_faults(weights(model, backbone__2__weight=(1,)), model) == [  # a deeper one
        '1 of no layer of the network: backbone.2.weight']
    assert [line.split()[1] for line in weight_faults({'backbone.9': torch.zeros(1)}, model)] == [
        'missing:', 'of']


def test_an_rgb_network_is_no_network_of_priors(model):
    """Its filters can be widened, so loading it strictly raises nothing."""
    widen_on_load(model.backbone)
    rgb = weights(model, backbone__0__weight=(8, 3, 3, 3))
    load_state_dict(model, rgb, strict=True)
    assert weight_faults(rgb, model) == [
        '1 of another shape: backbone.0.weight (8, 3, 3, 3) instead of (8, 5, 3, 3)']


@pytest.mark.parametrize('of, into', [
    ('bare', 'bare'), ('bare', 'wrapped'), ('two', 'two'), ('strong', 'two'), ('two', 'strong'),
    ('two', 'weak')])
def test_a_network_predicts_with_what_its_prediction_needs(of, into):
    check_checkpoint(checkpoint(network(of)), network(into), 'a.pth', 'predict')


@pytest.mark.parametrize('of, into, fault', [
    ('bare', 'two', 'missing'), ('two', 'bare', 'missing'), ('five', 'bare', 'of another shape'),
    ('strong', 'weak', 'missing: decode_head.weak_branch'), ('wrapped', 'bare', 'missing')])
def test_another_head_is_refused_for_predictions_and_for_resuming(of, into, fault):
    for purpose in 'predict', 'resume':
        with pytest.raises(DataError, match=rf'a.pth: .* not of the network .*{fault}'):
            check_checkpoint(checkpoint(network(of)), network(into), 'a.pth', purpose)
    check_checkpoint(checkpoint(network(of)), network(into), 'a.pth', 'start')


def test_the_message_says_what_fits_and_where_the_checkpoint_is_from():
    other = network('five')
    other['backbone'] = nn.Conv2d(7, 9, 3)
    found = checkpoint(other, experiment_name='seg_net_20260102_030405',
                       dataset_meta=dict(classes=tuple('abcde')))
    with pytest.raises(DataError) as error:
        check_checkpoint(found, network('bare'), 'a.pth', 'predict')
    message = str(error.value)
    assert "It is of the training 'seg_net' for 5 classes." in message
    # the FCN's one convolution has a weight and a bias; its classifier has other shapes
    assert '0 of the 6 of backbone, 2 of the 4 of decode_head' in message
    assert message.endswith('with the same --cfg-options.')


def test_a_training_may_start_from_any_network_with_a_weight_of_the_backbone():
    bare = network('bare')
    check_checkpoint(checkpoint(network('two', [nn.Conv2d(4, 4, 1)])), bare, 'a.pth', 'start')
    alone = {key.removeprefix('backbone.'): value for key, value in bare.state_dict().items()}
    with pytest.raises(DataError, match='none of the backbone fits.*model.backbone.init_cfg'):
        check_checkpoint(alone, bare, 'a.pth', 'start')


def test_two_branches_start_from_the_features_of_a_head_alone():
    bare, two = network('bare'), network('two')
    branch = two['decode_head'].strong_branch.conv_seg.weight.clone()
    check_checkpoint(checkpoint(bare), two, 'a.pth', 'start')
    load_state_dict(two, bare.state_dict())
    for name, weight in bare['decode_head'].state_dict().items():
        if not name.startswith('conv_seg.'):
            assert torch.equal(two['decode_head'].feature_head.state_dict()[name], weight), name
    assert torch.equal(two['decode_head'].strong_branch.conv_seg.weight, branch)
    again = network('two')
    load_state_dict(again, two.state_dict(), strict=True)
    assert all(torch.equal(one, other) for one, other in zip(
        again.state_dict().values(), two.state_dict().values()))


@pytest.mark.parametrize('weights', [{}, {1: torch.ones(1)}, {'backbone.weight': 'none'}])
@pytest.mark.parametrize('purpose', ['predict', 'resume', 'start'])
def test_a_file_without_named_tensors_is_refused(weights, purpose):
    with pytest.raises(DataError, match='a.pth: .* not of the network'):
        check_checkpoint(dict(state_dict=weights), network('bare'), 'a.pth', purpose)


def test_weights_alone_cannot_be_resumed():
    found = dict(state_dict=network('bare').state_dict(), meta=dict(iter=3, epoch=0))
    with pytest.raises(DataError, match='weights alone.*load_from=CHECKPOINT without --resume'):
        check_checkpoint(found, network('bare'), 'a.pth', 'resume')
