"""Boxes painted as masks, against a loop over pixels."""
import numpy as np
import pytest
from transform_bench import TransformBench, build, sample

from mmseg_wss.datasets.transforms import rect_mask
from mmseg_wss.errors import DataError


class TestPseudoMask(TransformBench):
    transform = dict(type='mmseg_wss.PseudoMask', kind='rect')
    adds = dict(box={'gt_seg_map'})
    refuses = 'image', 'none'


def by_pixel(boxes, labels, shape):
    """The smallest box (of equal ones the last) that holds the centre of a pixel gives its class.
    """
    mask = np.zeros(shape, np.uint8)
    for y, x in np.ndindex(*shape):
        best = None
        for (x1, y1, x2, y2), label in zip(boxes.tolist(), labels):
            if x1 <= x + 0.5 < x2 and y1 <= y + 0.5 < y2:
                area = (x2 - x1) * (y2 - y1)
                if best is None or area <= best:
                    best, mask[y, x] = area, label
    return mask


@pytest.mark.parametrize('grid', [None, 0.25, 0.5, 1])
def test_as_pixel_by_pixel(grid):
    """On a grid, edges fall on pixel centres and areas are equal; some boxes leave the image."""
    rng = np.random.default_rng(0)
    for _ in range(60):
        corners = rng.uniform(-4, 20, (rng.integers(1, 7), 2, 2)).astype(np.float32)
        if grid:
            corners = np.round(corners / grid) * np.float32(grid)
        boxes = np.concatenate([corners.min(1), corners.max(1)], 1)
        labels = rng.integers(1, 21, len(boxes))
        mask = rect_mask(boxes, labels, (13, 17))
        assert mask.dtype == np.uint8
        assert np.array_equal(mask, by_pixel(boxes, labels, (13, 17)))


def test_without_boxes_all_is_background():
    mask = rect_mask(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), (3, 5))
    assert mask.shape == (3, 5) and not mask.any()


@pytest.mark.parametrize('supervision', ['pixel', 'pseudo'])
def test_a_mask_passes_unchanged(supervision):
    results = sample(supervision)
    mask = results['gt_seg_map']
    assert build(TestPseudoMask.transform)(results)['gt_seg_map'] is mask


@pytest.mark.parametrize('supervision, remedy', [
    ('image', "'image'. Tags do not say where .*EMHead or .*RRMHead; or, .* supervision='box'"),
    ('none', "an unlabelled image has none. .*supervision='pseudo'")])
def test_without_boxes_the_remedy_fits_the_kind_of_label(supervision, remedy):
    results = dict(sample('image'), supervision=supervision)
    with pytest.raises(DataError, match=f'paints boxes, but .*{remedy}'):
        build(TestPseudoMask.transform)(results)


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="'rect', got 'grabcut'"):
        build(dict(type='mmseg_wss.PseudoMask', kind='grabcut'))
