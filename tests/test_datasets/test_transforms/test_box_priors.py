"""Priors against the paper's equations, pixel by pixel, and against the image they move with."""
import cv2
import numpy as np
import pytest
from transform_bench import build, sample

from mmseg_wss.datasets.transforms import box_priors

PRIORS = dict(type='mmseg_wss.BoxPriors')
PACK = dict(type='mmseg_wss.PackWeakSegInputs')


def brute_force(boxes, labels, shape):
    """Equations 1 and 2 and the composition, one pixel after another (integer boxes)."""
    height, width = shape
    pixels = [(x, y) for y in range(height) for x in range(width)]
    maps, insides = [], []
    for x1, y1, x2, y2 in boxes.astype(int):
        outline = {(x, y) for x in range(x1, x2) for y in (y1, y2 - 1)} | {
            (x, y) for y in range(y1, y2) for x in (x1, x2 - 1)}
        inside = {(x, y) for x in range(x1, x2) for y in range(y1, y2)}
        distance = {p: min(np.hypot(p[0] - q[0], p[1] - q[1]) for q in outline) for p in pixels}
        value = {p: 128 + distance[p] * (-1 if p in inside else 1) for p in pixels}
        value = {p: min(max(v, 0), 255) for p, v in value.items()}
        lowest = min(value.values())
        for p in inside - outline:
            value[p] = 128 * (value[p] - lowest) / (128 - lowest)
        maps.append(value)
        insides.append(inside)
    position, classes = np.zeros(shape), np.zeros(shape, int)
    for x, y in pixels:
        owners = [i for i, inside in enumerate(insides) if (x, y) in inside]
        position[y, x] = np.mean([maps[i][x, y] for i in owners or range(len(maps))])
        if owners:
            areas = [(boxes[i, 2] - boxes[i, 0]) * (boxes[i, 3] - boxes[i, 1]) for i in owners]
            classes[y, x] = labels[owners[int(np.argmin(areas))]]
    return position, classes


@pytest.mark.parametrize('boxes', [
    [[3, 4, 15, 12]], [[0, 0, 24, 20]], [[5, 5, 6, 6]], [[5, 5, 7, 15]], [[0, 0, 1, 20]],
    [[2, 3, 14, 13], [8, 6, 22, 18]], [[1, 1, 23, 19], [4, 4, 12, 10], [6, 2, 9, 17]]])
def test_equations_pixel_by_pixel(boxes):
    boxes, labels = np.array(boxes, np.float32), np.arange(len(boxes)) + 1
    position, classes = box_priors(boxes, labels, (20, 24))
    true_position, true_classes = brute_force(boxes, labels, (20, 24))
    assert (position.dtype, classes.dtype) == (np.float32, np.int64)
    np.testing.assert_allclose(position, true_position, atol=1e-4)
    np.testing.assert_array_equal(classes, true_classes)


def test_large_boxes_are_truncated_before_they_are_rescaled():
    """128 pixels from the outline the value is 0, and stays 0 further in; far away it is 255."""
    position, _ = box_priors(np.array([[0, 0, 400, 300]], np.float32), np.array([1]), (300, 700))
    assert (position[150, 128:272] == 0).all()
    assert position[150, 10] == 118
    assert position[0, 0] == 128
    assert (position[:, 399 + 127:] == 255).all() and position[150, 399 + 126] == 254


def test_no_boxes():
    position, classes = box_priors(np.zeros((0, 4), np.float32), np.zeros(0, int), (4, 5))
    assert (position == 255).all() and (classes == 0).all()


def boxed(**more):
    results = sample('box', **more)
    return dict(results, ori_bboxes=results['gt_bboxes'],
                ori_bboxes_labels=results['gt_bboxes_labels'])


def priored(flip=None, scale=1., **more):
    """A sample with boxes through resize, flip and BoxPriors."""
    steps = [dict(type='Resize', scale_factor=scale, keep_ratio=True)] * (scale != 1)
    if flip:
        steps.append(dict(type='RandomFlip', prob=1., direction=flip))
    return build(*steps, PRIORS)(boxed(**more))


