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
