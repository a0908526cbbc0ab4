"""RRM's dense energy against sums over all pairs of pixels, and against the released code."""
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmseg_wss.models.losses import DenseEnergyLoss
from mmseg_wss.models.losses.dense_energy import downscale

SHAPE = 2, 3, 4, 5  # N, K, H, W
SIGMAS = dict(sigma_rgb=40., sigma_xy=2.)

each_formulation = pytest.mark.parametrize('formulation', ['released', 'paper'])


def build(formulation, scale_factor=1., loss_weight=1., backend='exact', **options):
    return DenseEnergyLoss(**{**SIGMAS, **options}, scale_factor=scale_factor, backend=backend,
                           formulation=formulation, loss_weight=loss_weight)


@pytest.fixture
def batch():
    """Images, probabilities, labels and valid; a third labelled, the last column padding."""
    generator = torch.Generator().manual_seed(0)
    number, classes, height, width = SHAPE
    images = torch.randint(256, (number, 3, height, width), generator=generator).double()
    logits = torch.randn(SHAPE, generator=generator, dtype=torch.double)
    labels = torch.randint(classes, (number, height, width), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) > 0.33] = 255
    valid = torch.ones(number, height, width)
    valid[:, :, -1] = 0
    return images, logits.softmax(1), labels, valid


def pairs(image, valid):
    """Every pair of valid pixels of an image, i = j included, and its kernel."""
    pixels = [(y, x) for y in range(SHAPE[2]) for x in range(SHAPE[3]) if valid[y, x]]
    for i in pixels:
        for j in pixels:
            colour = sum((image[c][i] - image[c][j]).item() ** 2 for c in range(3))
            place = (i[0] - j[0]) ** 2 + (i[1] - j[1]) ** 2
            yield i, j, math.exp(-place / 2 / SIGMAS['sigma_xy'] ** 2
                                 - colour / 2 / SIGMAS['sigma_rgb'] ** 2)


def gate(p, label, i):
    return 1 if label[i] == 255 else 1 - max(p[c][i].item() for c in range(SHAPE[1]))


def released_truth(images, probs, labels, valid):
    """Value and gradient of the released code."""
    value, gradient = 0., torch.zeros_like(probs)
    for n in range(SHAPE[0]):
        for i, j, kernel in pairs(images[n], valid[n]):
            for c in range(SHAPE[1]):
                p, weight = probs[n, c], gate(probs[n], labels[n], i) * kernel / SHAPE[0]
                value -= weight * p[i].item() * p[j].item()
                gradient[(n, c, *i)] -= 2 * weight * p[j].item()
    return value, gradient


def paper_truth(images, probs, labels, valid):
    """Equations 10 to 14, a row of the kernel divided by its sum (if that is 1 at least)."""
    value = 0.
    for n in range(SHAPE[0]):
        mass = {}
        for i, j, kernel in pairs(images[n], valid[n]):
            mass[i] = mass.get(i, 0.) + kernel * (i != j)
        for i, j, kernel in pairs(images[n], valid[n]):
            p_i, p_j = ([probs[n, c][k].item() for c in range(SHAPE[1])] for k in (i, j))
            energy = sum(a * b for ci, a in enumerate(p_i) for cj, b in enumerate(p_j) if ci != cj)
            value += gate(probs[n], labels[n], i) * kernel * (i != j) * energy / max(mass[i], 1)
    return value / valid.sum().item()


def gradient_of(loss, images, probs, labels, valid):
    probs = probs.clone().requires_grad_()
    loss(images, probs, labels, valid).backward()
    return probs.grad


def test_released_is_the_sum_over_all_pairs(batch):
    value, gradient = released_truth(*batch)
    loss = build('released')
    torch.testing.assert_close(loss(*batch).item(), value)
    torch.testing.assert_close(gradient_of(loss, *batch), gradient)


def test_paper_is_the_sum_over_all_pairs(batch):
    assert build('paper')(*batch).item() == pytest.approx(paper_truth(*batch), rel=1e-9)


def test_rows_with_much_mass_are_normalised(batch):
    """In the batch above few pixels have neighbours that weigh more than they do themselves."""
    images, probs, labels, valid = batch
    images = images / 8
    truth = paper_truth(images, probs, labels, valid)
    assert build('paper')(images, probs, labels, valid).item() == pytest.approx(truth, rel=1e-9)
    rows = {}
    for i, j, kernel in pairs(images[0], valid[0]):
        rows[i] = rows.get(i, 0.) + kernel * (i != j)
    assert min(rows.values()) > 1


@pytest.mark.parametrize('backend', ['exact', 'lattice'])
def test_a_pixel_unlike_all_others_is_not_pulled(backend):
    """Alone among like pixels in a picture, and in one of pixels that are all unlike."""
    probs = torch.tensor([0.6, 0.4]).view(1, 2, 1, 1).repeat(1, 1, 8, 8)
    labels, valid = torch.full((1, 8, 8), 255), torch.ones(1, 8, 8)
    images = torch.zeros(1, 3, 8, 8)
    images[..., 4, 4] = 255
    loss = build('paper', sigma_rgb=5., sigma_xy=20., backend=backend)
    gradient = gradient_of(loss, images, probs, labels, valid)
    assert gradient[..., 4, 4].abs().max() < 1e-6 < gradient[..., 0, 0].abs().max()
    levels = torch.tensor([0., 85., 170., 255.])
    images = torch.stack(torch.meshgrid(levels, levels, levels, indexing='ij')).view(1, 3, 8, 8)
    assert abs(loss(images, probs, labels, valid)) < 1e-6


