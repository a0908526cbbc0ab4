"""DeepLab's multi-scale predictions against the formula, and against the network without them."""
import pytest
import torch
import torch.nn.functional as F
from mmseg.utils import register_all_modules

from mmseg_wss.models.backbones import VGG16LargeFOV
from mmseg_wss.registry import MODELS

register_all_modules()
SMALL = dict(in_channels=(3, 4, 6), in_index=(0, 1, 2), early_strides=(4, 2), num_classes=5,
             early_channels=7)


def build(**options):
    torch.manual_seed(0)
    return MODELS.build(dict(type='mmseg_wss.DeepLabMScHead', **{**SMALL, **options})).eval()


def maps(height=22, width=37):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(2, channels, -(-height // stride), -(-width // stride),
                        generator=generator) for channels, stride in ((3, 1), (4, 2), (6, 4))]


@torch.no_grad()
def test_one_classifier_of_the_stacked_maps():
    """Chen et al., section 4.2: feature maps of the perceptrons are concatenated to the last."""
    head, (*early, last) = build(), maps()
    stacked = [last]
    for features, layers, stride in zip(early, head.perceptrons, (4, 2)):
        first, second = (layer for layer in layers if isinstance(layer, torch.nn.Conv2d))
        x = F.conv2d(features, first.weight, first.bias, stride, padding=1).clamp(min=0)
        stacked.append(F.conv2d(x, second.weight, second.bias).clamp(min=0))
    weight = torch.cat([head.conv_seg.weight, *(c.weight for c in head.early_classifiers)], 1)
    assert weight.shape == (5, 6 + 7 + 7, 1, 1)
    expected = F.conv2d(torch.cat(stacked, 1), weight, head.conv_seg.bias)
    torch.testing.assert_close(head([*early, last]), expected)


@torch.no_grad()
@pytest.mark.parametrize('size', [(321, 321), (40, 65), (33, 8)], ids=str)
def test_strides_of_vgg16_meet_for_images_of_any_size(size):
    backbone = VGG16LargeFOV(out_indices=(0, 1, 2, 3, 5), fc_channels=8, with_image=True).eval()
    image = torch.randn(1, 3, *size)
    head = build(in_channels=(3, 64, 128, 256, 512, 8), in_index=(0, 1, 2, 3, 4, 5),
                 early_strides=(8, 4, 2, 1, 1))
    features = backbone(image)
    assert features[0] is image
    assert head(features).shape == (1, 5, -(-size[0] // 8), -(-size[1] // 8))


def test_it_goes_on_from_a_network_without_early_maps():
    plain = MODELS.build(dict(type='FCNHead', in_channels=6, channels=6, num_convs=0, num_classes=5,
                              concat_input=False))
    missing, unexpected = build().load_state_dict(plain.state_dict(), strict=False)
    assert not unexpected
    assert {key.split('.')[0] for key in missing} == {'perceptrons', 'early_classifiers'}


def test_weights_at_the_start():
    head = build(in_channels=(3, 4, 256), early_channels=256)
    head.init_weights()
    for classifier in head.conv_seg, *head.early_classifiers:
        assert classifier.weight.std().item() == pytest.approx(0.01, rel=0.1)
    hidden = head.perceptrons[1][0].weight
    assert hidden.std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.1)


def test_strides_that_do_not_fit():
    with pytest.raises(ValueError, match='one of early_strides for each'):
        build(early_strides=(4, ))
    with pytest.raises(ValueError, match='but the last map has .* set early_strides'):
        build(early_strides=(4, 1))(maps())
