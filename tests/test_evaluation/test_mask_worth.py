"""What masks mend and break, against loops and closed cases."""
from itertools import product

import numpy as np
import pytest

from mmseg_wss.evaluation.mask_worth import (
    ImageWorth,
    class_gains,
    own_taus,
    worth_counts,
    worth_error,
    worth_parts,
    worth_scores,
)

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


# ---- images and classes

def image_worth(masks, network, truth):
    counts = np.stack([worth_counts(mask, network, truth, CLASSES) for mask in masks])
    gains = np.stack([class_gains(mask, network, truth, CLASSES) for mask in masks])
    return ImageWorth(counts, gains[:, counts[0, :, 0] > 0])


def test_gains_are_those_of_a_loop():
    mask, network, truth = random_masks(3)
    expected = np.zeros((CLASSES, CLASSES), np.int64)
    for own, predicted, true in zip(mask.flat, network.flat, truth.flat):
        if true != 255 and own != 255:
            mends, breaks = own == true != predicted, own != true == predicted
            expected[true, own] += int(mends) - int(breaks)
    gains = class_gains(mask, network, truth, CLASSES)
    assert np.array_equal(gains, expected)
    counts = worth_counts(mask, network, truth, CLASSES)
    assert np.array_equal(gains.sum(1), counts[:, 2] - counts[:, 3])


def test_the_error_is_that_of_a_mean_where_images_have_one_size():
    rng = np.random.default_rng(0)
    counts = np.zeros((30, 2, 4), np.int64)  # of two classes, the second in no image
    counts[:, 0, 0], counts[:, 0, 2], counts[:, 0, 3] = 100, *rng.integers(0, 50, (2, 30))
    gained = (counts[:, 0, 2] - counts[:, 0, 3]) / 100
    assert worth_error(counts) == pytest.approx(gained.std(ddof=1) / 30 ** 0.5)
    assert np.isnan(worth_error(counts[:1]))


def test_the_error_is_close_to_what_images_left_out_say():
    rng = np.random.default_rng(1)
    counts = np.zeros((80, CLASSES, 4), np.int64)
    counts[..., 0] = rng.integers(50, 150, (80, CLASSES)) * (rng.random((80, CLASSES)) < 0.5)
    for part in 2, 3:
        counts[..., part] = counts[..., 0] * rng.random((80, CLASSES)) / 2
    left_out = np.array([
        worth_scores(np.delete(counts, i, 0).sum(0))['worth'] for i in range(80)])
    jackknife = (79 * left_out.var()) ** 0.5
    assert worth_error(counts) == pytest.approx(jackknife, rel=0.05)


def judged_images(number=12, taus=(0., 0.5, 0.8)):
    """Masks at several thresholds; returns images, and a function: thresholds of classes -> worth.
    """
    rng, images, files = np.random.default_rng(5), [], []
    for seed in range(number):
        _, network, truth = random_masks(seed)
        labels, sure = rng.integers(0, CLASSES, truth.shape), rng.random(truth.shape)
        labels = np.where(rng.random(truth.shape) < 0.6, truth % 5 % CLASSES, labels)

        def kept(own, labels=labels, sure=sure):
            return np.where(sure > np.array(own)[labels], labels, 255).astype(np.uint8)
        images.append(image_worth([kept([tau] * CLASSES) for tau in taus], network, truth))
        files.append((kept, network, truth))

    def worth_of(own):
        counts = (worth_counts(kept(own), network, truth, CLASSES)
                  for kept, network, truth in files)
        return worth_scores(sum(counts))['worth']
    return images, worth_of


def test_the_parts_of_classes_and_images_are_the_worth():
    """So thresholds that are best class by class are the best of all combinations."""
    taus = 0., 0.5, 0.8
    images, worth_of = judged_images(taus=taus)
    parts = worth_parts(images)
    assert parts.shape == (3, 12, CLASSES)
    assert parts.sum((1, 2)) == pytest.approx([worth_of([tau] * CLASSES) for tau in taus])
    alone = parts.sum(1).argmax(0)
    best = max(worth_of(own) for own in product(taus, repeat=CLASSES))
    assert worth_of([taus[t] for t in alone]) == pytest.approx(best)


def test_a_class_takes_a_threshold_of_its_own_where_enough_images_agree():
    parts = np.zeros((3, 10, 3))
    parts[0, :4, 1] = 1.  # four images, whatever they say
    parts[0, :5, 2], parts[2, :6, 2] = 1., 1.5
    assert own_taus(parts, (0., 0.5, 0.9), 0.5) == {2: 0.9}
    assert own_taus(parts, (0., 0.5, 0.9), 0.9) == {}
    parts[2, 6:, 2] = -1.5, -1.5, -1., 0.  # images that contradict
    assert own_taus(parts, (0., 0.5, 0.9), 0.5) == {2: 0.}
    assert own_taus(np.zeros((2, 60, 3)), (0., 0.9), 0.9) == {}