def test_the_gradient_of_paper_is_exact(batch):
    images, probs, labels, valid = batch
    logits = probs.log().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: build('paper')(images, x.softmax(1), labels, valid), (logits, ))
    assert (labels != 255).any()  # so that the soft filter had a say


@pytest.mark.parametrize('name', ['a', 'b'])
def test_released_is_what_the_released_code_computes(name, oracles):
    oracle = np.load(oracles / f'dense_energy_{name}.npz', allow_pickle=False)
    images, logits, labels, roi = (
        torch.from_numpy(oracle[key]) for key in ('images', 'logits', 'labels', 'roi'))
    probs = F.interpolate(logits, images.shape[-2:], mode='bilinear', align_corners=False)
    probs = probs.softmax(1).requires_grad_()
    loss = DenseEnergyLoss(*(float(oracle[key]) for key in (
        'sigma_rgb', 'sigma_xy', 'scale_factor')), loss_weight=float(oracle['weight']))
    value = loss(images, probs, labels, roi)
    value.backward()
    assert value.item() == pytest.approx(float(oracle['loss']), rel=1e-3)
    expected = torch.from_numpy(oracle['grad_value'])
    found = probs.grad.flatten()[torch.from_numpy(oracle['grad_index'])]
    assert (found - expected).norm() < 1e-3 * expected.norm()
    assert probs.grad.norm().item() == pytest.approx(float(oracle['grad_norm']), rel=1e-3)


# ---- properties

@each_formulation
@pytest.mark.parametrize('scale_factor', [1., 0.5])
@pytest.mark.parametrize('backend', ['exact', 'lattice'])
def test_what_lies_on_the_padding_does_not_matter(batch, formulation, scale_factor, backend):
    images, probs, labels, valid = (maps.repeat_interleave(2, -1) for maps in batch)
    images = images / 8  # so that pixels have neighbours like them
    valid[..., 7] = 0  # at scale 0.5 this column shares its pixel with a valid one
    padding = valid == 0
    others = (images.clone(), probs.clone(), labels.clone(), valid)
    others[0].transpose(0, 1)[:, padding] = 200.
    others[1].transpose(0, 1)[:, padding] = math.nan
    others[2][padding] = 1
    loss = build(formulation, scale_factor, backend=backend)
    assert loss(*others) == loss(images, probs, labels, valid) != 0
    gradient = gradient_of(loss, *others)
    assert torch.equal(gradient, gradient_of(loss, images, probs, labels, valid))
    assert gradient.transpose(0, 1)[:, padding].abs().max() == 0


@each_formulation
def test_padding_around_an_image_changes_nothing(batch, formulation):
    loss = build(formulation, 0.5)
    cut = [maps[..., :4] for maps in batch]
    torch.testing.assert_close(loss(*batch), loss(*cut))


@each_formulation
def test_only_padding_gives_zero_with_a_gradient_path(batch, formulation):
    images, probs, labels, valid = batch
    probs.requires_grad_()
    value = build(formulation)(images, probs, labels, torch.zeros_like(valid))
    value.backward()
    assert value == 0 and probs.grad.abs().max() == 0


@each_formulation
def test_a_step_down_moves_edges_to_those_of_the_image(formulation):
    """Left dark, right bright, columns 2 and 3 undecided: each follows its own colour."""
    images = torch.full((1, 3, 4, 6), 20.)
    images[..., 3:] = 230
    probs = torch.tensor([0.9, 0.9, 0.5, 0.5, 0.1, 0.1]).expand(1, 1, 4, 6)
    probs = torch.cat((probs, 1 - probs), 1)
    unlabelled, valid = torch.full((1, 4, 6), 255), torch.ones(1, 4, 6)
    step = -gradient_of(build(formulation), images, probs, unlabelled, valid)
    towards_first = (step[:, 0] - step[:, 1])[0]
    assert (towards_first[:, 2] > 0).all() and (towards_first[:, 3] < 0).all()


@pytest.mark.parametrize('backend', ['exact', 'lattice'])
@pytest.mark.parametrize('size', [16, 32])
def test_paper_on_an_image_of_one_colour_has_a_closed_form(backend, size):
    """Every e(i, j) is 1 - |p|^2, whatever the size of the image."""
    p = torch.tensor([0.5, 0.3, 0.2]).view(1, 3, 1, 1).expand(2, 3, size, size)
    maps = torch.full((2, size, size), 255), torch.ones(2, size, size)
    images = torch.full((2, 3, size, size), 77.)
    assert build('paper', backend=backend)(images, p, *maps).item() == pytest.approx(0.62, rel=1e-4)


