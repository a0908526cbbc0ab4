"""Routing against exact fractions: what is owed is served, and nothing is lost to rounding."""
import random
from fractions import Fraction
from math import floor

import pytest

from mmseg_wss.models.decode_heads import route_samples

RATIOS = [(7, 1), (6, 2), (5, 3), (3, 2), (1, 1), (1, 3), (1464, 9118)]


def brute_force(batches, ratio):
    """Weak images that the strong branch gets of each batch, with an exact fractional debt."""
    debt, served = Fraction(0), []
    for kinds in batches:
        debt += kinds.count('pixel') * Fraction(ratio[1], ratio[0])
        served.append(min(floor(debt), len(kinds) - kinds.count('pixel')))
        debt -= served[-1]
    return served


def run(batches, ratio):
    """The same of `route_samples`."""
    carry, served = 0, []
    for kinds in batches:
        strong, _, carry = route_samples(kinds, ratio, carry)
        served.append(len(strong) - kinds.count('pixel'))
    return served


@pytest.mark.parametrize('ratio', RATIOS[:4])
@pytest.mark.parametrize('size', [2, 4, 8, 32])
def test_after_each_step_the_served_count_is_the_floor_of_the_ratio(size, ratio):
    a, b = ratio
    total, carry = 0, 0
    for step in range(1, 1001):
        strong, _, carry = route_samples(['pixel', 'box'] * (size // 2), ratio, carry)
        total += len(strong) - size // 2
        due = step * (size // 2) * b
        assert total == due // a
        assert 0 <= due - total * a < a and carry == due - total * a
    assert 1000 * size // 2 * b % a or total * a == 1000 * size // 2 * b


@pytest.mark.parametrize('seed', range(50))
def test_random_batches_are_served_as_exact_fractions_say(seed):
    rng = random.Random(seed)
    ratio = rng.choice(RATIOS)
    batches = [[rng.choice(['pixel', 'box', 'tags', 'pseudo']) for _ in range(rng.randint(0, 9))]
               for _ in range(200)]
    assert run(batches, ratio) == brute_force(batches, ratio)


@pytest.mark.parametrize('seed', range(20))
def test_every_image_trains_its_own_branch_and_only_weak_ones_both(seed):
    rng = random.Random(seed)
    carry = 0
    for _ in range(50):
        kinds = [rng.choice(['pixel', 'box']) for _ in range(6)]
        strong, weak, carry = route_samples(kinds, rng.choice([None, (3, 2)]), carry)
        truth = [i for i in range(6) if kinds[i] == 'pixel']
        assert weak == [i for i in range(6) if kinds[i] != 'pixel']
        # strong images first, then the first weak ones, each in the order of the batch
        assert strong == truth + weak[:len(strong) - len(truth)]


def test_without_ratio_the_branches_are_apart():
    assert route_samples(['box', 'pixel', 'tags', 'pixel']) == ([1, 3], [0, 2], 0)
    assert route_samples(['box', 'pixel'], None, 5)[2] == 5


def test_a_ratio_out_of_reach_gets_all_weak_images_and_the_carry_grows():
    carry, carries = 0, []
    for _ in range(4):
        strong, weak, carry = route_samples(['pixel', 'pixel', 'box'], (1, 1), carry)
        assert strong == [0, 1, 2] and weak == [2]
        carries.append(carry)
    assert carries == [1, 2, 3, 4]
