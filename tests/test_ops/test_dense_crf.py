"""The dense CRF against mean-field sums written out over all pairs of pixels."""
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from mmseg_wss.ops import DenseCRF, dense_crf
from mmseg_wss.ops.mean_field import MeanField, mean_field
from mmseg_wss.ops.permutohedral.torch_lattice import TorchLattice

OFF = dict(compat_gaussian=0, compat_bilateral=0)
SHAPE = 12, 14


@pytest.fixture
def library():
    return pytest.importorskip('pydensecrf', reason='the extra [crf] is not installed')


@pytest.fixture(params=['torch', 'pydensecrf'])
def backend(request):
    if request.param == 'pydensecrf':
        request.getfixturevalue('library')
    return request.param


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
def test_it_is_the_mean_field_of_its_formula(backend, normalization, weights):
    probs, images = make_probs(), make_images()
    found = dense_crf(
        probs, images, iterations=3, sxy_gaussian=2, compat_gaussian=weights[0], sxy_bilateral=5,
        srgb=30, compat_bilateral=weights[1], backend=backend,
        normalization=normalization)
    for i in range(2):
        exact = exact_mean_field(
            probs[i], images[i], 3, normalization, [(weights[0], 2, None), (weights[1], 5, 30)])
        assert (found[i] - exact).abs().max() < 0.03
        assert (exact - probs[i]).abs().max() > 0.06  # so the kernels had a say


def test_each_normalization_is_its_own(backend):
    """They differ most in the corners of the image, where a pixel has the fewest neighbours."""
    corners = ..., [0, 0, -1, -1], [0, -1, 0, -1]
    probs, images = make_probs(1), make_images(1)
    names = 'symmetric', 'after'
    exact = {name: exact_mean_field(probs[0], images[0], 1, name, [(6, 3, None)]) for name in names}
    for own, other in zip(names, reversed(names)):
        found = dense_crf(probs, images, iterations=1, compat_gaussian=6, compat_bilateral=0,
                          backend=backend, normalization=own)[0]
        errors = {name: (found - exact[name])[corners].abs().mean() for name in names}
        assert errors[own] < errors[other] / 2


def test_without_weights_or_iterations_it_returns_what_came(backend):
    probs, images = make_probs(), make_images()
    assert torch.allclose(dense_crf(probs, images, backend=backend, **OFF), probs, atol=1e-6)
    assert torch.allclose(dense_crf(probs, images, iterations=0, backend=backend), probs, atol=1e-6)
    assert torch.allclose(dense_crf(3 * probs, images, backend=backend, **OFF), probs, atol=1e-6)


def test_probabilities_of_zero_stay_finite(backend):
    probs = torch.zeros(1, 2, *SHAPE)
    probs[:, 0] = 1
    found = dense_crf(probs, make_images(1), backend=backend, **OFF)
    assert torch.allclose(found, probs, atol=1e-6)


def test_the_edge_of_the_picture_becomes_the_edge_of_the_classes(backend):
    """Uncertain beside an edge, certain away from it: colours decide."""
    images = torch.full((1, 3, *SHAPE), 30.)
    images[..., 8:] = 200
    probs = torch.full((1, 2, *SHAPE), 0.5)
    probs[:, 0, :, :3], probs[:, 1, :, :3] = 0.9, 0.1
    probs[:, 0, :, 12:], probs[:, 1, :, 12:] = 0.1, 0.9
    labels = dense_crf(probs, images, backend=backend)[0].argmax(0)
    assert (labels[:, :8] == 0).all() and (labels[:, 8:] == 1).all()


def test_images_do_not_see_one_another_and_classes_have_no_order(backend):
    probs, images = make_probs(), make_images()
    both = dense_crf(probs, images, backend=backend)
    assert torch.equal(both[1:], dense_crf(probs[1:], images[1:], backend=backend))
    turned = dense_crf(probs.flip(1), images, backend=backend).flip(1)
    assert torch.allclose(both, turned, atol=1e-4)


def test_what_comes_out(backend):
    probs, images = make_probs().double().requires_grad_(), make_images()
    before = images.clone()
    found = dense_crf(probs, images, backend=backend)
    assert found.dtype == torch.float64 and not found.requires_grad
    assert torch.allclose(found.sum(1), torch.ones(2, *SHAPE).double(), atol=1e-5)
    assert torch.equal(images, before)
    assert torch.equal(found, dense_crf(probs, images.to(torch.uint8), backend=backend))
    assert dense_crf(probs[:0], images[:0], backend=backend).shape == (0, 3, *SHAPE)


