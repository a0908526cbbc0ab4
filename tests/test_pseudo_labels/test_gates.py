"""Gates against per-pixel loops, and what they say of whole images."""
import numpy as np
import pytest
import torch

from mmseg_wss.datasets.transforms import rect_mask
from mmseg_wss.pseudo_labels.gates import (
    BOXED_SHARE,
    TAGGED_SHARE,
    gate_labels,
    gate_probabilities,
    label_gates,
    possible_classes,
)

SHAPE, CLASSES = (7, 9), 4
BOXES = torch.tensor([[1.5, 0.4, 5, 4], [3, 2, 8.6, 6.5], [0, 6, 2, 7.]])
LABELS = torch.tensor([2, 1, 2])


def slow_possible(tags=None, boxes=None, labels=(), clicks=None):
    possible = np.zeros((CLASSES, *SHAPE), bool)
    for c, y, x in np.ndindex(possible.shape):
        inside = boxes is None or any(
            label == c and x1 <= x + 0.5 < x2 and y1 <= y + 0.5 < y2
            for (x1, y1, x2, y2), label in zip(boxes.tolist(), labels))
        possible[c, y, x] = c == 0 or (tags is None or bool(tags[c])) and inside
        if clicks is not None and clicks[y, x] != 255:
            possible[c, y, x] = clicks[y, x] == c
    return possible


def clicks():
    drawn = torch.full(SHAPE, 255, dtype=torch.uint8)
    drawn[0, 0], drawn[3, 4], drawn[6, 8] = 3, 0, 1
    return drawn


@pytest.mark.parametrize('tags', [None, torch.tensor([1, 1, 0, 1], dtype=torch.uint8)])
@pytest.mark.parametrize('boxes', [None, BOXES])
@pytest.mark.parametrize('drawn', [None, clicks()])
def test_possible_classes_are_those_of_a_loop(tags, boxes, drawn):
    labels = None if boxes is None else LABELS
    found = possible_classes(SHAPE, CLASSES, tags, boxes, labels, drawn)
    expected = slow_possible(tags, boxes, () if labels is None else labels.tolist(), drawn)
    assert found.dtype == torch.bool and np.array_equal(found.numpy(), expected)


