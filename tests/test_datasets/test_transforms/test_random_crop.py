"""Crops against mmseg's, and boxes against the objects that are seen in the picture."""
import numpy as np
import pytest
from mmseg.datasets.transforms import RandomCrop as SegRandomCrop
from transform_bench import (
    COLOURS,
    TransformBench,
    apply,
    assert_boxes_fit_their_objects,
    build,
    sample,
    tight_box,
)

from mmseg_wss.datasets.transforms import crop_boxes

CROP = dict(type='mmseg_wss.RandomCrop', crop_size=(30, 37), cat_max_ratio=0.75)
RESIZE = dict(type='RandomResize', scale=(90, 90), ratio_range=(0.4, 2.), keep_ratio=True)
FLIPS = [dict(type='RandomFlip', prob=1., direction=direction)
         for direction in ('horizontal', 'vertical', 'diagonal')]
FLIP = dict(type='RandomFlip', prob=[0.25] * 3, direction=['horizontal', 'vertical', 'diagonal'])


class TestRandomCrop(TransformBench):
    transform = CROP


class TestRandomCropOfASmallImage(TransformBench):
    transform = dict(CROP, crop_size=(90, 37))


class TestRandomCropOfObjects(TransformBench):
    transform = dict(CROP, object_prob=0.5)


@pytest.mark.parametrize('dtype', [np.float32, np.int64])
def test_crop_boxes_as_painted_boxes_are_cropped(dtype):
    rng = np.random.default_rng(0)
    for _ in range(200):
        corners = np.sort(rng.integers(0, (16, 12), (5, 2, 2)), axis=1)
        corners[:, 1] += 1
        boxes = corners.reshape(5, 4).astype(dtype)
        (x1, y1), (x2, y2) = np.sort(rng.integers(0, (16, 12), (2, 2)), axis=0) + [[0, 0], [1, 1]]
        expected = []
        for left, top, right, bottom in boxes.astype(int):
            canvas = np.zeros((13, 17), bool)
            canvas[top:bottom, left:right] = True
            seen = canvas[y1:y2, x1:x2]
            expected.append(tight_box(seen) if seen.any() else None)
        cropped, visible = crop_boxes(boxes, (y1, y2, x1, x2))
        assert visible.tolist() == [box is not None for box in expected]
        assert cropped.tolist() == [list(box) for box in expected if box is not None]
        assert cropped.dtype == dtype


def test_crop_of_no_boxes():
    cropped, visible = crop_boxes(np.zeros((0, 4), np.float32), (0, 5, 0, 5))
    assert cropped.shape == (0, 4) and visible.shape == (0, )


@pytest.mark.parametrize('pipeline, tolerance', [
    ([CROP], 0), ([dict(CROP, crop_size=(200, 37))], 0), *(([flip], 0) for flip in FLIPS),
    ([RESIZE], 1), ([FLIP, CROP], 0), ([RESIZE, CROP, FLIP], 1),
    ([dict(type='mmseg_wss.PseudoMask'), FLIP, CROP], 0)])
def test_boxes_follow_their_objects(pipeline, tolerance):
    transform = build(*pipeline)
    for seed in range(40):
        results = apply(transform, sample('box', seed), seed)
        assert_boxes_fit_their_objects(results, tolerance)
        if 'gt_seg_map' in results:  # the boxes, painted ahead
            assert np.array_equal(COLOURS[results['gt_seg_map']], results['img'])


def test_tags_stay_those_of_the_whole_image():
    crop = build(dict(CROP, crop_size=(2, 2)))
    assert not any(apply(crop, sample('box'), seed)['gt_bboxes'].size for seed in (3, 4))
    for seed in range(5):
        assert apply(crop, sample('box'), seed)['gt_tags'].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize('crop_size, ratio', [
    ((30, 37), 0.75), ((30, 37), 0.3), ((30, 37), 1.), ((90, 37), 0.75), ((200, 200), 0.75)])
def test_images_with_masks_are_cropped_as_by_mmseg(crop_size, ratio):
    ours = build(dict(type='mmseg_wss.RandomCrop', crop_size=crop_size, cat_max_ratio=ratio))
    mmsegs = SegRandomCrop(crop_size, ratio)
    for seed in range(40):
        inputs = sample('pixel', seed, gt_edge_map=np.arange(4800).reshape(60, 80))
        inputs['seg_fields'] = ['gt_seg_map', 'gt_edge_map']
        np.testing.assert_equal(apply(ours, inputs, seed), apply(mmsegs, inputs, seed))


@pytest.mark.parametrize('supervision', ['box', 'image'])
def test_without_a_mask_every_window_is_met(supervision):
    crop = build(dict(type='mmseg_wss.RandomCrop', crop_size=(57, 78), cat_max_ratio=0.5))
    inputs = dict(sample(supervision), img=np.arange(4800).reshape(60, 80, 1))
    corners = {apply(crop, inputs, seed)['img'][0, 0, 0] for seed in range(200)}
    assert corners == {80 * y + x for y in range(4) for x in range(3)}


# ---- windows that hold an object