@pytest.mark.parametrize('probs, images, message', [
    ((3, 4, 5), (1, 3, 4, 5), r'probs must be floating point \(N, K, H, W\)'),
    ((2, 3, 4, 5), (1, 3, 4, 5), r'images must be .* = \(2, 3, 4, 5\).*\(1, 3, 4, 5\)'),
    ((1, 3, 4, 5), (1, 3, 5, 4), r'images must be'),
    ((1, 3, 4, 5), (1, 4, 5, 3), r'images must be')])
def test_a_wrong_shape_is_refused(probs, images, message):
    with pytest.raises(ValueError, match=message):
        dense_crf(torch.ones(probs), torch.ones(images))


@pytest.mark.parametrize('probs, images, message', [
    (make_probs(), 3 * make_images(), r'images must be RGB in 0\.\.255.* got'),
    (make_probs(), make_images() - 128, r'images must be RGB in 0\.\.255.* got values in -'),
    (make_probs(), make_images() * float('nan'), 'images must be RGB .* got values in nan'),
    (make_probs().log(), make_images(), 'probs must be .* not negative.*; got values in -'),
    (make_probs() * float('nan'), make_images(), 'probs must be finite.*; got values in nan'),
    (make_probs() / 0, make_images(), r'probs must be finite.*\.inf'),
    ((9 * make_probs()).long(), make_images(), 'probs must be floating point .* got torch.int64'),
])
def test_values_out_of_range_are_refused(backend, probs, images, message):
    with pytest.raises(ValueError, match=message):
        dense_crf(probs, images, backend=backend)


def test_resized_images_may_overshoot_a_little(backend):
    images = make_images()
    images[0, :, 0, 0], images[0, :, 0, 1] = -0.9, 255.9
    found = dense_crf(make_probs(), images, backend=backend)
    assert torch.equal(found, dense_crf(make_probs(), images.clamp(0, 255), backend=backend))


@pytest.mark.parametrize('option, error, message', [
    (dict(iterations=-1), ValueError, 'iterations must be at least 0; got -1'),
    (dict(iterations=2.5), TypeError, 'integer'),
    (dict(compat_bilateral=float('nan')), ValueError, 'must be finite; got 3 and nan'),
    (dict(compat_gaussian=float('inf')), ValueError, 'must be finite; got inf and 10')])
def test_options_that_make_no_sense_are_refused(backend, option, error, message):
    with pytest.raises(error, match=message):
        dense_crf(make_probs(), make_images(), backend=backend, **option)


@pytest.mark.parametrize('option, named', [
    (dict(backend='cuda'), 'torch, pydensecrf'),
    (dict(normalization='before'), 'symmetric, after')])
def test_an_unknown_option_is_refused_with_what_exists(option, named):
    with pytest.raises(ValueError, match=f'must be one of {named}; got'):
        dense_crf(make_probs(), make_images(), **option)


def test_a_missing_library_names_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pydensecrf', None)
    with pytest.raises(ImportError, match='pip install pydensecrf2'):
        dense_crf(make_probs(), make_images(), backend='pydensecrf')


@pytest.mark.parametrize('option', ['sxy_gaussian', 'sxy_bilateral', 'srgb'])
def test_a_standard_deviation_must_be_positive(backend, option):
    with pytest.raises(ValueError, match=f'{option} must be positive and finite; got 0'):
        dense_crf(make_probs(), make_images(), backend=backend, **{option: 0})


def test_one_object_for_several_probabilities(backend):
    images = make_images()
    crf = DenseCRF(images, sxy_bilateral=5, srgb=30, backend=backend)
    for seed, classes, iterations in ((0, 3, 5), (1, 2, 0), (0, 3, 5)):
        probs = make_probs(classes=classes, seed=seed)
        assert torch.equal(crf(probs, iterations), dense_crf(
            probs, images, iterations, sxy_bilateral=5, srgb=30, backend=backend))
    with pytest.raises(ValueError, match='to match probs'):
        crf(probs[:1])


@pytest.mark.parametrize('classes', [2, 3, 4, 5, 13, 21, 40])
def test_several_probabilities_of_an_image_do_not_see_one_another(backend, classes):
    images = make_images()
    crf = DenseCRF(images, sxy_bilateral=5, srgb=30, backend=backend)
    for sets in (1, 2, 3):
        probs = torch.stack([make_probs(classes=classes, seed=seed) for seed in range(sets)], 1)
        found = crf(probs, 4)
        assert found.shape == (2, sets, classes, *SHAPE)
        for s in range(sets):
            assert torch.allclose(found[:, s], crf(probs[:, s], 4), atol=1e-5)
    with pytest.raises(ValueError, match='to match probs'):
        crf(probs[..., 1:])


