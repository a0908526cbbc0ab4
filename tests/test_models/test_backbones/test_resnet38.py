"""ResNet38 against a functional network written from its table, and against the published names."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmseg_wss.models.backbones import ResNet38
from mmseg_wss.models.backbones.resnet38 import BottleneckUnit, PlainUnit

# stage: units, widths of a unit's convolutions in base channels, stride, dilations of the 3x3
# convolutions of the first unit and of the others
TABLE = {
    'b2': (3, (2, 2), 2, (1, 1), (1, 1)),
    'b3': (3, (4, 4), 2, (1, 1), (1, 1)),
    'b4': (6, (8, 8), 2, (1, 1), (1, 1)),
    'b5': (3, (8, 16), 1, (1, 2), (2, 2)),
    'b6': (1, (8, 16, 32), 1, (4, ), None),
    'b7': (1, (16, 32, 64), 1, (4, ), None),
}
STRIDES = (2, 4, 8, 8, 8, 8)


def units():
    """(stage, name, input width, widths, stride, dilations) of all units, in order."""
    width = 1
    for stage, (number, widths, stride, first, others) in TABLE.items():
        for k in range(number):
            yield (stage, f'{stage}_{k}' if k else stage, width, widths, 1 if k else stride,
                   others if k else first)
            width = widths[-1]


def make(base_channels=2, seed=0, **kwargs):
    """A narrow network whose norms are not identities."""
    torch.manual_seed(seed)
    model = ResNet38(base_channels=base_channels, **kwargs)
    model.init_weights()
    for name, tensor in model.state_dict().items():
        if 'bn' in name and tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5)
    return model


def image(height=33, width=50, seed=0, channels=3):
    return torch.randn(2, channels, height, width, generator=torch.Generator().manual_seed(seed))


# ---- what it computes

def norm_relu(state, name, x):
    mean, var, weight, bias = (state[f'{name}.{key}'].view(-1, 1, 1) for key in (
        'running_mean', 'running_var', 'weight', 'bias'))
    return ((x - mean) / (var + 1e-5).sqrt() * weight + bias).clamp(min=0)


def functional_unit(state, name, x, stride, dilations):
    """A pre-activation unit from its tensors; the unit is plain where it has two dilations."""
    def conv(suffix, x, stride=1, dilation=1):
        weight = state[f'{name}.conv_branch{suffix}.weight']
        return F.conv2d(x, weight, None, stride, (weight.shape[-1] // 2) * dilation, dilation)

    first = norm_relu(state, f'{name}.bn_branch2a', x)
    shortcut = conv('1', first, stride) if f'{name}.conv_branch1.weight' in state else x
    if len(dilations) == 2:
        y = conv('2a', first, stride, dilations[0])
        return shortcut + conv(
            '2b1', norm_relu(state, f'{name}.bn_branch2b1', y), 1, dilations[1])
    y = conv('2a', first)
    y = conv('2b1', norm_relu(state, f'{name}.bn_branch2b1', y), 1, dilations[0])
    return shortcut + conv('2b2', norm_relu(state, f'{name}.bn_branch2b2', y))


@pytest.mark.parametrize('unit, stride, dilations', [
    (PlainUnit(4, 4, 4), 1, (1, 1)), (PlainUnit(4, 3, 6, 2), 2, (1, 1)),
    (PlainUnit(4, 3, 6, 1, (1, 2)), 1, (1, 2)), (BottleneckUnit(4, 8, 4, 0.3), 1, (4, )),
    (BottleneckUnit(8, 8, 2, 0.5), 1, (2, ))], ids=['plain', 'stride', 'dilated', 'wider', 'same'])
def test_a_unit_is_the_functional_one(unit, stride, dilations):
    unit = unit.double().eval()
    for name, tensor in unit.state_dict().items():
        if tensor.is_floating_point():
            tensor.uniform_(0.1, 1) if name.endswith('_var') else tensor.normal_()
    x = torch.randn(2, unit.bn_branch2a.num_features, 9, 7, dtype=torch.float64)
    state = {f'unit.{name}': tensor for name, tensor in unit.state_dict().items()}
    kept = x.clone()
    torch.testing.assert_close(unit(x), functional_unit(state, 'unit', x, stride, dilations))
    assert torch.equal(x, kept)


@torch.no_grad()
def test_the_network_is_the_functional_one():
    model = make(out_indices=range(6)).double().eval()
    state = model.state_dict()
    x = image().double()
    outs = model(x)
    x = F.conv2d(x, state['conv1a.weight'], padding=1)
    truths = {}
    for stage, name, _, _, stride, dilations in units():
        # what a stage is followed by: the first norm of the next one
        if stage == name != 'b2':
            truths[stage] = norm_relu(state, f'{name}.bn_branch2a', x)
        x = functional_unit(state, name, x, stride, dilations)
    truths['end'] = norm_relu(state, 'bn7', x)
    assert len(outs) == len(truths) == 6
    for out, truth in zip(outs, truths.values()):
        torch.testing.assert_close(out, truth)
    assert truths['end'].std() > 0


@pytest.mark.parametrize('size', [(32, 48), (33, 50), (1, 7), (41, 41)], ids=str)
def test_shapes(size):
    with torch.no_grad():
        outs = make(1, out_indices=(0, 1, 2, 3, 4, 5))(image(*size))
    assert [tuple(out.shape) for out in outs] == [
        (2, widths[-1], *(-(-side // stride) for side in size))
        for (_, widths, *_), stride in zip(TABLE.values(), STRIDES)]


def test_outputs_are_chosen_by_out_indices():
    with torch.no_grad():
        every = make(1, out_indices=range(6)).eval()(image())
        for chosen in ((5, ), (1, ), (0, 4)):
            outs = make(1, out_indices=chosen).eval()(image())
            assert len(outs) == len(chosen)
            assert all(torch.equal(out, every[i]) for out, i in zip(outs, chosen))
        assert len(make(1).eval()(image())) == 1
        assert torch.equal(make(1).eval()(image())[0], every[5])


# ---- its size and names

def closed_form(base):
    """Parameters: 3x3 stem, k^2 C_in C_out per convolution, 2 C per norm in front of one."""
    total = 27 * base + 2 * 64 * base
    for _, _, width, widths, stride, dilations in units():
        channels = [base * c for c in (width, *widths)]
        kernels = (3, 3) if len(dilations) == 2 else (1, 3, 1)
        total += sum(k * k * a * b for k, a, b in zip(kernels, channels, channels[1:]))
        total += sum(2 * c for c in channels[:-1])
        if width != widths[-1] or stride != 1:
            total += channels[0] * channels[-1]
    return total


def test_number_of_parameters():
    """The count is a polynomial of degree 2 in the base width: three points fix it."""
    for base in (1, 2, 4):
        count = sum(parameter.numel() for parameter in ResNet38(base_channels=base).parameters())
        assert count == closed_form(base)
    assert round(closed_form(64) / 1e6, 1) == 105.1
    convolutions = [module for module in ResNet38(base_channels=1).modules()
                    if isinstance(module, nn.Conv2d)]
    assert len(convolutions) == 43


def published_names():
    """conv1a, bn7, and of unit k of stage s: b{s} or b{s}_{k}, a norm before every convolution."""
    norm = ('weight', 'bias', 'running_mean', 'running_var')
    names = ['conv1a.weight', *(f'bn7.{tensor}' for tensor in norm)]
    for stage, (number, widths, *_) in TABLE.items():
        names.append(f'{stage}.conv_branch1.weight')
        for unit in (stage, *(f'{stage}_{k}' for k in range(1, number))):
            for branch in ('branch2a', 'branch2b1', 'branch2b2')[:len(widths)]:
                names.append(f'{unit}.conv_{branch}.weight')
                names += [f'{unit}.bn_{branch}.{tensor}' for tensor in norm]
    return names


def test_names_are_the_published_ones():
    names = published_names()
    assert len(names) == len(set(names)) == 43 + 4 * 37
    assert set(names) == {name for name in ResNet38(base_channels=1).state_dict()
                          if not name.endswith('num_batches_tracked')}
    assert {'conv1a.weight', 'b2.conv_branch1.weight', 'b4_5.conv_branch2b1.weight',
            'b7.conv_branch2b2.weight', 'bn7.running_var'} <= set(names)


# ---- training

def step(model):
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    torch.manual_seed(0)
    model(image())[0].square().mean().backward()
    optimizer.step()
    return {name for name, tensor in model.state_dict().items()
            if not torch.equal(tensor, before[name])}


def test_training_changes_all_convolutions_and_no_norm():
    model = make()
    assert step(model) == {name for name in model.state_dict() if 'conv' in name}
    assert not any(module.training for module in model.modules()
                   if isinstance(module, nn.BatchNorm2d))


def test_norms_train_where_asked():
    model = make(norm_eval=False, frozen_norm=False)
    assert step(model) == set(model.state_dict())
    affine = make(frozen_norm=False)
    assert step(affine) == {name for name in affine.state_dict()
                            if name.endswith(('.weight', '.bias'))}


@pytest.mark.parametrize('frozen, names', [
    (0, ['conv1a']), (1, ['conv1a', 'b2', 'b2_1', 'b2_2']),
    (6, ['conv1a', *(name for _, name, *_ in units())])])
def test_frozen_stages(frozen, names):
    model = make(frozen_stages=frozen, frozen_norm=False).train()
    assert {name.split('.')[0] for name, parameter in model.named_parameters()
            if not parameter.requires_grad} == set(names)
    assert not any(getattr(model, name).training for name in names)
    if frozen < 6:
        assert model.b7.training


@pytest.mark.parametrize('stage, rate', [('b6', 0.3), ('b7', 0.5)])
def test_whole_channels_are_dropped_in_training_only(stage, rate):
    model = make(base_channels=16)
    unit = getattr(model, stage)
    for norm in (unit.bn_branch2b1, unit.bn_branch2b2):
        norm.weight.data.zero_()
        norm.bias.data.fill_(1.)  # nothing is zero but what is dropped
    seen = []
    for conv in (unit.conv_branch2b1, unit.conv_branch2b2):
        conv.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0] == 0))
    with torch.no_grad():
        model.eval()(image())
        assert not any(zeros.any() for zeros in seen)
        seen.clear()
        model.train()(image())
    assert len(seen) == 2
    for zeros in seen:
        dropped = zeros.flatten(2).all(2)
        assert torch.equal(dropped, zeros.flatten(2).any(2))
        assert abs(dropped.float().mean() - rate) < 0.1


def test_checkpointing_gives_the_same_gradients():
    gradients = []
    for with_cp in (False, True):
        model = make(with_cp=with_cp)
        step(model)
        gradients.append([p.grad for p in model.parameters() if p.requires_grad])
    for plain, checkpointed in zip(*gradients):
        torch.testing.assert_close(checkpointed, plain)


@pytest.mark.parametrize('option', [
    dict(out_indices=(6, )), dict(out_indices=()), dict(out_indices=(-1, )),
    dict(frozen_stages=7), dict(frozen_stages=-2)], ids=str)
def test_options_that_do_not_exist_are_refused(option):
    with pytest.raises(ValueError, match=next(iter(option))):
        ResNet38(base_channels=1, **option)
