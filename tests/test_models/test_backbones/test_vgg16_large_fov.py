"""VGG16-LargeFOV against torchvision's VGG16, whose weights it takes."""
import pytest
import torch
import torch.nn.functional as F
from mmengine.runner.checkpoint import load_state_dict
from torch import nn

from mmseg_wss.models.backbones import VGG16LargeFOV
from mmseg_wss.registry import MODELS

vgg = pytest.importorskip('torchvision.models.vgg', reason='torchvision has the reference VGG16')


def image(height=24, width=41):
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope='module')
def torchvision_weights():
    """State of torchvision's VGG16, with a small classifier in place of its 120 M weights."""
    torch.manual_seed(0)
    network = nn.Module()
    network.features = vgg.make_layers(vgg.cfgs['D'])
    network.classifier = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2))
    return network.state_dict()


@pytest.fixture(scope='module')
def pretrained(torchvision_weights, tmp_path_factory):
    """Build a network that starts from these weights."""
    file = tmp_path_factory.mktemp('vgg') / 'vgg16.pth'
    torch.save(torchvision_weights, file)

    def build(**options):
        torch.manual_seed(1)
        model = MODELS.build(dict(type='mmseg_wss.VGG16LargeFOV', **options,
                                  init_cfg=dict(type='Pretrained', checkpoint=str(file))))
        model.init_weights()
        return model.eval()

    return build


BLOCKS = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))  # in torchvision's features


@torch.no_grad()
def test_weights_of_torchvision_land_in_the_right_convolutions(pretrained, torchvision_weights):
    outs = pretrained(out_indices=range(6))(image())
    x = image()
    for out, block, stride, dilation in zip(outs, BLOCKS, (2, 2, 2, 1, 1), (1, 1, 1, 1, 2)):
        for index in block:
            weight, bias = (torchvision_weights[f'features.{index}.{key}']
                            for key in ('weight', 'bias'))
            x = F.conv2d(x, weight, bias, padding=dilation, dilation=dilation).clamp(min=0)
        # a 3x3 maximum around every stride-th pixel
        x = F.pad(x, (1, 1, 1, 1)).unfold(2, 3, stride).unfold(3, 3, stride).amax((-1, -2))
        torch.testing.assert_close(out, x)
    assert len(outs) == 6


@torch.no_grad()
def test_fc6_and_fc7(pretrained):
    model = pretrained(out_indices=(4, 5), fc_channels=16)
    block5, out = model(image())
    averaged = F.pad(block5, (1, 1, 1, 1)).unfold(2, 3, 1).unfold(3, 3, 1).mean((-1, -2))
    fc6 = F.conv2d(averaged, model.fc6.weight, model.fc6.bias, padding=12, dilation=12)
    fc7 = F.conv2d(fc6.clamp(min=0), model.fc7.weight, model.fc7.bias)
    torch.testing.assert_close(out, fc7.clamp(min=0))
    assert model.fc6.weight.shape == (16, 512, 3, 3) and model.fc7.weight.shape == (16, 16, 1, 1)


@pytest.mark.parametrize('indices', [(4, ), (2, 4, 5)], ids=str)
@torch.no_grad()
def test_the_average_pool_behind_pool5_for_heads_with_their_own_fc6(pretrained, indices):
    """The network is the same, and fc6 does not average twice."""
    options = dict(out_indices=indices, fc_channels=16)
    plain, averaged = (pretrained(**options, average_pool5=pool)(image()) for pool in (False, True))
    place = indices.index(4)
    expected = F.pad(plain[place], (1, 1, 1, 1)).unfold(2, 3, 1).unfold(3, 3, 1).mean((-1, -2))
    torch.testing.assert_close(averaged[place], expected)
    others = [i for i in range(len(indices)) if i != place]
    assert len(averaged) == len(indices)
    assert all(torch.equal(plain[i], averaged[i]) for i in others)


@pytest.mark.parametrize('kernel, dilation, padding', [(4, 4, 6), (7, 1, 3), (2, 2, 1)], ids=str)
@torch.no_grad()
def test_fc6_of_another_field_of_view_keeps_the_size(kernel, dilation, padding):
    """4 with dilation 4 and padding 6: DeepLab's small field of view, 13 pixels wide."""
    model = VGG16LargeFOV(fc_channels=8, fc6_kernel_size=kernel, fc6_dilation=dilation,
                          out_indices=(4, 5), average_pool5=True).eval()
    pooled, out = model(image())
    fc6 = F.conv2d(pooled, model.fc6.weight, model.fc6.bias, padding=padding, dilation=dilation)
    fc7 = F.conv2d(fc6.clamp(min=0), model.fc7.weight, model.fc7.bias)
    torch.testing.assert_close(out, fc7.clamp(min=0))
    assert model.fc6.weight.shape[2:] == (kernel, kernel) and out.shape[2:] == pooled.shape[2:]


@pytest.fixture(scope='module')
def classifier():
    """Of VGG16, whose weights say where they are: filter, channel, row and column, mod 8191."""
    fc6 = (torch.arange(4096)[:, None] * 512 + torch.arange(512)) % 8191 * 49
    fc6 = fc6[..., None] + torch.arange(49)
    fc7 = (torch.arange(4096)[:, None] * 4096 + torch.arange(4096)) % 8191
    return {'classifier.0.weight': fc6.float().flatten(1), 'classifier.0.bias': torch.arange(4096.),
            'classifier.3.weight': fc7.float(), 'classifier.3.bias': torch.arange(4096.) / 2}