def smooth_probs(shape, classes, number=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(number, classes, 6, 8, generator=generator)
    return F.interpolate(logits, size=shape, mode='bicubic').softmax(1)


def assert_same_inference(probs, images, tolerance, **options):
    found, expected = (dense_crf(probs, images, backend=backend, **options)
                       for backend in ('torch', 'pydensecrf'))
    same = (found.argmax(1) == expected.argmax(1)).float().mean()
    assert same >= 0.995 and (found - expected).abs().mean() < tolerance
    assert (expected.argmax(1) != probs.argmax(1)).float().mean() > 0.05  # it changed something


@pytest.mark.parametrize('normalization', ['symmetric', 'after'])
@pytest.mark.parametrize('shape, classes', [((60, 80), 3), ((61, 83), 2), ((40, 52), 21)])
def test_both_backends_infer_the_same_from_a_made_up_picture(
        library, shape, classes, normalization):
    y, x = torch.meshgrid(*(torch.arange(n) for n in shape), indexing='ij')
    image = torch.stack([90 + x, 200 - 2 * y, 60 + x + y]).float()
    image[:, (y - 30) ** 2 + (x - 25) ** 2 < 300] += torch.tensor([60., -70, 40])[:, None]
    image += 5 * torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    assert_same_inference(smooth_probs(shape, classes), image.clamp(0, 255)[None], 1e-4,
                          normalization=normalization)


@pytest.mark.parametrize('options', [
    {}, dict(sxy_bilateral=37, srgb=3, compat_gaussian=15, compat_bilateral=45,
             normalization='after'),
    dict(sxy_bilateral=83, srgb=5, compat_bilateral=4), dict(compat_gaussian=0)])
def test_both_backends_infer_the_same_from_photographs(library, msrc, options):
    for seed, path in enumerate(sorted((msrc / 'JPEGImages').glob('*.jpg'))[::300]):
        image = torch.from_numpy(np.array(Image.open(path).convert('RGB')).transpose(2, 0, 1))
        probs = smooth_probs(image.shape[1:], 3, seed=seed)
        assert_same_inference(probs, image[None], 2e-4, **options)


def test_it_is_compiled_as_it_is_written():
    """The compiled inference of CPUs against the plain one, which GPUs get, on either lattice."""
    shape = 30, 40
    images = 255 * smooth_probs(shape, 3, 2)
    crf = MeanField(images, 3, 3, 20, 13, 10, 'symmetric')
    for sets, classes in ((1, 2), (3, 5), (2, 21), (1, 33)):
        unary = smooth_probs(shape, sets * classes, 2, 5).view(2, sets, classes, *shape).log()
        found = crf(unary, 4)
        plain = mean_field(unary.flatten(3), crf.lattices, 4).view_as(unary)
        assert (found - plain).abs().max() < 1e-5
        assert (plain - unary.exp()).abs().max() > 0.05
    lattices = {}

    def swap(features):
        lattices[features.shape[1]] = TorchLattice(features)
        return lattices[features.shape[1]]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('mmseg_wss.ops.mean_field.permutohedral_lattice', swap)
        other = MeanField(images, 3, 3, 20, 13, 10, 'symmetric')
    assert lattices.keys() == {2, 5}
    on_other = mean_field(unary.flatten(3), other.lattices, 4).view_as(unary)
    assert (found - on_other).abs().max() < 1e-5


@pytest.mark.parametrize('normalization', ['symmetric', 'after'])
def test_extreme_compatibilities_and_certain_pixels(normalization):
    """exp() of large sums neither overflows nor loses the classes that lose."""
    probs = torch.zeros(1, 3, *SHAPE)
    probs[:, 0, :, :7], probs[:, 1, :, 7:] = 1, 1
    found = dense_crf(probs, make_images(1), compat_gaussian=400, compat_bilateral=500,
                      normalization=normalization)
    assert found.isfinite().all() and torch.allclose(found.sum(1), torch.ones(1, *SHAPE))


def test_the_number_of_threads_does_not_change_a_bit():
    images = 255 * smooth_probs((150, 200), 3, 1, 1)
    probs, results = smooth_probs((150, 200), 4), []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append(dense_crf(probs, images, iterations=3))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(results[0], results[1]) and torch.equal(results[0], results[2])