@pytest.mark.parametrize('flip', ['horizontal', 'vertical', 'diagonal'])
def test_they_flip_with_the_image(flip):
    plain, flipped = priored(), priored(flip)
    axis = dict(horizontal=1, vertical=0, diagonal=-1)[flip]
    for key in ('img', 'position_prior', 'class_prior'):
        np.testing.assert_array_equal(flipped[key], cv2.flip(plain[key], axis))


@pytest.mark.parametrize('scale', [0.5, 1.7])
def test_they_are_resized_as_the_paper_stores_them(scale):
    """Position bilinear: a blurred step is between its sides. Class nearest: no new label."""
    plain, resized = priored(), priored(scale=scale)
    size = resized['img'].shape[1::-1]
    np.testing.assert_allclose(resized['position_prior'], cv2.resize(
        plain['position_prior'], size, interpolation=cv2.INTER_LINEAR))
    assert set(np.unique(resized['class_prior'])) <= {0, 1, 2, 3}
    # the objects fill their boxes, so the class map shows them
    inside = resized['img'].max(-1) > 200
    assert (resized['class_prior'][inside] == 1 + resized['img'].argmax(-1)[inside]).mean() > 0.97


def test_a_crop_and_a_flip_behind_take_them_along():
    results = priored()
    assert results['seg_fields'][-2:] == ['position_prior', 'class_prior']
    np.random.seed(0)
    cropped = build(dict(type='mmseg_wss.RandomCrop', crop_size=(30, 40)),
                    dict(type='RandomFlip', prob=1.))(results)
    objects = cropped['img'].any(-1)
    assert objects.any()
    np.testing.assert_array_equal(cropped['class_prior'] > 0, objects)
    np.testing.assert_array_equal(cropped['position_prior'] <= 128, objects)


def test_they_become_channels_four_and_five():
    packed = build(PACK)(priored())
    results = priored()
    assert packed['inputs'].shape == (5, *results['img'].shape[:2])
    np.testing.assert_array_equal(packed['inputs'][:3].permute(1, 2, 0), results['img'])
    np.testing.assert_array_equal(packed['inputs'][3], results['position_prior'])
    np.testing.assert_array_equal(packed['inputs'][4], results['class_prior'])


@pytest.mark.parametrize('ahead', [[], [dict(type='Resize', scale_factor=0.5)]])
@pytest.mark.parametrize('step', [
    dict(type='Resize', scale_factor=0.5), dict(type='Resize', scale=(50, 70)),
    dict(type='RandomResize', scale=(80, 60), ratio_range=(2, 2)),
    dict(type='ResizeToMultiple', size_divisor=32), dict(type='Pad', size=(100, 100)),
    dict(type='Pad', size=(100, 100), pad_val=dict(img=0, seg=0))])
def test_nothing_behind_may_resize_or_pad(ahead, step):
    """It would move the maps by nearest, or pad them with 255, or leave them where they were."""
    for crop in ([], [dict(type='mmseg_wss.RandomCrop', crop_size=(20, 20))]):
        with pytest.raises(ValueError, match='7.jpg.*resized or padded behind BoxPriors'):
            build(*ahead, PRIORS, step, *crop, PACK)(boxed(seed=7))


def test_nothing_behind_may_fill_the_class_map_with_255():
    np.random.seed(0)
    with pytest.raises(ValueError, match='7.jpg.*255.*RandomRotate.*remove'):
        build(dict(type='RandomRotate', prob=1., degree=30), PACK)(priored(seed=7))


def test_without_boxes_or_behind_a_crop_it_says_what_to_do():
    with pytest.raises(ValueError, match='7.jpg.*with_boxes=True'):
        build(PRIORS)(sample('pixel', seed=7))
    with pytest.raises(ValueError, match='7.jpg.*before the crop'):
        build(dict(type='mmseg_wss.RandomCrop', crop_size=(30, 40)), PRIORS)(boxed(seed=7))
