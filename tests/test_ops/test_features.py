"""What the filters compare: places and colours."""
import pytest
import torch

from mmseg_wss.ops import bilateral_filter, dense_crf, features
from mmseg_wss.ops.features import bilateral_features, position_features


def make_images():
    return torch.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5).float() * 2


def test_every_pixel_has_its_place_and_colour():
    images = make_images()
    found = bilateral_features(images, 10, 4).reshape(2, 5, 4, 5)
    assert found.dtype == torch.float32
    for n, y, x in ((0, 0, 0), (1, 3, 4), (0, 2, 1)):
        expected = torch.tensor([x / 4, y / 4, *images[n, :, y, x] / 10])
        assert torch.allclose(found[n, :, y, x], expected)
    places = position_features((4, 5), 4, 'cpu')
    assert torch.equal(places, found[:1, :2].flatten(2))


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int64, torch.float16, torch.bfloat16])
def test_images_of_any_type(dtype):
    images = (make_images() / 2).to(dtype)
    expected = bilateral_features(images.float(), 10, 4)
    assert torch.equal(bilateral_features(images, 10, 4), expected)
    assert bilateral_features(images, 10, 4, torch.float64).dtype == torch.float64


def test_both_libraries_make_the_same(monkeypatch):
    """On a GPU the arrays stay tensors."""
    images = make_images()
    expected = bilateral_features(images, 10, 4), position_features((4, 5), 3, 'cpu')
    monkeypatch.setattr(features, '_arrays', lambda *tensors: list(tensors))
    assert torch.allclose(bilateral_features(images, 10, 4), expected[0], rtol=1e-6)
    assert torch.allclose(position_features((4, 5), 3, 'cpu'), expected[1], rtol=1e-6)


@pytest.mark.parametrize('number', [0, 1, 2])
@pytest.mark.parametrize('shape', [(0, 5), (5, 0), (0, 0)])
@pytest.mark.parametrize('compute', [
    lambda values, images: bilateral_filter(values, images, 15, 20, backend='lattice'),
    lambda values, images: bilateral_filter(values, images, 15, 20, backend='exact'),
    lambda values, images: bilateral_filter(values, images, 15, 20),
    lambda values, images: dense_crf(values, images),
    lambda values, images: dense_crf(values, images, backend='pydensecrf'),
    lambda values, images: bilateral_features(images, 15, 20)])
def test_images_without_a_row_or_a_column_are_refused(compute, shape, number):
    """Such as a resize leaves of an image that is very thin."""
    with pytest.raises(ValueError, match=r'at least one row and one column; got \(N, 3, H, W\) = '
                       rf'\({number}, 3, {shape[0]}, {shape[1]}\)'):
        compute(torch.rand(number, 2, *shape), torch.zeros(number, 3, *shape))
