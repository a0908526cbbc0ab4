"""E-steps against loops over pixels, and against what EM is to achieve: areas, absent classes."""
import itertools

import numpy as np
import pytest
import torch

from mmseg_wss.pseudo_labels import adaptive_bias_labels, box_bias_labels, fixed_bias_labels

SIZE = (41, 41)
PIXELS = SIZE[0] * SIZE[1]


def random_scores(number=3, classes=6, size=(9, 7), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 4 * torch.randn(number, classes, *size, generator=generator)


def last_argmax(values):
    return max(range(len(values)), key=lambda i: (values[i], i))


def areas(labels, classes):
    """Share of the pixels of each class."""
    return (np.bincount(labels.flatten(), minlength=classes) / labels.numel()).tolist()


# ---- EM-Fixed

def test_fixed_biases_by_brute_force():
    scores = random_scores()
    tags = torch.tensor([[1, 0, 1, 1, 0, 0], [1, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]])
    labels = fixed_bias_labels(scores, tags, bias_bg=1.5, bias_fg=4.)
    for n, y, x in np.ndindex(3, 9, 7):
        biased = [float(scores[n, c, y, x]) + int(tags[n, c]) * (4. if c else 1.5)
                  for c in range(6)]
        assert labels[n, y, x] == last_argmax(biased)


# ---- Bbox-EM-Fixed

def test_box_biases_by_brute_force():
    scores = random_scores()
    boxes = torch.from_numpy(np.random.default_rng(0).choice([0, 0, 1, 4, 255], (3, 9, 7)))
    labels = box_bias_labels(scores, boxes, bias_bg=2., bias_fg=3.)
    for n, y, x in np.ndindex(3, 9, 7):
        biased = scores[n, :, y, x].tolist()
        label = int(boxes[n, y, x])
        if label != 255:
            biased[0] += 2.
            biased[label] += 3. if label else 0.
        assert labels[n, y, x] == last_argmax(biased)


@pytest.mark.parametrize('box, message', [
    (6, '6 classes'), (-1, '-1'), (torch.zeros(1, 2, 2).long(), r'\(1, 3, 3\)')])
def test_impossible_boxes(box, message):
    boxes = torch.full((1, 3, 3), box) if isinstance(box, int) else box
    with pytest.raises(ValueError, match=message):
        box_bias_labels(torch.zeros(1, 6, 3, 3), boxes)


# ---- EM-Adapt

def distinct_scores(classes=6, size=(9, 7), seed=0):
    """Integers, so that sums and differences are exact and no rounding decides a tie."""
    generator = torch.Generator().manual_seed(seed)
    number = classes * size[0] * size[1]
    return torch.randperm(number, generator=generator).view(1, classes, *size).float()


def adapt_by_loops(scores, present, rho_bg, rho_fg, sweeps, counted):
    """The released procedure for one image, with its classes in the order of `present`."""
    scores = scores.flatten(1).double().numpy().copy()
    pixels = [i for i, one in enumerate(counted.flatten().tolist()) if one]
    for _ in range(sweeps):
        for label in present:
            best = scores[present].max(0)
            gaps = sorted(best[i] - scores[label, i] for i in pixels)
            scores[label] += gaps[min(int((rho_fg if label else rho_bg) * len(pixels)),
                                      len(pixels) - 1)]
    return [max(present, key=lambda c: (scores[c, i], c)) for i in range(scores.shape[1])]


@pytest.mark.parametrize('present', [[0, 3], [4], [0]])
@pytest.mark.parametrize('sweeps', [0, 1, 5])
def test_adapted_biases_by_brute_force(present, sweeps):
    scores = distinct_scores()
    valid = torch.ones(1, 9, 7, dtype=torch.bool)
    valid[:, 6:] = False
    tags = torch.zeros(1, 6)
    tags[0, present] = 1
    labels = adaptive_bias_labels(scores, tags, 0.35, 0.25, sweeps, valid=valid)
    expected = adapt_by_loops(scores[0], present, 0.35, 0.25, sweeps, valid[0])
    assert labels.flatten().tolist() == expected


def test_an_object_wins_one_pixel_more_than_its_portion():
    """The background's lead is 1 to 10; 0.3 of 10 pixels is the 4th of them, where it is a tie."""
    lead = torch.tensor([7., 2, 9, 4, 1, 10, 3, 8, 6, 5])
    scores = torch.stack((torch.zeros(10), -lead)).view(1, 2, 2, 5)
    labels = adaptive_bias_labels(scores, torch.ones(1, 2), 0., 0.3, sweeps=1)
    assert torch.equal(labels.flatten(), (lead <= 4).long())


def test_the_background_comes_first_and_the_others_by_chance():
    """Each order of three classes gives other labels, and two orders of the six are drawn."""
    scores, counted = distinct_scores(3, (6, 5)), torch.ones(6, 5)
    by_order = {order: adapt_by_loops(scores[0], list(order), 0.7, 0.5, 1, counted)
                for order in itertools.permutations(range(3))}
    assert len({tuple(labels) for labels in by_order.values()}) == 6
    drawn = [adaptive_bias_labels(
        scores, torch.ones(1, 3), 0.7, 0.5, sweeps=1,
        generator=torch.Generator().manual_seed(seed)).flatten().tolist() for seed in range(20)]
    assert {order for order, labels in by_order.items() if labels in drawn} == {
        (0, 1, 2), (0, 2, 1)}
    assert all(labels in by_order.values() for labels in drawn)


@pytest.mark.parametrize('objects, expected', [
    (1, [0.8, 0.2]), (2, [0.6, 0.2, 0.2]), (3, [0.4, 0.2, 0.2, 0.2])])
def test_prescribed_areas_are_reached(objects, expected):
    """Objects that would never win get their portion; the background keeps the rest."""
    scores = random_scores(4, 6, SIZE)
    scores[:, 0] += 100
    tags = torch.zeros(4, 6)
    tags[:, :objects + 1] = 1
    for labels in adaptive_bias_labels(scores, tags, 0.4, 0.2):
        np.testing.assert_allclose(areas(labels, objects + 1), expected, atol=0.012)


def test_more_classes_than_the_portions_allow():
    """Four objects of 0.2 and a background of 0.4: each has area, absent classes have none."""
    scores = random_scores(2, 8, SIZE)
    scores[:, 0] += 100
    tags = torch.tensor([[1, 1, 1, 1, 1, 0, 0, 0]]).repeat(2, 1)
    for labels in adaptive_bias_labels(scores, tags):
        shares = areas(labels, 8)
        assert min(shares[:5]) > 0.12 and shares[5:] == [0, 0, 0]


def test_an_image_without_tags_keeps_its_best_classes():
    scores = random_scores()
    labels = adaptive_bias_labels(scores, torch.zeros(3, 6))
    torch.testing.assert_close(labels, scores.argmax(1))


def test_one_pixel():
    """The last class that is dealt with wins the only pixel."""
    scores = torch.tensor([5., 0., 9.]).view(1, 3, 1, 1)
    assert adaptive_bias_labels(scores, torch.tensor([[1, 1, 0]])).tolist() == [[[1]]]


@pytest.mark.parametrize('rho_bg, rho_fg', [(0.4, 0.2), (1., 0.)])
def test_padding_does_not_count(rho_bg, rho_fg):
    """The same labels inside, whatever the padding holds; an image of padding alone is no error."""
    scores, tags = random_scores(2, 4, (12, 10)), torch.tensor([[1, 1, 0, 0], [1, 0, 1, 0]])
    padded = torch.nn.functional.pad(scores, (0, 3, 0, 5), value=77.)
    valid = torch.zeros(2, 17, 13)
    valid[:, :12, :10] = 1
    labels = adaptive_bias_labels(padded, tags, rho_bg, rho_fg, valid=valid)[:, :12, :10]
    torch.testing.assert_close(labels, adaptive_bias_labels(scores, tags, rho_bg, rho_fg))
    adaptive_bias_labels(padded, tags, rho_bg, rho_fg, valid=torch.zeros(2, 17, 13))


def test_scores_are_not_changed_and_have_no_gradient():
    scores = random_scores().requires_grad_()
    before, tags = scores.detach().clone(), torch.ones(3, 6)
    for labels in (fixed_bias_labels(scores, tags), adaptive_bias_labels(scores, tags),
                   box_bias_labels(scores, torch.ones(3, 9, 7).long())):
        assert labels.dtype == torch.int64 and not labels.requires_grad
        assert torch.equal(scores, before)


@pytest.mark.parametrize('options, message', [
    (dict(rho_bg=1.2), 'rho_bg .* 0 to 1; got 1.2'), (dict(rho_fg=float('nan')), 'rho_fg'),
    (dict(sweeps=-1), 'sweeps'), (dict(valid=torch.ones(3, 2, 2)), r'valid must be \(3, 9, 7\)')])
def test_impossible_options(options, message):
    with pytest.raises(ValueError, match=message):
        adaptive_bias_labels(random_scores(), torch.ones(3, 6), **options)


@pytest.mark.parametrize('estimate', [fixed_bias_labels, adaptive_bias_labels])
def test_tags_of_another_number_of_classes(estimate):
    with pytest.raises(ValueError, match=r'\(3, 6, 9, 7\) and \(3, 5\)'):
        estimate(random_scores(), torch.ones(3, 5))


def test_a_bias_that_is_no_number():
    with pytest.raises(ValueError, match='finite'):
        fixed_bias_labels(random_scores(), torch.ones(3, 6), bias_fg=float('inf'))
