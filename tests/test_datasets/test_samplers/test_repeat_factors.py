"""Repeat factors by the formula, image by image."""
from types import SimpleNamespace

import numpy as np
import pytest

from mmseg_wss.datasets.samplers.repeat_factors import repeat_factors, source_classes


def test_factors_by_hand():
    """100 images: class 1 in all, 2 in 25, 3 in 1; t = 0.36."""
    table = np.zeros((100, 5), bool)
    table[:, 1], table[:25, 2], table[:1, 3] = True, True, True
    factors = repeat_factors(table, 0.36)
    assert factors[0] == pytest.approx(6)  # sqrt(0.36 / 0.01)
    assert factors[1:25] == pytest.approx(1.2) and (factors[25:] == 1).all()


@pytest.mark.parametrize('threshold', [0.001, 0.3, 1.])
def test_factors_by_a_loop(threshold):
    rng = np.random.default_rng(0)
    table = rng.random((40, 6)) < [0, 0.9, 0.5, 0.2, 0.05, 0.02]
    for image, factor in zip(table, repeat_factors(table, threshold)):
        shares = [sum(other[c] for other in table) / 40 for c in range(6) if image[c]]
        expected = max([1] + [(threshold / share) ** 0.5 for share in shares])
        assert factor == pytest.approx(expected)


def test_images_without_a_class_come_once():
    assert (repeat_factors(np.zeros((3, 4), bool), 0.5) == 1).all()
    assert repeat_factors(np.zeros((0, 4), bool), 0.5).shape == (0, )


def test_classes_of_a_concatenation_and_of_another_data_set():
    parts = [SimpleNamespace(class_table=lambda n=n: np.full((n, 2), n == 1)) for n in (1, 2)]
    assert source_classes(SimpleNamespace(datasets=parts), 0).tolist() == [
        [True] * 2, [False] * 2, [False] * 2]
    with pytest.raises(ValueError, match='source 7, a range, has no class_table'):
        source_classes(SimpleNamespace(datasets=[parts[0], range(3)]), 7)
