"""Weights of a file, made with timm alone."""
import pytest
import torch
from mmseg.utils import register_all_modules

from mmseg_wss.errors import ConfigError
from mmseg_wss.registry import MODELS

timm = pytest.importorskip('timm', reason='timm builds the networks')
NAME = 'vit_tiny_patch16_dinov3_qkvb'


def backbone(file, in_channels=3, name=NAME):
    register_all_modules()
    return MODELS.build(dict(
        type='TIMMBackbone', model_name=name, pretrained=False, in_channels=in_channels,
        dynamic_img_size=True, out_indices=(5, 11),
        init_cfg=dict(type='mmseg_wss.TimmInit', file=file and str(file))))


@pytest.fixture(scope='module')
def truth(tmp_path_factory):
    """A model of timm with random weights, and the file of its weights."""
    torch.manual_seed(0)
    model = timm.create_model(NAME, num_classes=0).eval()
    file = tmp_path_factory.mktemp('weights') / 'model.pth'
    torch.save(model.state_dict(), file)
    return model, file


def test_the_backbone_computes_what_timms_model_does(truth):
    model, file = truth
    ours = backbone(file)
    ours.init_weights()
    image = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        maps = ours.eval()(image)
        expected = model.forward_intermediates(image, indices=[5, 11], intermediates_only=True)
    assert [tuple(x.shape) for x in maps] == [(1, 192, 4, 6)] * 2
    for one, other in zip(maps, expected):
        assert torch.equal(one, other)


def test_further_channels_start_as_zero(truth):
    model, file = truth
    ours = backbone(file, in_channels=5)
    ours.init_weights()
    weight = ours.timm_model.model.patch_embed.proj.weight
    assert torch.equal(weight[:, :3], model.patch_embed.proj.weight)
    assert not weight[:, 3:].any()


def test_a_file_that_is_missing_or_of_another_model(truth, tmp_path):
    with pytest.raises(ConfigError, match='none.pth .FileNotFoundError.* copy the file'):
        backbone(tmp_path / 'none.pth').init_weights()
    torch.save({'a': torch.zeros(1)}, tmp_path / 'a.pth')
    with pytest.raises(ConfigError, match='a.pth'):
        backbone(tmp_path / 'a.pth').init_weights()


def test_what_is_no_transformer_is_refused(tmp_path):
    register_all_modules()
    model = MODELS.build(dict(
        type='TIMMBackbone', model_name='resnet18', pretrained=False,
        init_cfg=dict(type='mmseg_wss.TimmInit')))
    with pytest.raises(ConfigError, match='TimmInit is for transformers .* FeatureListNet'):
        model.init_weights()
