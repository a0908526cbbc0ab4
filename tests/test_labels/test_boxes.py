import numpy as np

from mmseg_wss.labels.boxes import box_areas, box_hash, pixel_windows


def test_windows_hold_the_pixels_whose_centres_lie_inside():
    rng = np.random.default_rng(0)
    shape = 7, 9
    starts, sizes = rng.uniform(-3, 9, (200, 2)), rng.uniform(0, 6, (200, 2))
    boxes = np.concatenate([starts, starts + sizes], axis=1)
    y, x = np.mgrid[:shape[0], :shape[1]] + 0.5
    for (x1, y1, x2, y2), box in zip(pixel_windows(boxes, shape), boxes):
        inside = np.zeros(shape, bool)
        inside[y1:y2, x1:x2] = True
        assert (inside == ((box[0] <= x) & (x < box[2]) & (box[1] <= y) & (y < box[3]))).all()


def test_areas():
    assert box_areas(np.array([[1., 2, 4, 7], [0, 0, .5, .5]])).tolist() == [15, 0.25]


def test_the_hash_knows_objects_and_not_their_order():
    names, boxes = ['cat', 'dog'], np.array([[1., 2, 3, 4], [5, 6, 7, 8]])
    first = box_hash(names, boxes)
    assert first == box_hash(names[::-1], boxes[::-1]) == box_hash(names, boxes + 0.001)
    assert len({first, box_hash(names[::-1], boxes), box_hash(names, boxes + 0.02),
                box_hash(names[:1], boxes[:1])}) == 4
    assert box_hash([], np.zeros((0, 4))) != first
