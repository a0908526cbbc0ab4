"""The rules against pixel-by-pixel truths, with marginals that are given instead of a CRF's."""
import math

import numpy as np
import pytest
import torch

from mmseg_wss.pseudo_labels.mining_rules import (
    cam_rule,
    paper_rule,
    released_rule,
    with_background,
)

N, C, H, W = 2, 3, 9, 11


@pytest.fixture
def maps():
    """CAMs, present classes (the last one of image 1 is not) and valid pixels."""
    generator = torch.Generator().manual_seed(0)
    cams = torch.rand(N, C, H, W, generator=generator) ** 3
    present = torch.ones(N, C, dtype=torch.bool)
    present[1, 2] = False
    cams[1, 2] = 0
    cams[:, :, 4:7] *= 0.002  # sure background, for gamma 32 as well
    valid = torch.ones(N, H, W, dtype=torch.bool)
    valid[:, :2] = False
    return cams, present, valid


class GivenCRF:
    """Returns random marginals, each time others, and keeps them and what it was called with."""

    def __init__(self, sharpness=3., seed=0):
        self.calls, self.results = [], []
        self.sharpness, self.generator = sharpness, torch.Generator().manual_seed(seed)

    def __call__(self, probs):
        noise = torch.randn(probs.shape, generator=self.generator) * self.sharpness
        marginals = noise.masked_fill(probs == 0, -30).softmax(-3)
        if probs.dim() == 4:
            self.calls.append(probs)
            self.results.append(marginals)
        else:  # several distributions of each pixel
            self.calls.extend(probs.unbind(1))
            self.results.extend(marginals.unbind(1))
        return marginals


def scores_truth(cams, gamma):
    return np.concatenate([(1 - cams.max(0, keepdims=True)) ** gamma, cams])


def released_truth(cams, valid, ratio, first, second):
    """The released rule, one image at a time, pixel by pixel."""
    scores = scores_truth(cams, 32)
    pixels = [tuple(place) for place in np.argwhere(valid)]
    cam_label = {i: max(range(C + 1), key=lambda c: scores[c][i]) for i in pixels}
    la, ha = ({i: marginals.argmax(0)[i] for i in pixels} for marginals in (first, second))
    sure = set()
    for c in set(la.values()):
        if c == 0:
            sure |= {i for i in pixels if cam_label[i] == 0 and scores[0][i] > 0.8}
            continue
        members = [i for i in pixels if cam_label[i] == c and scores[c][i] > 0.1]
        ordered = sorted(scores[c][i] for i in members)
        if ordered:
            threshold = ordered[int((1 - ratio) * len(ordered))]
            sure |= {i for i in members if scores[c][i] > threshold}
    result = np.full((H, W), 255)
    for i in pixels:
        confidence = max([second[0][i], *(first[c][i] for c in range(1, C + 1))])
        if i in sure and confidence >= 0.8:
            result[i] = 0 if ha[i] == 0 else la[i] or 255
    return result


def cam_truth(cams, valid, ratio):
    scores = scores_truth(cams, 4)
    label = scores.argmax(0)
    result = np.full((H, W), 255)
    for c in range(C + 1):
        ordered = sorted(scores[c][valid & (label == c)], reverse=True)
        if ordered:
            alpha = ordered[math.ceil(ratio * len(ordered)) - 1]
            result[valid & (label == c) & (scores[c] >= alpha)] = c
    return result


@pytest.mark.parametrize('ratio', [0.1, 0.4, 0.75])
def test_released_rule_is_that_of_its_steps(maps, ratio):
    cams, present, valid = maps
    crf = GivenCRF()
    labels = released_rule(cams, present, valid, ratio, crf)
    first, second = (marginals.numpy() for marginals in crf.results)
    for n in range(N):
        truth = released_truth(cams[n].numpy(), valid[n].numpy(), ratio, first[n], second[n])
        assert (labels[n].numpy() == truth).all()
    assert {0, 1, 2, 3, 255} == set(labels.unique().tolist())  # so that every branch was taken


@pytest.mark.parametrize('ratio', [0.1, 0.4, 0.75, 1.])
def test_paper_and_cam_rules_are_those_of_their_equations(maps, ratio):
    cams, present, valid = maps
    crf = GivenCRF()
    labels = paper_rule(cams, present, valid, ratio, crf)
    crf_label = crf.results[0].argmax(1).numpy()
    cam_labels = cam_rule(cams, valid, ratio)
    for n in range(N):
        truth = cam_truth(cams[n].numpy(), valid[n].numpy(), ratio)
        assert (cam_labels[n].numpy() == truth).all()
        assert (labels[n].numpy() == np.where(truth == crf_label[n], truth, 255)).all()
    assert len(crf.calls) == 1 and 0 < (labels < 255).sum() < (cam_labels < 255).sum()


def test_the_crf_gets_clipped_scores_and_nothing_of_other_classes(maps):
    """Not normalised, clipped at 1e-5 as by the released code's library."""
    cams, present, valid = maps
    crf = GivenCRF()
    released_rule(cams, present, valid, 0.4, crf)
    paper_rule(cams, present, valid, 0.4, crf)
    for gamma, probs in zip((4, 32, 4), crf.calls):
        expected = with_background(cams, gamma).clamp(min=1e-5)
        expected[1, 3] = 0
        assert torch.equal(probs, expected)


def test_a_class_that_only_the_crf_finds_is_sure_nowhere(maps):
    """The released code stops with an IndexError there."""
    cams, present, valid = maps
    cams[:, 1] *= 0.05  # below 0.1, and below the other classes

    def crf(probs):
        marginals = torch.zeros_like(probs)
        marginals[..., 2, :, :] = 1
        return marginals

    labels = released_rule(cams, present, valid, 0.4, crf)
    assert (labels == 255).all()


def test_equal_scores_are_labelled_together():
    """Two thirds of the image have a CAM of exactly 0: they are background all or none."""
    cams = torch.zeros(1, 1, 6, 6)
    cams[..., 4:] = torch.linspace(0.5, 1, 12).view(6, 2)
    labels = cam_rule(cams, torch.ones(1, 6, 6, dtype=torch.bool), 0.25)[0]
    assert (labels[:, :4] == 0).all()
    assert labels[:, 4:].flatten().tolist() == 9 * [255] + 3 * [1]


def test_background_decays_with_gamma():
    cams = torch.tensor([0.1, 0.3]).view(1, 2, 1, 1)
    found = with_background(cams, 4).flatten().tolist()
    assert found == pytest.approx([0.7 ** 4, 0.1, 0.3])
