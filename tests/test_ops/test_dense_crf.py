"""The dense CRF against mean-field sums written out over all pairs of pixels."""
import sys

import pytest
import torch

from mmseg_wss.ops import dense_crf

OFF = dict(compat_gaussian=0, compat_bilateral=0)
SHAPE = 12, 14


@pytest.fixture
def library():
    return pytest.importorskip('pydensecrf', reason='the extra [crf] is not installed')


def make_probs(number=2, classes=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(number, classes, *SHAPE, generator=generator).mul(2).softmax(1)


def make_images(number=2):
    """Smooth colour ramps, in which a lattice filters with little error."""
    y, x = torch.meshgrid(*(torch.arange(n) for n in SHAPE), indexing='ij')
    image = torch.stack([128 + 2 * x, 100 + 3 * y, 60 + x + y]).float()
    return torch.stack([image + 5 * i for i in range(number)])


def exact_mean_field(probs, image, iterations, normalization, kernels):
    """(K, H, W) probabilities; kernels: (weight, sxy, srgb or None)."""
    y, x = torch.meshgrid(*(torch.arange(n).double() for n in SHAPE), indexing='ij')
    places = torch.stack([x, y], -1).reshape(-1, 2)
    colours = image.double().permute(1, 2, 0).reshape(-1, 3)
    messages = 0
    for weight, sxy, srgb in kernels:
        exponent = torch.cdist(places, places) ** 2 / sxy ** 2
        if srgb:
            exponent = exponent + torch.cdist(colours, colours) ** 2 / srgb ** 2
        kernel = (-exponent / 2).exp()
        mass = kernel.sum(1, keepdim=True)
        kernel = kernel / (mass if normalization == 'after' else (mass * mass.T).sqrt())
        messages = messages + weight * kernel
    unary = probs.double().reshape(len(probs), -1).log()
    marginals = unary.softmax(0)
    for _ in range(iterations):
        marginals = (unary + marginals @ messages.T).softmax(0)
    return marginals.reshape(probs.shape)


@pytest.mark.parametrize('normalization', ['symmetric', 'after'])
@pytest.mark.parametrize('weights', [(3, 0), (0, 4), (2, 3)])
def test_it_is_the_mean_field_of_its_formula(library, normalization, weights):
    probs, images = make_probs(), make_images()
    found = dense_crf(
        probs, images, iterations=3, sxy_gaussian=2, compat_gaussian=weights[0], sxy_bilateral=5,
        srgb=30, compat_bilateral=weights[1], normalization=normalization)
    for i in range(2):
        exact = exact_mean_field(
            probs[i], images[i], 3, normalization, [(weights[0], 2, None), (weights[1], 5, 30)])
        assert (found[i] - exact).abs().max() < 0.03
        assert (exact - probs[i]).abs().max() > 0.06  # so the kernels had a say


def test_each_normalization_is_its_own(library):
    """They differ most in the corners of the image, where a pixel has the fewest neighbours."""
    corners = ..., [0, 0, -1, -1], [0, -1, 0, -1]
    probs, images = make_probs(1), make_images(1)
    names = 'symmetric', 'after'
    exact = {name: exact_mean_field(probs[0], images[0], 1, name, [(6, 3, None)]) for name in names}
    for own, other in zip(names, reversed(names)):
        found = dense_crf(probs, images, iterations=1, compat_gaussian=6, compat_bilateral=0,
                          normalization=own)[0]
        errors = {name: (found - exact[name])[corners].abs().mean() for name in names}
        assert errors[own] < errors[other] / 2


def test_without_weights_or_iterations_it_returns_what_came(library):
    probs, images = make_probs(), make_images()
    assert torch.allclose(dense_crf(probs, images, **OFF), probs, atol=1e-6)
    assert torch.allclose(dense_crf(probs, images, iterations=0), probs, atol=1e-6)
    assert torch.allclose(dense_crf(3 * probs, images, **OFF), probs, atol=1e-6)


def test_probabilities_of_zero_stay_finite(library):
    probs = torch.zeros(1, 2, *SHAPE)
    probs[:, 0] = 1
    found = dense_crf(probs, make_images(1), **OFF)
    assert torch.allclose(found, probs, atol=1e-6)


def test_the_edge_of_the_picture_becomes_the_edge_of_the_classes(library):
    """Uncertain beside an edge, certain away from it: colours decide."""
    images = torch.full((1, 3, *SHAPE), 30.)
    images[..., 8:] = 200
    probs = torch.full((1, 2, *SHAPE), 0.5)
    probs[:, 0, :, :3], probs[:, 1, :, :3] = 0.9, 0.1
    probs[:, 0, :, 12:], probs[:, 1, :, 12:] = 0.1, 0.9
    labels = dense_crf(probs, images)[0].argmax(0)
    assert (labels[:, :8] == 0).all() and (labels[:, 8:] == 1).all()


def test_uniform_probabilities_stay_so_in_any_picture(library):
    probs = torch.full((1, 4, *SHAPE), 0.25)
    assert torch.allclose(dense_crf(probs, make_images(1)), probs, atol=1e-6)


def test_images_do_not_see_one_another_and_classes_have_no_order(library):
    probs, images = make_probs(), make_images()
    both = dense_crf(probs, images)
    assert torch.equal(both[1:], dense_crf(probs[1:], images[1:]))
    turned = dense_crf(probs.flip(1), images).flip(1)
    assert torch.allclose(both, turned, atol=1e-4)


def test_what_comes_out(library):
    probs, images = make_probs().double().requires_grad_(), make_images()
    before = images.clone()
    found = dense_crf(probs, images)
    assert found.dtype == torch.float64 and not found.requires_grad
    assert torch.allclose(found.sum(1), torch.ones(2, *SHAPE).double(), atol=1e-5)
    assert torch.equal(images, before)
    assert torch.equal(found, dense_crf(probs, images.to(torch.uint8)))
    assert dense_crf(probs[:0], images[:0]).shape == (0, 3, *SHAPE)


@pytest.mark.parametrize('probs, images, message', [
    ((3, 4, 5), (1, 3, 4, 5), r'probs must be \(N, K, H, W\)'),
    ((2, 3, 4, 5), (1, 3, 4, 5), r'images must be .* = \(2, 3, 4, 5\).*\(1, 3, 4, 5\)'),
    ((1, 3, 4, 5), (1, 3, 5, 4), r'images must be'),
    ((1, 3, 4, 5), (1, 4, 5, 3), r'images must be')])
def test_a_wrong_shape_is_refused(probs, images, message):
    with pytest.raises(ValueError, match=message):
        dense_crf(torch.ones(probs), torch.ones(images))


@pytest.mark.parametrize('option, named', [
    (dict(backend='cuda'), 'pydensecrf'), (dict(normalization='before'), 'symmetric, after')])
def test_an_unknown_option_is_refused_with_what_exists(option, named):
    with pytest.raises(ValueError, match=f'must be one of {named}; got'):
        dense_crf(make_probs(), make_images(), **option)


def test_a_missing_library_names_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pydensecrf', None)
    with pytest.raises(ImportError, match='pip install pydensecrf2'):
        dense_crf(make_probs(), make_images())
