"""Packed samples; `DatasetBench` compares their labels with the files."""
import numpy as np
import pytest
import torch
from transform_bench import build, sample

PACK = dict(type='mmseg_wss.PackWeakSegInputs')


@pytest.mark.parametrize('channels', [3, 5])
def test_image(channels):
    image = np.random.default_rng(0).integers(0, 255, (4, 6, channels), dtype=np.uint8)
    inputs = build(PACK)(dict(sample('image'), img=image))['inputs']
    assert inputs.dtype == torch.uint8 and inputs.is_contiguous()
    assert np.array_equal(inputs.numpy().transpose(1, 2, 0), image)


def test_boxes_that_were_all_cropped_away_are_no_absent_boxes():
    results = dict(sample('box'), gt_bboxes=np.zeros((0, 4), np.float32),
                   gt_bboxes_labels=np.zeros(0, np.int64))
    assert build(PACK)(results)['data_samples'].gt_boxes.bboxes.shape == (0, 4)


def test_metainfo():
    meta = build(PACK)(sample('box', scale_factor=(1, 2), flip=True))['data_samples'].metainfo
    assert (meta['supervision'], meta['img_path']) == ('box', '0.jpg')
    assert meta['ori_shape'] == meta['img_shape'] == (60, 80)
    assert (meta['scale_factor'], meta['flip']) == ((1, 2), True)
    assert build(dict(PACK, meta_keys=('img_path', )))(sample('box'))[
        'data_samples'].metainfo == dict(img_path='0.jpg')
