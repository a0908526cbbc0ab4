"""Seeds of CAMs against loops over pixels."""
import numpy as np
import pytest
import torch

from mmseg_wss.pseudo_labels import cam_seeds


def seed_by_loops(cams, tags, fg, bg):
    """One image, pixel by pixel; None for no seed."""
    present = [c for c in range(len(cams)) if tags[c]]
    shares = {c: cams[c] / cams[c].max() if cams[c].max() > 0 else cams[c] for c in present}
    areas = {c: (shares[c] > fg).sum() for c in present}
    seeds = np.full(cams.shape[1:], 255)
    for y, x in np.ndindex(*seeds.shape):
        claims = [c for c in present if shares[c][y, x] > fg]
        if claims:
            seeds[y, x] = 1 + min(claims, key=lambda c: (areas[c], c))
        elif max((shares[c][y, x] for c in present), default=0) < bg:
            seeds[y, x] = 0
    return seeds


@pytest.mark.parametrize('classes', [2, 21])
@pytest.mark.parametrize('fg, bg', [(0.2, 0.06), (0.5, 0.5), (0.3, 0.)])
def test_by_brute_force(classes, fg, bg):
    rng = np.random.default_rng(0)
    cams = 7 * rng.random((4, classes - 1, 9, 8)) ** 4
    tags = rng.random((4, classes - 1)) < 0.5
    tags[0], tags[1, 0] = False, True
    seeds = cam_seeds(torch.tensor(cams), torch.tensor(tags), fg, bg)
    assert seeds.dtype == torch.int64
    for n in range(4):
        np.testing.assert_array_equal(seeds[n], seed_by_loops(cams[n], tags[n], fg, bg))
    assert 1 in seeds and (0 in seeds) == (bg > 0)


def test_of_equal_regions_the_first_class():
    assert (cam_seeds(torch.ones(1, 3, 2, 2), torch.tensor([[0, 1, 1]])) == 2).all()


def test_a_class_without_any_activation_has_no_seed():
    cams = torch.zeros(1, 2, 3, 3)
    cams[0, 0, 0, 0] = 1
    assert cam_seeds(cams, torch.ones(1, 2)).tolist() == [[[1, 0, 0], [0, 0, 0], [0, 0, 0]]]


@pytest.mark.parametrize('fg, bg', [(0.2, 0.3), (1., 0.1), (0.2, -0.1), (float('nan'), 0.1)])
def test_impossible_thresholds(fg, bg):
    with pytest.raises(ValueError, match='0 <= bg_threshold <= fg_threshold < 1'):
        cam_seeds(torch.rand(1, 2, 3, 3), torch.ones(1, 2), fg, bg)


@pytest.mark.parametrize('cams, tags, message', [
    (torch.rand(1, 2, 3, 3), torch.ones(1, 3), r'\(1, 2, 3, 3\) and \(1, 3\)'),
    (-torch.rand(1, 2, 3, 3), torch.ones(1, 2), 'ReLU'),
    (torch.full((1, 1, 2, 2), float('nan')), torch.ones(1, 1), 'finite')])
def test_impossible_maps(cams, tags, message):
    with pytest.raises(ValueError, match=message):
        cam_seeds(cams, tags)
