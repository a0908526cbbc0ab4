"""Region growing against a flood fill, and on pictures whose result is known."""

import numpy as np
import pytest
import torch

from mmseg_wss.pseudo_labels import grow_seeds

pytest.importorskip('scipy')
CODES = {'.': 255, '0': 0, '1': 1, '2': 2}


def grow_by_flood(probs, seeds, tags, fg, bg):
    """One image: the labels by the rule, then a flood of equal labels from every seed."""
    classes, height, width = probs.shape
    present = [c for c in range(classes) if c == 0 or tags[c]]
    labels = seeds.copy()
    for y, x in np.ndindex(height, width):
        best = max(present, key=lambda c: (probs[c, y, x], -c))
        if probs[best, y, x] > (fg if best else bg):
            labels[y, x] = best
    grown = seeds.copy()
    stack = [(y, x) for y, x in np.argwhere(seeds != 255) if labels[y, x] == seeds[y, x]]
    seen = set(stack)
    while stack:
        y, x = stack.pop()
        if seeds[y, x] == 255:
            grown[y, x] = labels[y, x]
        for v, u in np.ndindex(3, 3):
            v, u = y + v - 1, x + u - 1
            if (0 <= v < height and 0 <= u < width and (v, u) not in seen
                    and labels[v, u] == labels[y, x]):
                seen.add((v, u))
                stack.append((v, u))
    return grown


@pytest.mark.parametrize('classes', [2, 4, 21])
@pytest.mark.parametrize('fg, bg', [(0.85, 0.99), (0.5, 0.4), (0., 0.)])
def test_by_brute_force(classes, fg, bg):
    rng = np.random.default_rng(classes)
    tags = np.zeros((4, classes), bool)
    tags[:, -2:] = True
    predicted = rng.choice([0, 1, classes - 1], (4, 4, 3)).repeat(3, 1).repeat(3, 2)
    top = rng.choice([0.6, 0.9, 0.995], predicted.shape, p=[0.2, 0.3, 0.5])
    probs = (1 - top)[:, None] * rng.dirichlet(np.ones(classes), top.shape).transpose(0, 3, 1, 2)
    probs += top[:, None] * (np.arange(classes)[:, None, None] == predicted[:, None])
    seeds = np.full(predicted.shape, 255)
    sown = rng.random(seeds.shape) < 0.12
    seeds[sown] = rng.choice([0, classes - 1, max(0, classes - 2)], sown.sum())
    grown = grow_seeds(*map(torch.tensor, (probs, seeds, tags)), fg, bg)
    assert grown.dtype == torch.int64
    for n in range(4):
        np.testing.assert_array_equal(
            grown[n], grow_by_flood(probs[n], seeds[n], tags[n], fg, bg))
    assert (grown.numpy() != seeds).any()


def picture(rows):
    return torch.tensor([[CODES[c] for c in row] for row in rows.split()])[None]


def sure_of(labels, probability=0.995):
    """(1, 3, h, w); the rest is shared out."""
    others = (1 - probability) / 2
    probs = torch.full((1, 3, *labels.shape[1:]), others)
    probs.scatter_(1, labels.masked_fill(labels == 255, 0)[:, None], probability)
    return probs.masked_fill(labels[:, None] == 255, 1 / 3)


ALL = torch.ones(1, 3)


@pytest.mark.parametrize('sure, seeds, expected', [
    # across corners, from seeds at the border; a region without a seed stays unlabelled
    ('1..11 .1... ..1.. 22... 22..2', '1.... ..... ..... 2.... .....',
     '1.... .1... ..1.. 22... 22...'),
    # to all borders
    ('111 111 111', '... ..1 ...', '111 111 111'),
    # a seed that the network takes for another class keeps its own, and is no bridge to it
    ('11211', '.1.1.', '11.11'),
    ('12122', '2.2..', '2.2..'),
    ('11211', '11.11', '11.11'),
    # seeds connect through one another, where the network is sure of nothing
    ('.....', '1.1.1', '1.1.1'),
    ('1....1', '.1111.', '111111'),
    # the background grows too
    ('000 012', '0.. ..2', '000 0.2')])
def test_known_pictures(sure, seeds, expected):
    assert grow_seeds(sure_of(picture(sure)), picture(seeds), ALL).tolist() == \
        picture(expected).tolist()


@pytest.mark.parametrize('threshold', [0.25, 0.5])
def test_a_threshold_must_be_exceeded(threshold):
    probs = torch.tensor([0.25, 0.25, 0.5]).view(1, 3, 1, 1).expand(1, 3, 1, 2)
    grown = grow_seeds(probs, picture('2.'), ALL, threshold)
    assert grown.tolist() == [[[2, 2 if threshold < 0.5 else 255]]]


def test_an_image_of_background_alone():
    """Its tags do not even name it."""
    seeds = picture('0.. ...')
    grown = grow_seeds(sure_of(picture('000 000')), seeds, torch.zeros(1, 3))
    assert (grown == 0).all()
    assert torch.equal(grow_seeds(sure_of(picture('111 111')), seeds, torch.zeros(1, 3)), seeds)


def test_probabilities_of_zero_are_padding():
    """As `DSRGHead` has it: no region reaches into it or goes round by it."""
    probs = sure_of(picture('11211 11111'))
    probs[..., 1, :] = 0
    seeds = picture('1.... .....')
    assert torch.equal(grow_seeds(probs, seeds, ALL), picture('11... .....'))


@pytest.mark.parametrize('change, message', [
    (dict(fg_threshold=1.2), 'fg_threshold is a probability, 0 to 1; got 1.2'),
    (dict(bg_threshold=float('nan')), 'bg_threshold'),
    (dict(seeds=torch.zeros(1, 2, 3).long()), r'seeds must have shape \(1, 4, 4\)'),
    (dict(tags=torch.ones(1, 2)), r'tags must have shape \(1, 3\)'),
    (dict(seeds=torch.full((1, 4, 4), 3)), 'label 3, but there are 3 classes'),
    (dict(seeds=torch.full((1, 4, 4), -1)), 'label -1'),
    (dict(probs=torch.ones(3, 4, 4)), r'floating point \(N, K, h, w\)')])
def test_impossible_input(change, message):
    given = dict(probs=torch.rand(1, 3, 4, 4), seeds=torch.zeros(1, 4, 4).long(), tags=ALL)
    with pytest.raises(ValueError, match=message):
        grow_seeds(**{**given, **change})
