"""The losses of DSRG: by hand on a few pixels, and where their gradients go."""
import math

import pytest
import torch

from mmseg_wss.models.losses import balanced_seeding_loss, boundary_loss
from mmseg_wss.models.losses.seeding import floored_softmax


def random_probs(classes, number=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(number, classes, 5, 4, generator=generator, dtype=torch.double)
    return floored_softmax(logits)


def random_seeds(classes, number=2):
    generator = torch.Generator().manual_seed(1)
    seeds = torch.randint(classes, (number, 5, 4), generator=generator)
    return seeds.masked_fill(torch.rand(seeds.shape, generator=generator) < 0.5, 255)


# ---- softmax

@pytest.mark.parametrize('classes', [2, 21])
def test_floored_softmax(classes):
    logits = torch.randn(2, classes, 3, 3, dtype=torch.double)
    logits[0, 0, 0, 0] = 1e4
    probs = floored_softmax(logits)
    exact = (logits.softmax(1) + 1e-4) / (1 + classes * 1e-4)
    torch.testing.assert_close(probs, exact)
    assert probs.log().isfinite().all()
    assert floored_softmax(logits.half().clamp(max=1e4)).dtype == torch.float32


# ---- balanced seeding

def test_seeding_loss_of_an_image_of_two_pixels():
    """One seed of the background at p = 1/4, one of an object at p = 1/8: log 4 + log 8."""
    probs = torch.tensor([[1 / 4, 1 / 2], [3 / 4, 3 / 8], [0.01, 1 / 8]]).view(1, 3, 1, 2)
    torch.testing.assert_close(balanced_seeding_loss(probs, torch.tensor([[[0, 2]]])).item(),
                               math.log(4) + math.log(8))


@pytest.mark.parametrize('classes', [2, 21])
def test_seeding_loss_pixel_by_pixel(classes):
    probs, seeds = random_probs(classes), random_seeds(classes)
    total = 0
    for p, s in zip(probs, seeds):
        for side in (s == 0), (s > 0) & (s < 255):
            terms = [-math.log(p[s[y, x], y, x]) for y, x in side.nonzero().tolist()]
            total += sum(terms) / max(len(terms), 1)
    assert balanced_seeding_loss(probs, seeds).item() == pytest.approx(total / 2)


@pytest.mark.parametrize('label', [0, 1])
def test_a_side_without_seeds_counts_nothing(label):
    probs, seeds = random_probs(3, 1), torch.full((1, 5, 4), 255)
    seeds[0, 1, 2] = label
    torch.testing.assert_close(balanced_seeding_loss(probs, seeds), -probs[0, label, 1, 2].log())


def test_no_seed_gives_zero_with_a_gradient_path():
    logits = torch.randn(2, 3, 5, 4, requires_grad=True)
    loss = balanced_seeding_loss(floored_softmax(logits), torch.full((2, 5, 4), 255))
    loss.backward()
    assert loss == 0 and (logits.grad == 0).all()


# ---- boundary

def test_boundary_loss_of_an_image_of_two_pixels():
    """One pixel as the CRF has it; at the other KL((1/2, 1/2) || (1/4, 3/4)) = log(4/3) / 2."""
    probs = torch.tensor([[0.3, 1 / 4], [0.7, 3 / 4]]).view(1, 2, 1, 2)
    targets = torch.tensor([[0.3, 1 / 2], [0.7, 1 / 2]]).view(1, 2, 1, 2)
    torch.testing.assert_close(boundary_loss(probs, targets).item(), math.log(4 / 3) / 2 / 2)


def test_ratios_are_clipped():
    probs, targets = torch.tensor([[0.99, 0.01], [0.01, 0.99]]).view(2, 1, 2, 1, 1)
    expected = 0.01 * math.log(0.05) + 0.99 * math.log(20)
    assert boundary_loss(probs, targets).item() == pytest.approx(expected)


@pytest.mark.parametrize('classes', [2, 21])
def test_boundary_loss_pixel_by_pixel(classes):
    probs, targets = random_probs(classes), random_probs(classes, seed=1)
    valid = torch.ones(2, 5, 4, dtype=torch.bool)
    valid[1, 3:] = False
    terms = [sum(q * math.log(min(max(q / p, 0.05), 20))
                 for p, q in zip(probs[n, :, y, x].tolist(), targets[n, :, y, x].tolist()))
             for n, y, x in valid.nonzero().tolist()]
    loss = boundary_loss(probs, targets, valid)
    assert loss.item() == pytest.approx(sum(terms) / len(terms))
    assert boundary_loss(probs, targets.masked_fill(~valid[:, None], 0), valid) == loss


def test_the_target_has_no_gradient_and_p_that_of_minus_q_over_p():
    """Also where q comes from p, as it does in training."""
    probs = random_probs(3).requires_grad_()
    targets = (probs ** 2) / (probs ** 2).sum(1, keepdim=True)
    boundary_loss(probs, targets).backward()
    ratio = targets / probs
    inside = (ratio > 0.05) & (ratio < 20)
    assert not inside.all() and inside.any()
    torch.testing.assert_close(probs.grad, (-ratio * inside / 40).detach())


@pytest.mark.parametrize('loss, arguments, message', [
    (balanced_seeding_loss, [torch.zeros(2, 4, 5).long()], r'seeds must have shape \(2, 5, 4\)'),
    (boundary_loss, [torch.rand(2, 2, 5, 4)], r'targets must have shape \(2, 3, 5, 4\)'),
    (boundary_loss, [torch.rand(2, 3, 5, 4), torch.ones(2, 5)], r'valid must have shape')])
def test_shapes_that_do_not_agree(loss, arguments, message):
    with pytest.raises(ValueError, match=message):
        loss(random_probs(3), *arguments)
