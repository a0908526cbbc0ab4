import numpy as np
import pytest

from mmseg_wss.datasets.transforms import RandomScale


def resized(shape, factor=(0.5, 1.5), seed=0):
    np.random.seed(seed)
    rows, columns = np.indices(shape)
    mask = ((rows >= shape[0] // 2) * 2 + (columns >= shape[1] // 2)).astype(np.uint8)
    return RandomScale(factor)(dict(
        img=np.repeat(mask[..., None], 3, 2), gt_seg_map=mask, seg_fields=['gt_seg_map'],
        gt_bboxes=np.array([[0, 0, shape[1] // 2, shape[0] // 2]], np.float32)))


@pytest.mark.parametrize('shape', [(375, 500), (480, 640), (1200, 1600)])
def test_the_factor_is_that_of_the_file(shape):
    found = [resized(shape, seed=seed)['img'].shape[:2] for seed in range(60)]
    factors = np.array(found) / shape
    assert abs(factors[:, 0] - factors[:, 1]).max() < 2 / min(shape)  # rounding to pixels
    assert 0.5 <= factors.min() < 0.55 and 1.45 < factors.max() <= 1.5
    assert found[0] != found[1] and found[0] == resized(shape, seed=0)['img'].shape[:2]


def test_labels_go_along():
    results = resized((40, 60), (2, 2))
    mask = results['gt_seg_map']
    assert mask.shape == results['img'].shape[:2] == results['img_shape'] == (80, 120)
    assert np.array_equal(mask, np.kron([[0, 1], [2, 3]], np.ones((40, 60))))
    assert results['gt_bboxes'].tolist() == [[0, 0, 60, 40]]


@pytest.mark.parametrize('ratio_range', [(0, 1), (2, 1)])
def test_factors_that_are_none(ratio_range):
    with pytest.raises(ValueError, match='smallest <= largest, got'):
        RandomScale(ratio_range)
