"""What masks mend and break, against loops and closed cases."""
import numpy as np
import pytest

from mmseg_wss.evaluation.mask_worth import worth_counts, worth_scores

CLASSES = 4


def random_masks(seed, void=True):
    rng = np.random.default_rng(seed)
    labels = np.array([0, 1, 2, 3, 255] if void else [0, 1, 2, 3], np.uint8)
    return rng.choice(labels, (9, 11)), rng.choice(labels[:4], (9, 11)), rng.choice(labels, (9, 11))


def test_counts_are_those_of_a_loop():
    mask, network, truth = random_masks(0)
    expected = np.zeros((CLASSES, 4), np.int64)
    for own, predicted, true in zip(mask.flat, network.flat, truth.flat):
        if true != 255:
            expected[true] += [1, predicted != true, predicted != true and own == true,
                               predicted == true and own not in (true, 255)]
    assert np.array_equal(worth_counts(mask, network, truth, CLASSES), expected)


def test_counts_of_images_add_up():
    parts = [random_masks(seed) for seed in range(3)]
    whole = [np.concatenate(masks) for masks in zip(*parts)]
    assert np.array_equal(sum(worth_counts(*part, CLASSES) for part in parts),
                          worth_counts(*whole, CLASSES))


def test_the_truth_mends_all_and_the_networks_own_masks_nothing():
    _, network, truth = random_masks(1, void=False)
    errors = (network != truth).mean()
    scores = worth_scores(worth_counts(truth, network, truth, CLASSES))
    assert scores['right_where_wrong'] == 1 and scores['wrong_where_right'] == 0
    assert scores['worth_pixels'] == pytest.approx(errors)
    own = worth_scores(worth_counts(network, network, truth, CLASSES))
    assert own['worth'] == own['worth_pixels'] == own['right_where_wrong'] == 0
    nothing = worth_scores(worth_counts(np.full_like(truth, 255), network, truth, CLASSES))
    assert nothing['worth'] == 0


def test_a_small_class_counts_as_much_as_a_large_one():
    """A mask that breaks a tenth of the background and mends the one object: +45 in the mean."""
    truth, network, mask = (np.zeros((10, 11), np.uint8) for _ in range(3))
    truth[0] = mask[:2] = 1  # 11 pixels of the object, as many of the background around it
    scores = worth_scores(worth_counts(mask, network, truth, 2))
    assert scores['classes'].tolist() == [-1 / 9, 1]
    assert scores['worth'] == pytest.approx(4 / 9) and scores['worth_pixels'] == 0


def test_classes_without_pixels_do_not_count():
    truth = np.full((2, 2), 255, np.uint8)
    assert np.isnan(worth_scores(worth_counts(truth, truth, truth, 3))['worth'])
    truth[0] = 2
    scores = worth_scores(worth_counts(truth, np.zeros_like(truth), truth, 3))
    assert scores['worth'] == 1 and np.isnan(scores['classes'][:2]).all()