def test_boxes_have_the_pixels_that_are_painted():
    """The same rule for the pixels of a box, on corners with all kinds of fractions."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        corners = rng.uniform(-1, 9, (2, 2)).round(rng.integers(0, 3))
        box = np.concatenate((corners.min(0), corners.max(0))).astype(np.float32)[None]
        possible = possible_classes(SHAPE, CLASSES, boxes=torch.from_numpy(box),
                                    box_labels=torch.tensor([2]))
        assert np.array_equal(possible[2], rect_mask(box, np.array([2]), SHAPE) == 2)


@pytest.mark.parametrize('labels', [
    dict(tags=torch.tensor([1, 0, 0, 0])),
    dict(boxes=torch.zeros(0, 4), box_labels=torch.zeros(0, dtype=torch.int64))])
def test_an_image_without_objects_is_background(labels):
    possible = possible_classes(SHAPE, CLASSES, **labels)
    probs = torch.zeros(CLASSES, *SHAPE)
    probs[3] = 1  # the background has no probability at all
    assert (gate_probabilities(probs, possible)[0] == 1).all()
    assert (gate_labels(torch.full(SHAPE, 255, dtype=torch.uint8), possible) == 0).all()


def test_probability_is_shared_out():
    torch.manual_seed(0)
    probs = torch.rand(CLASSES, *SHAPE).softmax(0)
    possible = possible_classes(SHAPE, CLASSES, torch.tensor([1, 1, 0, 1]), BOXES, LABELS, clicks())
    gated = gate_probabilities(probs, possible).numpy()
    for y, x in np.ndindex(SHAPE):
        total = sum(float(probs[c, y, x]) for c in range(CLASSES) if possible[c, y, x])
        for c in range(CLASSES):
            expected = float(probs[c, y, x]) / total if possible[c, y, x] else 0
            assert gated[c, y, x] == pytest.approx(expected, abs=1e-6)
    again = gate_probabilities(torch.from_numpy(gated), possible)
    torch.testing.assert_close(again, torch.from_numpy(gated))


def test_a_class_that_is_there_is_divided_by_the_belief_in_it():
    torch.manual_seed(0)
    probs = (4 * torch.rand(CLASSES, *SHAPE)).softmax(0)
    possible, present = label_gates(
        SHAPE, CLASSES, torch.tensor([1, 1, 0, 1]), BOXES, LABELS, clicks())
    gated = gate_probabilities(probs, possible, present).numpy()
    beliefs = [1.] * CLASSES
    for c in np.flatnonzero(present):
        values = sorted(float(probs[c, y, x]) for y, x in np.ndindex(SHAPE) if possible[c, y, x])
        largest = values[-max(1, int(float(present[c]) * len(values))):] or [1]
        beliefs[c] = sum(largest) / len(largest)
    for y, x in np.ndindex(SHAPE):
        shares = [float(probs[c, y, x]) / beliefs[c] * bool(possible[c, y, x])
                  for c in range(CLASSES)]
        for c in range(CLASSES):
            assert gated[c, y, x] == pytest.approx(shares[c] / sum(shares), abs=1e-5)


def test_a_faint_class_is_found_where_its_tag_says_that_it_is_there():
    """Background at 0.9 everywhere, the tagged class at 0.1 in a fifth of the image, else at 0."""
    probs = torch.zeros(3, 10, 10)
    probs[0], probs[1, :2], probs[2] = 0.9, 0.1, 0.05
    tags = torch.tensor([1, 1, 0])
    possible, present = label_gates((10, 10), 3, tags)
    labels = gate_probabilities(probs, possible, present).argmax(0)
    assert (labels[:2] == 1).all() and (labels[2:] == 0).all()
    assert (gate_probabilities(probs, possible).argmax(0) == 0).all()  # excluding says nothing


def test_what_labels_name():
    assert label_gates(SHAPE, CLASSES) == (None, None)
    clicked = label_gates(SHAPE, CLASSES, clicks=clicks())
    assert clicked[0].shape == (CLASSES, *SHAPE) and clicked[1] is None
    tags = torch.tensor([1, 0, 0, 1])
    assert label_gates(SHAPE, CLASSES, tags)[1].tolist() == pytest.approx([0, 0, 0, TAGGED_SHARE])
    boxed = label_gates(SHAPE, CLASSES, boxes=BOXES, box_labels=LABELS)[1]
    assert boxed.tolist() == [BOXED_SHARE * (c in LABELS) for c in range(CLASSES)]


def test_nothing_possible_has_any_probability():
    """Zeros, which no threshold keeps, and not NaN."""
    probs = torch.tensor([[[0.]], [[0.]], [[1.]]])
    possible = torch.tensor([1, 1, 0]).bool()[:, None, None]
    assert gate_probabilities(probs, possible).flatten().tolist() == [0, 0, 0]


def test_labels_are_kept_where_they_are_possible():
    labels = torch.tensor([[0, 1, 2, 3, 255, 1, 2]], dtype=torch.uint8)
    possible = torch.zeros(4, 1, 7, dtype=torch.bool)
    possible[0] = True
    possible[1, :, 1:5] = True
    possible[:, :, 6] = torch.tensor([False, False, False, True])[:, None]  # clicked
    assert gate_labels(labels, possible).tolist() == [[0, 1, 255, 255, 255, 0, 3]]


def test_labels_are_those_of_certain_probabilities():
    torch.manual_seed(1)
    labels = torch.randint(0, CLASSES, SHAPE)
    possible = possible_classes(SHAPE, CLASSES, None, BOXES, LABELS, clicks())
    gated = gate_probabilities(torch.nn.functional.one_hot(
        labels, CLASSES).permute(2, 0, 1).float(), possible)
    best = torch.where(gated.amax(0) > 0, gated.argmax(0), 255)
    assert torch.equal(gate_labels(labels.byte(), possible).long(), best)