@pytest.mark.parametrize('load', [
    lambda model, state: model.load_state_dict(state),
    lambda model, state: load_state_dict(model, state, strict=True)], ids=['torch', 'mmengine'])
@pytest.mark.parametrize('channels, kernel, places', [
    (1024, 3, (0, 3, 6)), (2048, 4, (0, 2, 4, 6)), (1000, 7, range(7)), (4096, 1, (3, ))])
def test_fc6_and_fc7_are_parts_of_the_fully_connected_layers(
        classifier, channels, kernel, places, load):
    model = VGG16LargeFOV(fc_channels=channels, fc6_kernel_size=kernel, fc6_dilation=2)
    state = {**model.state_dict(), **classifier}
    for key in [key for key in state if key.startswith('fc')]:
        del state[key]
    load(model, state)  # strict: nothing is missing, nothing left over
    step = 4096 // channels
    for o, i in ((0, 0), (1, 7), (channels - 1, 511)):
        for y in range(kernel):
            for x in range(kernel):
                expected = (o * step * 512 + i) % 8191 * 49 + places[y] * 7 + places[x]
                assert model.fc6.weight[o, i, y, x] == expected
        j = min(i, channels - 1)
        assert model.fc7.weight[o, j, 0, 0] == (o * step * 4096 + j * step) % 8191
        assert model.fc6.bias[o] == o * step and model.fc7.bias[o] == o * step / 2


@pytest.mark.parametrize('options', [
    dict(decimate_fc=False), dict(fc_channels=4097), dict(fc6_kernel_size=8, fc6_dilation=2)])
def test_a_classifier_that_does_not_fit_is_left_over(classifier, options):
    model = VGG16LargeFOV(**dict(dict(fc_channels=4), **options))
    before = model.fc6.weight.clone()
    keys = model.load_state_dict(dict(classifier), strict=False)
    assert set(keys.unexpected_keys) == set(classifier)
    assert torch.equal(model.fc6.weight, before)


def test_fc6_and_fc7_start_fresh(pretrained):
    """Kaiming with the fan out of each: var = 2 / (16 kernel^2); biases are zero."""
    model = pretrained(fc_channels=16)
    for conv, kernel in ((model.fc6, 3), (model.fc7, 1)):
        assert abs(conv.weight.var().item() * 16 * kernel**2 / 2 - 1) < 0.3
        assert not conv.bias.any()


@pytest.mark.parametrize('size, out', [((321, 9), (41, 2)), ((328, 8), (41, 1)), ((7, 9), (1, 2))],
                         ids=str)
@torch.no_grad()
def test_output_stride_is_8(size, out):
    outs = VGG16LargeFOV(fc_channels=8).eval()(image(*size))
    assert [tuple(x.shape) for x in outs] == [(1, 8, *out)]


@torch.no_grad()
def test_a_pool_of_stride_1_keeps_what_the_strided_network_computes(pretrained):
    """Every second value of the dense conv5_3 is that of the network with stride 2 in pool 4."""
    values = {}
    for stride in (1, 2):
        model = pretrained(pool_strides=(2, 2, 2, stride, 1), out_indices=(4, ))
        model.features[28].register_forward_hook(
            lambda _, inputs, out, stride=stride: values.update({stride: out.clone()}))
        model(image(40, 57))
    assert values[1].shape[2:] == (5, 8)
    torch.testing.assert_close(values[1][..., ::2, ::2], values[2])


@pytest.mark.parametrize('strides, dilations, stride', [
    ((2, 2, 2, 1, 1), (1, 1, 1, 1, 2), 8), ((2, 2, 2, 2, 2), (1, 1, 1, 1, 1), 32),
    ((2, 2, 1, 1, 1), (1, 1, 1, 2, 4), 4)], ids=str)
def test_strides_and_dilations(strides, dilations, stride):
    model = VGG16LargeFOV(pool_strides=strides, out_indices=(4, )).eval()
    for block, dilation in zip(BLOCKS, dilations):
        assert {model.features[i].dilation for i in block} == {(dilation, dilation)}
    with torch.no_grad():
        assert model(image(32, 64))[0].shape[2:] == (32 // stride, 64 // stride)


def test_the_large_field_of_view_has_the_published_size():
    """VGG16's 14,714,688 weights, 3x3 from 512 to 1024, 1x1 from 1024 to 1024, with biases."""
    parameters = sum(parameter.numel() for parameter in VGG16LargeFOV().parameters())
    assert parameters == 14_714_688 + (9 * 512 * 1024 + 1024) + (1024 * 1024 + 1024)


def test_without_fc7_there_are_no_parameters_without_gradient():
    model = VGG16LargeFOV(out_indices=(4, ))
    model(image())[0].sum().backward()
    names = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert len(names) == 26 and all(gradient is not None for gradient in names.values())


def test_dropout_is_of_training_only():
    for ratio, same in ((0.5, False), (0., True)):
        model = VGG16LargeFOV(fc_channels=8, dropout_ratio=ratio)
        with torch.no_grad():
            assert torch.equal(model.train()(image())[0], model.eval()(image())[0]) is same


@pytest.mark.parametrize('option', [
    dict(pool_strides=(2, 2, 2, 1)), dict(pool_strides=(2, 2, 2, 1, 4)), dict(out_indices=(6, )),
    dict(out_indices=()), dict(average_pool5=True), dict(fc6_kernel_size=4, fc6_dilation=3)],
    ids=str)
def test_options_that_do_not_exist_are_refused(option):
    with pytest.raises(ValueError, match=next(iter(option))):
        VGG16LargeFOV(**option)
