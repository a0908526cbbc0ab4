"""Fusion and pasting against their rules written out pixel by pixel."""
import itertools

import numpy as np
import pytest

from mmseg_wss.proposals import fuse_masks, paste_masks


@pytest.mark.parametrize('number', [1, 2, 3])
def test_the_truth_table_of_fusion(number):
    rows = list(itertools.product([False, True], repeat=number))
    fused = fuse_masks([np.array([[row]]) for row in zip(*rows)])  # each (1, 1, W)
    assert fused.dtype == np.uint8 and fused.shape == (1, 1, len(rows))
    assert fused.ravel().tolist() == [
        1 if all(row) else 255 if any(row) else 0 for row in rows]


def test_fusion_needs_sources_of_one_shape():
    with pytest.raises(ValueError, match='one or more sources'):
        fuse_masks([])
    with pytest.raises(ValueError, match=r'\(1, 2, 3\), \(2, 2, 3\)'):
        fuse_masks([np.ones((1, 2, 3), bool), np.ones((2, 2, 3), bool)])


def test_no_object():
    fused = fuse_masks([np.zeros((0, 2, 3), bool)] * 2)
    assert fused.shape == (0, 2, 3) and fused.dtype == np.uint8
    assert (paste_masks(fused, [], (2, 3)) == np.zeros((2, 3))).all()


def row(*values):
    return np.array([values], np.uint8)


def test_of_equal_areas_the_later_object_is_in_front():
    objects = np.stack([row(1, 1, 0), row(0, 1, 1)])
    assert paste_masks(objects, [3, 7], (1, 3)).tolist() == [[3, 7, 7]]


def test_pasting_against_its_rule_at_every_pixel():
    rng = np.random.default_rng(0)
    objects = rng.choice(np.array([0, 1, 255], np.uint8), (6, 7, 9), p=[.6, .25, .15])
    labels = rng.integers(1, 255, 6)
    areas = [(np.count_nonzero(mask == 1), -i) for i, mask in enumerate(objects)]
    assert len({area for area, _ in areas}) > 3
    pasted = paste_masks(objects, labels, (7, 9))
    assert pasted.dtype == np.uint8
    for y, x in np.ndindex(7, 9):
        owners = [i for i in range(6) if objects[i, y, x] == 1]
        if owners:
            expected = labels[min(owners, key=lambda i: areas[i])]
        else:
            expected = 255 if (objects[:, y, x] == 255).any() else 0
        assert pasted[y, x] == expected


@pytest.mark.parametrize('label', [0, 255, 256, -1])
def test_labels_that_would_change_their_meaning_are_refused(label):
    with pytest.raises(ValueError, match=r'1\.\.254'):
        paste_masks(row(1, 0)[None], [label], (1, 2))


def test_objects_of_a_wrong_shape_are_refused():
    with pytest.raises(ValueError, match=r'\(2, 1, 2\); got shape \(1, 1, 2\)'):
        paste_masks(row(1, 0)[None], [1, 2], (1, 2))
