"""Scores whose values are known, and an order that is greedy."""
import numpy as np
import pytest

from mmseg_wss.pseudo_labels.ranking import (
    count_objects,
    diverse_order,
    label_seconds,
    mean_divergence,
    mean_entropy,
)


def one_hot(labels, classes=4):
    return np.moveaxis(np.eye(classes)[labels], -1, 0)


def test_entropy_of_known_predictions():
    sure, no_idea = one_hot(np.array([[1, 2]])), np.full((4, 1, 2), 0.25)
    assert mean_entropy(sure) == 0
    assert mean_entropy(no_idea) == pytest.approx(np.log(4))
    half = np.concatenate((sure[..., :1], no_idea[..., :1]), -1)
    assert mean_entropy(half) == pytest.approx(np.log(4) / 2)
    assert mean_entropy(np.array([0.25, 0.75]).reshape(2, 1, 1)) == pytest.approx(0.5623351446)


def test_divergence_of_known_predictions():
    red, green = one_hot(np.array([[1, 1]])), one_hot(np.array([[1, 2]]))
    assert mean_divergence(red, red) == 0
    assert mean_divergence(red, green) == pytest.approx(np.log(2) / 2)  # one of two pixels
    p, q = np.array([0.5, 0.5]).reshape(2, 1, 1), np.array([1., 0]).reshape(2, 1, 1)
    middle = 0.5 * (0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25)) + 0.5 * np.log(1 / 0.75)
    assert mean_divergence(p, q) == mean_divergence(q, p) == pytest.approx(middle)


def test_objects_are_connected_parts_that_are_large_enough():
    labels = np.zeros((20, 30), int)
    labels[0:8, 0:8] = labels[0:8, 20:28] = 1
    labels[10:18, 0:8] = 2
    labels[10:17, 10:19] = 3  # 63 pixels
    labels[18:20, :] = 1  # 60
    assert count_objects(labels) == 3 and count_objects(labels, 60) == 5
    assert count_objects(np.zeros((5, 5), int)) == 0
    assert label_seconds(0, 'box') == 10 and label_seconds(2, 'mask') == pytest.approx(168.4)
    assert label_seconds(np.array([1, 3]), 'box').tolist() == [44.5, 113.5]


def brute_force(features, scores, labelled):
    order = []
    while len(order) < len(features):
        def value(i):
            before = [*labelled, *(features[j] for j in order)]
            return scores[i] * (min(np.linalg.norm(features[i] - f) for f in before)
                                if before else 1)
        order.append(max((i for i in range(len(features)) if i not in order),
                         key=lambda i: (value(i), -i)))
    return order


@pytest.mark.parametrize('labelled', [0, 3])
def test_diverse_order_is_greedy(labelled):
    rng = np.random.default_rng(labelled)
    features, scores = rng.normal(size=(12, 5)), rng.random(12)
    known = rng.normal(size=(labelled, 5))
    expected = brute_force(features, scores, list(known))
    assert diverse_order(features, scores, known if labelled else None) == expected


def test_diverse_order_on_a_line():
    """Ends and middles come before what lies beside them; copies come last."""
    line = np.array([[0.], [1], [10], [5], [0]])
    assert diverse_order(line) == [0, 2, 3, 1, 4]
    assert diverse_order(line, labelled=np.array([[10.]])) == [0, 3, 1, 2, 4]
