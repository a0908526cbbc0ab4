"""Names of boxes: where they go, by a check of all pairs, and that they can be read."""
from itertools import combinations

import numpy as np

from mmseg_wss.visualization import draw_boxes
from mmseg_wss.visualization.labelled_boxes import place_texts


def test_no_text_covers_another_and_none_leaves_the_picture():
    random = np.random.default_rng(0)
    for _ in range(50):
        corners = np.sort(random.integers(0, 100, (12, 2, 2)), axis=1)
        boxes = corners.reshape(12, 4)  # x1, y1, x2, y2
        boxes[1] = boxes[0]  # the same box twice
        sizes = [(int(w), 7) for w in random.integers(10, 60, 12)]
        places = place_texts(boxes, sizes, (100, 100))
        covered = [(*place, place[0] + w, place[1] + h)
                   for place, (w, h) in zip(places, sizes) if place is not None]
        assert len(covered) >= 8
        for x1, y1, x2, y2 in covered:
            assert 0 <= x1 and x2 <= 100 and 0 <= y1 and y2 <= 100
        for a, b in combinations(covered, 2):
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_a_name_stands_above_its_box_or_inside_and_one_that_is_too_long_is_left_out():
    boxes = [(10, 50, 40, 90), (10, 0, 40, 90), (0, 0, 9, 9)]
    assert place_texts(boxes, [(20, 8), (20, 8), (200, 8)], (100, 100)) == [(10, 42), (10, 0), None]


def test_letters_of_other_languages_are_drawn():
    """cv2 draws ??? for each of them."""
    image = np.full((200, 300, 3), 90, np.uint8)
    drawn = [draw_boxes(image, [(20, 60, 280, 180)], [1], ['', name], [(0, 0, 0), (250, 250, 0)])
             for name in ('Größe', 'Gr??e', 'Größe')]
    assert (drawn[0] == drawn[2]).all() and (drawn[0] != drawn[1]).any()
    ground = (drawn[0] == (250, 250, 0)).all(2)[:60]
    assert ground.sum() > 200 and (drawn[0][:60] == 0).all(2).sum() > 20  # dark on bright