@each_formulation
@pytest.mark.parametrize('dtype', [torch.half, torch.bfloat16])
def test_half_precision_is_computed_in_float32(batch, formulation, dtype):
    images, probs, labels, valid = batch
    loss = build(formulation)
    half = loss(images.float(), probs.to(dtype), labels, valid)
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(loss(*batch).item(), rel=0.01)


# ---- the size of things

def test_downscale_takes_the_released_codes_neighbours():
    maps = torch.arange(24.).view(1, 1, 4, 6)
    valid = torch.ones(1, 4, 6, dtype=torch.bool)
    valid[..., 5] = False  # column 4 alone is left of the last pair
    images, probs, labels, small = downscale(
        maps.expand(1, 3, 4, 6), maps, maps[:, 0].long(), valid, 0.5)
    assert images[0, 0].tolist() == [[0, 2, 4], [12, 14, 16]] and labels.tolist()[0] == [
        [0, 2, 4], [12, 14, 16]]
    assert probs[0, 0].tolist() == [[3.5, 5.5, 7], [15.5, 17.5, 19]] and small.all()
    valid[..., 4] = False
    images, probs, _, small = downscale(
        maps.expand(1, 3, 4, 6), maps, maps[:, 0].long(), valid, 0.5)
    assert small.tolist() == [[[True, True, False]] * 2]
    assert images[..., 2].abs().max() == probs[..., 2].abs().max() == 0


@pytest.mark.parametrize('factor', [0.3, 0.5, 0.7, 0.99, 1.])
def test_downscale_of_any_factor_keeps_probabilities(factor):
    probs = torch.rand(1, 4, 11, 13).softmax(1)
    valid = torch.ones(1, 11, 13, dtype=torch.bool)
    valid[:, 7:] = valid[..., 9:] = False
    _, small, _, inside = downscale(
        torch.zeros(1, 3, 11, 13), probs, torch.zeros(1, 11, 13), valid, factor)
    torch.testing.assert_close(small.sum(1), inside.float())
    assert inside.any() and small.shape[2:] == (int(11 * factor), int(13 * factor))


def test_sigma_xy_is_in_pixels_of_what_comes_in(batch):
    """Everything doubled in size, then halved by the loss: the same energy."""
    double = [maps.repeat_interleave(2, -1).repeat_interleave(2, -2) for maps in batch]
    torch.testing.assert_close(build('paper', 0.5, sigma_xy=4.)(*double), build('paper')(*batch))


def test_colours_that_rounding_took_out_of_range_pass(batch):
    images, *others = batch
    images = images.clone()
    images[0, 0, 0, 0] = 255
    expected = build('released')(images, *others)
    images[0, 0, 0, 0] += 1e-5
    assert build('released')(images, *others).item() == pytest.approx(expected.item(), rel=1e-6)


@each_formulation
def test_the_weight_is_a_factor(batch, formulation):
    torch.testing.assert_close(
        build(formulation, loss_weight=0.25)(*batch), 0.25 * build(formulation)(*batch))


# ---- options and errors

@pytest.mark.parametrize('options, message', [
    (dict(formulation='exact'), "one of released, paper; got 'exact'"),
    (dict(sigma_rgb=0), 'must be positive; got sigma_rgb=0'),
    (dict(sigma_xy=-1.), 'sigma_xy=-1.0'), (dict(sigma_xy=math.nan), 'sigma_xy=nan'),
    (dict(scale_factor=0), r'in \(0, 1\]; got 0'), (dict(scale_factor=2), 'got 2')])
def test_an_option_out_of_range_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        DenseEnergyLoss(**options)


def test_the_weight_of_the_other_formulation_warns():
    with pytest.warns(UserWarning, match='Set loss_weight to 0.1 to 1'):
        DenseEnergyLoss(formulation='paper')


@each_formulation
@pytest.mark.parametrize('place, change, message', [
    (0, lambda x: x[:, :2], r'images must have shape \(2, 3, 4, 5\).*got \(2, 2, 4, 5\)'),
    (1, lambda x: x[0], r'probs must be \(N, K, H, W\)'),
    (2, lambda x: x[:1], r'labels must have shape \(2, 4, 5\)'),
    (3, lambda x: x[:, None], r'valid must have shape \(2, 4, 5\)'),
    (0, lambda x: x - 100, 'images must be RGB in 0..255, as they .* got values in -99'),
    (0, lambda x: x + 100, 'images must be RGB'),
    (0, lambda x: x * math.nan, 'images must be RGB'),
    (1, lambda x: x.log(), 'probs must be probabilities'),
    (1, lambda x: torch.cat((x[:1], x[1:] * math.nan)), 'probs must be .* nan')])
def test_wrong_inputs_are_refused(batch, formulation, place, change, message):
    batch = [change(maps) if i == place else maps for i, maps in enumerate(batch)]
    with pytest.raises(ValueError, match=message):
        build(formulation)(*batch)


def test_an_image_too_small_for_the_scale_is_refused(batch):
    with pytest.raises(ValueError, match='leave no pixel at scale_factor=0.2'):
        build('released', 0.2)(*batch)
