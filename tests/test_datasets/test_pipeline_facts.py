"""What configs of transforms say, against the transforms themselves."""
import math

import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from mmengine.registry import TRANSFORMS, init_default_scope

from mmseg_wss.datasets.pipeline_facts import (
    decodes_with_opencv,
    resize_factors,
    transform_name,
    vanishing_step,
)


@pytest.mark.parametrize('step, expected', [
    (dict(type='Resize'), 'Resize'), (dict(type='mmseg_wss.RandomScale'), 'RandomScale'),
    (dict(type=LoadImageFromFile), 'LoadImageFromFile'),
    (LoadImageFromFile(), 'LoadImageFromFile'), ([dict(type='Resize')], 'list')], ids=str)
def test_names(step, expected):
    assert transform_name(step) == expected


@pytest.mark.parametrize('pipeline, expected', [
    ([], True), ([dict(type='LoadImageFromFile')], True), ([LoadImageFromFile()], True),
    ([len, [], dict(type='mmcv.LoadImageFromFile', to_float32=True)], True),
    ([dict(type='LoadImageFromFile', imdecode_backend='pillow')], False),
    ([LoadImageFromFile(imdecode_backend='tifffile')], False),
    ([dict(type='LoadImageFromFile', color_type='unchanged')], False),
    ([dict(type='LoadSingleRSImageFromFile')], False),
    ([dict(type='LoadBiomedicalImageFromFile')], False)], ids=str)
def test_the_decoder(pipeline, expected):
    assert decodes_with_opencv(pipeline) == expected


@pytest.mark.parametrize('shape', [(1, 40), (40, 1), (2, 90), (9, 9), (1, 1), (3, 70)], ids=str)
@pytest.mark.parametrize('step', [
    dict(type='Resize', scale=(20, 20), keep_ratio=True),
    dict(type='Resize', scale=20, keep_ratio=True), dict(type='Resize', scale=(20, 10)),
    dict(type='Resize', scale_factor=0.3, keep_ratio=True),
    dict(type='Resize', scale_factor=(0.3, 2.), keep_ratio=False),
    dict(type='RandomResize', scale=(30, 20), ratio_range=(0.7, 0.7), keep_ratio=True),
    dict(type='RandomResize', scale=[(30, 20), (30, 20)], keep_ratio=True),
    dict(type='RandomChoiceResize', scales=[(24, 12)], keep_ratio=True),
    dict(type='mmseg_wss.RandomScale', ratio_range=(0.3, 0.3))], ids=str)
def test_a_step_vanishes_an_image_exactly_where_it_fails(step, shape):
    """Steps without a choice: what they do is what can happen."""
    init_default_scope('mmseg')
    image = np.zeros((*shape, 3), np.uint8)
    results = dict(img=image, img_shape=shape, ori_shape=shape)
    vanishes = vanishing_step([step], shape)
    try:
        left = TRANSFORMS.build(step)(results)['img'].shape[:2]
    except Exception as error:
        assert vanishes and vanishes[0] == transform_name(step), error
        assert 0 in vanishes[1]
    else:
        assert vanishes is None and min(left) > 0


@pytest.mark.parametrize('pipeline, low, high', [
    ([dict(type='LoadImageFromFile')], 1, 1),
    ([dict(type='Resize', scale=(80, 80), keep_ratio=True)], 0.5, 0.5),
    ([dict(type='Resize', scale=(320, 60), keep_ratio=False)], 1, 1),
    ([dict(type='Resize', scale_factor=0.25, keep_ratio=True)], 0.25, 0.25),
    ([dict(type='mmseg_wss.RandomScale', ratio_range=(0.5, 2.))], 0.5, 2),
    ([dict(type='RandomResize', scale=(80, 80), ratio_range=(0.5, 1.5), keep_ratio=True)],
     0.25, 0.75),
    ([dict(type='RandomResize', scale=[(80, 80), (240, 240)], keep_ratio=True)], 0.5, 1.5),
    ([dict(type='RandomChoiceResize', scales=[(80, 80), (160, 160), (40, 40)], keep_ratio=True)],
     0.25, 1),
    ([dict(type='mmseg_wss.RandomScale', ratio_range=(0.5, 2.)),
      dict(type='Resize', scale_factor=0.5, keep_ratio=True)], 0.25, 1)], ids=str)
def test_the_smallest_and_the_largest_scale(pipeline, low, high):
    shape = 120, 160
    assert resize_factors(pipeline, shape) == pytest.approx((low, high))
    init_default_scope('mmseg')
    for seed in range(5):  # what the transforms draw is in between
        np.random.seed(seed)
        results = dict(img=np.zeros((*shape, 3), np.uint8), img_shape=shape, ori_shape=shape)
        for step in pipeline[pipeline[0]['type'] == 'LoadImageFromFile':]:
            results = TRANSFORMS.build(step)(results)
        drawn = math.sqrt(math.prod(results['img'].shape[:2]) / math.prod(shape))
        assert 0.99 * low <= drawn <= 1.01 * high
