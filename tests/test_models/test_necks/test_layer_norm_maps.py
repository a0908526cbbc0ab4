import pytest
import torch

from mmseg_wss.registry import MODELS


def maps(number):
    generator = torch.Generator().manual_seed(0)
    return [3 + 5 * torch.randn(2, 6, 4, 3, generator=generator) for _ in range(number)]


def test_each_pixel_has_mean_0_and_variance_1_over_its_channels():
    neck = MODELS.build(dict(type='mmseg_wss.LayerNormMaps', channels=6, num_maps=2))
    inputs = maps(2)
    outputs = neck(inputs)
    assert len(outputs) == 2
    for before, after in zip(inputs, outputs):
        truth = (before - before.mean(1, keepdim=True)) / before.std(1, correction=0, keepdim=True)
        torch.testing.assert_close(after, truth, atol=1e-5, rtol=1e-5)


def test_another_number_of_maps_is_named():
    neck = MODELS.build(dict(type='mmseg_wss.LayerNormMaps', channels=6, num_maps=4))
    with pytest.raises(ValueError, match='num_maps=4, but the backbone gives 2 maps'):
        neck(maps(2))
