"""Subsets in which every class has its share."""
import random
from collections import Counter

import pytest

from mmseg_wss.simulation.splits import class_balanced_order, stratified_part


def make_tags(images=400, classes=12, seed=0):
    """Classes as uneven as in photographs: the first is in half of them, the last in a few."""
    rng = random.Random(seed)
    return {f'{i:04}': {f'class{c}' for c in range(classes) if rng.random() < 0.5 / (1 + c)}
            for i in range(images)}


def counts(names, tags):
    return Counter(label for name in names for label in tags[name])


@pytest.mark.parametrize('per_class', [1, 5, 10])
def test_every_class_has_its_images(per_class):
    tags = make_tags()
    in_all, first = counts(tags, tags), class_balanced_order(tags)[:12 * per_class]
    found = counts(first, tags)
    assert all(found[label] >= min(per_class, in_all[label]) for label in in_all)


def test_a_random_subset_would_not_do():
    tags = make_tags()
    names = random.Random(0).sample(sorted(tags), 60)
    assert min(counts(names, tags)[label] for label in counts(tags, tags)) < 5


def test_every_image_once_and_those_without_a_class_last():
    tags = dict(make_tags(), empty0=set(), empty1=set())
    order = class_balanced_order(tags)
    assert sorted(order) == sorted(tags)
    assert not any(tags[name] for name in order[-sum(not own for own in tags.values()):])


def test_the_seed_decides_and_the_order_of_the_tags_does_not():
    tags = make_tags()
    turned = dict(reversed(list(tags.items())))
    assert class_balanced_order(tags, 1) == class_balanced_order(turned, 1)
    assert class_balanced_order(tags, 1) != class_balanced_order(tags, 2)


def test_the_rule_of_version_1():
    """Published lists are made by it: a change of the rule needs a new version."""
    tags = dict(a={'x'}, b={'x'}, c={'x', 'y'}, d={'x'}, e=set())
    assert class_balanced_order(tags)[0] == 'c'  # of y, the rarer class
    assert class_balanced_order(tags)[-1] == 'e'
    assert class_balanced_order({}) == []


def test_a_part_has_its_share_of_every_class():
    tags = make_tags()
    part = stratified_part(tags, 0.2, seed=3)
    assert 60 < len(part) < 100
    for label, number in counts(tags, tags).items():
        assert abs(counts(part, tags)[label] - 0.2 * number) <= max(1, 0.03 * number), label
    assert part == stratified_part(dict(reversed(tags.items())), 0.2, seed=3)
    assert part != stratified_part(tags, 0.2, seed=4)


def test_a_part_leaves_something_of_every_class():
    tags = dict(a=['x'], b=['x'], c=['y'], d=[])
    part = stratified_part(tags, 0.2)
    assert len(part) == 1 and set(part) < {'a', 'b'}
    assert stratified_part(tags, 0) == []
    assert len(stratified_part(dict(a=['x'], b=['y'], c=['z']), 0.2)) == 1
    assert len(stratified_part({str(i): ['x', str(i // 2)] for i in range(40)}, 0.2)) >= 8
