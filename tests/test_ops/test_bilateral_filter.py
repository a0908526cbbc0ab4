"""The bilateral filter against its formula, the released filter and its transpose."""
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmseg_wss.ops import BilateralFilter, bilateral_filter
from mmseg_wss.ops.exact_sums import CHUNK

REPO = Path(__file__).resolve().parents[2]
BACKENDS = pytest.mark.parametrize('backend', ['lattice', 'exact'])


def make_values(number=2, channels=3, shape=(9, 11), seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(number, channels, *shape, generator=generator, dtype=dtype)


def make_images(number=2, shape=(9, 11), seed=1):
    return make_values(number, 3, shape, seed) * 255


def make_photographs(number=1, shape=(60, 80)):
    """A few shaded regions with some noise."""
    y, x = torch.meshgrid(*(torch.arange(n) for n in shape), indexing='ij')
    image = torch.stack([90 + x, 200 - 2 * y, 60 + x + y / 2]).float()
    image[:, (y - 30) ** 2 + (x - 30) ** 2 < 300] += torch.tensor([60., -70, 40])[:, None]
    noise = torch.randn(number, 3, *shape, generator=torch.Generator().manual_seed(2))
    return (image + 4 * noise).clamp(0, 255)


@pytest.mark.parametrize('dtype, tolerance', [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_exact_is_the_double_sum(dtype, tolerance):
    values, images = make_values(dtype=dtype, shape=(3, 4)), make_images(shape=(3, 4))
    found = bilateral_filter(values, images, 90, 2.5, backend='exact')
    assert found.dtype == dtype
    places = [(y, x) for y in range(3) for x in range(4)]
    for n in range(2):
        colours = {place: [images[n, c][place].item() for c in range(3)] for place in places}
        for i in places:
            weights = [math.exp(-math.dist(i, j) ** 2 / (2 * 2.5 ** 2)
                                - math.dist(colours[i], colours[j]) ** 2 / (2 * 90 ** 2))
                       for j in places]
            for k in range(3):
                expected = math.fsum(w * values[n, k][j].item() for w, j in zip(weights, places))
                assert abs(found[n, k][i].item() - expected) < tolerance


def test_exact_in_chunks_is_exact():
    shape = 50, 60
    assert 3000 * 3000 > 2 * CHUNK
    values, images = make_values(1, 1, shape), make_images(1, shape)
    found = bilateral_filter(values, images, 80, 10, backend='exact')[0, 0]
    y, x = torch.meshgrid(*(torch.arange(n) for n in shape), indexing='ij')
    for i in ((0, 0), (20, 31), (49, 59)):
        distances = ((y - i[0]) ** 2 + (x - i[1]) ** 2) / 10 ** 2
        distances = distances + ((images[0] - images[0][:, i[0], i[1], None, None]) ** 2).sum(
            0) / 80 ** 2
        assert abs(found[i] - ((-distances / 2).exp() * values[0, 0]).sum()) < 1e-3


@pytest.mark.parametrize('sigmas', [(15, 25), (30, 10), (60, 50)])
def test_normalised_the_lattice_is_near_the_exact_sum(sigmas):
    images = make_photographs()
    values = F.interpolate(make_values(1, 4, (6, 8)), size=(60, 80), mode='bilinear')
    values = torch.cat([values, torch.ones(1, 1, 60, 80)], 1)
    found, exact = (bilateral_filter(values, images, *sigmas, backend=backend)[0]
                    for backend in ('lattice', 'exact'))
    assert 0.5 < (found[-1] / exact[-1]).median() < 1.2  # a scale of its own
    found, exact = found[:-1] / found[-1], exact[:-1] / exact[-1]
    assert (found - exact).norm() / exact.norm() < 0.05
    assert (values[0, :-1] - exact).norm() / exact.norm() > 0.1  # so it does filter


@pytest.mark.parametrize('name', ['a', 'b'])
def test_it_is_the_released_filter(name, oracles):
    oracle = np.load(oracles / f'dense_energy_{name}.npz', allow_pickle=False)
    scale = float(oracle['scale_factor'])
    images, roi = (F.interpolate(torch.from_numpy(oracle[key]).float().reshape(
        len(oracle[key]), -1, *oracle[key].shape[-2:]), scale_factor=scale)
        for key in ('images', 'roi'))
    probs = F.interpolate(torch.from_numpy(oracle['logits']), size=oracle['images'].shape[2:],
                          mode='bilinear', align_corners=False).softmax(1)
    values = F.interpolate(probs, scale_factor=scale, mode='bilinear', align_corners=False) * roi
    found = bilateral_filter(values, images, float(oracle['sigma_rgb']),
                             float(oracle['sigma_xy']) * scale)
    assert list(found.shape) == oracle['filtered_shape'].tolist()
    found, expected = found.flatten()[oracle['filtered_index']].numpy(), oracle['filtered_value']
    assert np.linalg.norm(found - expected) / np.linalg.norm(expected) < 1e-5
    assert np.abs(found - expected).max() < 1e-5 * expected.max()


@BACKENDS
def test_the_gradient_is_the_transposed_operator(backend):
    shape, n = (4, 5), 20
    bilateral = BilateralFilter(make_images(1, shape), 90, 3, backend)
    matrix = bilateral(torch.eye(n).reshape(1, n, *shape)).reshape(n, n)  # row j is F e_j
    values, weights = make_values(1, 1, shape).requires_grad_(), make_values(1, 1, shape, 5)
    gradient, = torch.autograd.grad((weights * bilateral(values)).sum(), values)
    assert torch.allclose(gradient.flatten(), matrix @ weights.flatten(), atol=1e-5)
    if backend == 'lattice':  # which is not the operator itself
        assert (matrix - matrix.T).abs().max() > 1e-4


@BACKENDS
def test_a_second_derivative(backend):
    """That of |F v|^2 along u is 2 F' F u."""
    bilateral = BilateralFilter(make_images(), 60, 4, backend)
    v, u = make_values(seed=3).requires_grad_(), make_values(seed=4)
    gradient, = torch.autograd.grad((bilateral(v) ** 2).sum(), v, create_graph=True)
    found, = torch.autograd.grad((gradient * u).sum(), v)
    w = torch.zeros_like(u).requires_grad_()
    expected, = torch.autograd.grad((bilateral(w) * 2 * bilateral(u)).sum(), w)
    assert torch.allclose(found, expected, rtol=1e-4)


@BACKENDS
def test_the_images_get_no_gradient(backend):
    images, values = make_images().requires_grad_(), make_values().requires_grad_()
    bilateral_filter(values, images, 60, 4, backend).sum().backward()
    assert images.grad is None and values.grad.abs().min() > 0


@BACKENDS
def test_one_filter_for_several_values_changes_neither(backend):
    images = make_images()
    bilateral = BilateralFilter(images, 60, 4, backend)
    for seed, channels in ((3, 2), (4, 5), (3, 2)):
        values = make_values(2, channels, seed=seed)
        before = values.clone(), images.clone()
        assert torch.equal(bilateral(values), bilateral_filter(values, images, 60, 4, backend))
        assert torch.equal(values, before[0]) and torch.equal(images, before[1])


@BACKENDS
@pytest.mark.parametrize('shape', [(1, 1), (1, 13), (13, 1), (9, 11)])
@pytest.mark.parametrize('number, channels', [(1, 1), (2, 2), (1, 81), (0, 3), (2, 0)])
def test_images_do_not_see_one_another(backend, shape, number, channels):
    values, images = make_values(number, channels, shape), make_images(number, shape)
    found = bilateral_filter(values, images, 60, 4, backend)
    assert found.shape == values.shape
    for n in range(number):
        alone = bilateral_filter(values[n:n + 1], images[n:n + 1], 60, 4, backend)
        assert torch.equal(found[n:n + 1], alone)


@BACKENDS
def test_memory_layout_and_integer_images(backend):
    values, images = make_values(), make_images().round()
    expected = bilateral_filter(values, images, 60, 4, backend)
    for layout in (values.to(memory_format=torch.channels_last),
                   values.transpose(2, 3).contiguous().transpose(2, 3)):
        assert torch.equal(bilateral_filter(layout, images, 60, 4, backend), expected)
    assert torch.equal(bilateral_filter(values, images.to(torch.uint8), 60, 4, backend), expected)


@BACKENDS
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(backend, dtype):
    values, images = make_values().to(dtype).requires_grad_(), make_images()
    found = bilateral_filter(values, images, 60, 4, backend)
    expected = bilateral_filter(values.detach().float(), images, 60, 4, backend)
    assert found.dtype == dtype
    if dtype == torch.float64:
        assert torch.allclose(found, expected.double(), rtol=1e-5)
    else:
        assert torch.equal(found, expected.to(dtype))
    found.sum().backward()
    assert values.grad.dtype == dtype


@BACKENDS
def test_autocast_does_not_change_the_sums(backend):
    values, images = make_values(), make_images()
    expected = bilateral_filter(values, images, 60, 4, backend)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(bilateral_filter(values, images, 60, 4, backend), expected)


@BACKENDS
@pytest.mark.parametrize('broken, message', [
    (dict(values=torch.rand(2, 3, 9)), r'values must be floating point \(N, K, H, W\)'),
    (dict(values=torch.ones(2, 3, 9, 11).long()), r'got torch.int64 of shape \(2, 3, 9, 11\)'),
    (dict(values=torch.rand(1, 3, 9, 11)), r'\(1, 3, 9, 11\) and \(2, 3, 9, 11\)'),
    (dict(values=torch.rand(2, 3, 11, 9)), 'must match images'),
    (dict(images=torch.rand(2, 1, 9, 11)), r'images must be \(N, 3, H, W\); got'),
    (dict(images=torch.rand(3, 9, 11)), r'images must be \(N, 3, H, W\); got'),
    (dict(images=torch.full((2, 3, 9, 11), 256.)), r'RGB in 0\.\.255, .*; got values in 256..256'),
    (dict(images=torch.full((2, 3, 9, 11), -1.)), r'got values in -1\.\.-1'),
    (dict(images=torch.full((2, 3, 9, 11), float('nan'))), 'got values in nan'),
    (dict(sigma_rgb=0), 'sigma_rgb must be positive and finite; got 0'),
    (dict(sigma_xy=-2.), r'sigma_xy must be positive and finite; got -2\.0'),
    (dict(sigma_xy=float('nan')), 'got nan')])
def test_what_makes_no_sense_is_refused(backend, broken, message):
    options = dict(values=make_values(), images=make_images(), sigma_rgb=60, sigma_xy=4)
    with pytest.raises(ValueError, match=message):
        bilateral_filter(**{**options, **broken}, backend=backend)


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValueError, match="one of auto, lattice, exact; got 'cuda'"):
        bilateral_filter(make_values(), make_images(), 60, 4, backend='cuda')


def test_large_images_with_small_sigmas_have_room():
    """Every pixel a colour of its own, 800 pixels wide: coordinates beyond 12 bits."""
    image = make_images(1, (4, 800))
    out = bilateral_filter(torch.ones(1, 1, 4, 800), image, 1, 1)
    assert out.isfinite().all() and out.min() > 0 and out.median() < 1
    with pytest.raises(ValueError, match='too small .* 62. Use larger sigmas'):
        bilateral_filter(torch.ones(1, 1, 4, 800), image, 0.05, 0.1)


def test_the_import_does_not_compile_anything():
    code = ('import sys, mmseg_wss.ops; '
            'assert not {"numba", "llvmlite", "pydensecrf"} & set(sys.modules)')
    subprocess.run([sys.executable, '-c', code], cwd=REPO, check=True)