def objects(supervision):
    """60 x 80: one pixel of red, a large blue rectangle. Pixels are their own numbers."""
    mask = np.zeros((60, 80), np.uint8)
    mask[50, 70], mask[5:45, 10:60], mask[:, 0] = 1, 3, 255
    inputs = dict(sample(supervision), img=np.arange(4800).reshape(60, 80, 1))
    if supervision == 'pixel':
        inputs['gt_seg_map'] = mask
    elif supervision == 'box':
        inputs.update(gt_bboxes=np.array([[70, 50, 71, 51], [10, 5, 60, 45]], np.float32),
                      gt_bboxes_labels=np.array([1, 3]))
    return inputs, mask


@pytest.mark.parametrize('supervision', ['pixel', 'box'])
def test_windows_hold_an_object_and_each_class_counts_as_much(supervision):
    inputs, mask = objects(supervision)
    crop = build(dict(type='mmseg_wss.RandomCrop', crop_size=(9, 12), cat_max_ratio=0.5,
                      object_prob=1.))
    red = blue = 0
    for seed in range(400):
        window = apply(crop, inputs, seed)['img'][..., 0]
        assert window.shape == (9, 12)
        held = set(mask.ravel()[window.ravel()]) & {1, 3}
        assert held
        red, blue = red + (1 in held), blue + (3 in held)
    assert 160 < red < 240 and 160 < blue < 240  # 200, standard deviation 10


@pytest.mark.parametrize('supervision', ['pixel', 'box'])
def test_an_object_is_anywhere_in_its_windows(supervision):
    """By brute force: every window inside the image that holds the pixel, each as often."""
    inputs, mask = objects(supervision)
    if supervision == 'pixel':  # the red one alone
        inputs['gt_seg_map'] = (mask == 1).astype(np.uint8)
    else:
        inputs.update({key: inputs[key][:1] for key in ('gt_bboxes', 'gt_bboxes_labels')})
    crop = build(dict(type='mmseg_wss.RandomCrop', crop_size=(12, 12), object_prob=1.))
    numbers = np.arange(4800).reshape(60, 80)
    expected = {int(numbers[y, x]) for y in range(49) for x in range(69)
                if 50 * 80 + 70 in numbers[y:y + 12, x:x + 12]}
    assert len(expected) == 10 * 10  # the border leaves out two rows and columns of windows
    corners = [int(apply(crop, inputs, seed)['img'][0, 0, 0]) for seed in range(2000)]
    counts = [corners.count(corner) for corner in expected]
    assert set(corners) == expected and min(counts) > 5 and max(counts) < 45  # 20 on average


def test_the_share_of_windows_with_an_object():
    inputs, mask = objects('pixel')
    inputs['gt_seg_map'] = (mask == 1).astype(np.uint8)
    for prob, low, high in ((0., 0, 25), (0.33, 120, 190)):  # 9 * 12 of 52 * 69 windows have it
        crop = build(dict(type='mmseg_wss.RandomCrop', crop_size=(9, 12), object_prob=prob))
        held = sum(50 * 80 + 70 in apply(crop, inputs, seed)['img'] for seed in range(400))
        assert low <= held < high


def test_a_class_that_the_mask_has_lost_is_met_by_its_box():
    inputs, mask = objects('box')
    inputs.update(gt_seg_map=np.where(mask == 1, 255, mask), seg_fields=['gt_seg_map'])
    crop = build(dict(type='mmseg_wss.RandomCrop', crop_size=(9, 12), object_prob=1.))
    results = [apply(crop, inputs, seed) for seed in range(100)]
    assert 30 < sum(50 * 80 + 70 in result['img'] for result in results) < 70
    assert all((result['gt_seg_map'] == 3).any() or 1 in result['gt_bboxes_labels']
               for result in results)


@pytest.mark.parametrize('box', [[79.7, 59.6, 80, 60], [0, 0, 0.2, 0.3], [33.4, 20.1, 33.5, 20.2]])
def test_a_box_without_the_centre_of_a_pixel_is_met(box):
    inputs = dict(objects('box')[0], gt_bboxes=np.array([box], np.float32),
                  gt_bboxes_labels=np.array([2]))
    crop = build(dict(type='mmseg_wss.RandomCrop', crop_size=(3, 3), object_prob=1.))
    for seed in range(30):
        assert apply(crop, inputs, seed)['gt_bboxes_labels'].tolist() == [2]


@pytest.mark.parametrize('inputs', [
    sample('image'), sample('none'), dict(sample('pixel'), gt_seg_map=np.zeros((60, 80), np.uint8)),
    dict(sample('pixel'), gt_seg_map=np.full((60, 80), 255, np.uint8)),
    dict(sample('box'), gt_bboxes=np.zeros((0, 4), np.float32), gt_bboxes_labels=np.zeros(0, int))
], ids=['image', 'none', 'background', 'ignored', 'empty'])
def test_without_an_object_every_window_is_met(inputs):
    inputs = dict(inputs, img=np.arange(4800).reshape(60, 80, 1))
    crop = build(dict(type='mmseg_wss.RandomCrop', crop_size=(57, 78), cat_max_ratio=0.5,
                      object_prob=1.))
    corners = {apply(crop, inputs, seed)['img'][0, 0, 0] for seed in range(200)}
    assert corners == {80 * y + x for y in range(4) for x in range(3)}


@pytest.mark.parametrize('prob', [-0.1, 1.5])
def test_no_probability_is_refused(prob):
    with pytest.raises(ValueError, match='object_prob'):
        build(dict(type='mmseg_wss.RandomCrop', crop_size=9, object_prob=prob))
