"""Packed samples: fields that are there, fields that are not, and nothing else lost."""
import numpy as np
import pytest
import torch
from mmseg.structures import SegDataSample
from transform_bench import build, sample

PACK = dict(type='mmseg_wss.PackWeakSegInputs')
FIELDS = dict(pixel={'gt_sem_seg'}, pseudo={'gt_sem_seg'}, box={'gt_boxes', 'gt_tags'},
              image={'gt_tags'})


@pytest.mark.parametrize('supervision', FIELDS)
def test_an_absent_label_is_an_absent_field(supervision):
    packed = build(PACK)(sample(supervision))
    assert packed.keys() == {'inputs', 'data_samples'}
    assert isinstance(packed['data_samples'], SegDataSample)
    assert set(packed['data_samples'].keys()) == FIELDS[supervision]


def test_image():
    results = sample('image')
    inputs = build(PACK)(results)['inputs']
    assert inputs.dtype == torch.uint8 and inputs.is_contiguous()
    assert np.array_equal(inputs.numpy().transpose(1, 2, 0), results['img'])


def test_five_channels_stay_five():
    image = np.random.default_rng(0).integers(0, 255, (4, 6, 5), dtype=np.uint8)
    assert np.array_equal(build(PACK)(dict(sample('image'), img=image))['inputs'],
                          image.transpose(2, 0, 1))


def test_mask():
    results = sample('pixel')
    data = build(PACK)(results)['data_samples'].gt_sem_seg.data
    assert data.dtype == torch.int64 and data.shape == (1, 60, 80)
    assert np.array_equal(data[0], results['gt_seg_map'])


def test_boxes_and_tags():
    results = sample('box')
    packed = build(PACK)(results)['data_samples']
    assert packed.gt_boxes.bboxes.dtype == torch.float32
    assert packed.gt_boxes.labels.dtype == torch.int64
    assert packed.gt_tags.dtype == torch.uint8
    assert np.array_equal(packed.gt_boxes.bboxes, results['gt_bboxes'])
    assert packed.gt_boxes.labels.tolist() == [1, 2, 3]
    assert packed.gt_tags.tolist() == [1, 1, 1, 1]


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
