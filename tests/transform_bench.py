"""What every transform of weakly labelled images has to pass: subclass `TransformBench`."""
import copy

import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.registry import TRANSFORMS, init_default_scope

CLASSES = ('background', 'red', 'green', 'blue')
COLOURS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
LABELS = dict(pixel={'gt_seg_map'}, pseudo={'gt_seg_map'},
              box={'gt_bboxes', 'gt_bboxes_labels', 'gt_tags'}, image={'gt_tags'},
              none=set())
DTYPES = dict(img=np.uint8, gt_seg_map=np.uint8, gt_bboxes=np.float32, gt_bboxes_labels=np.int64,
              gt_tags=np.uint8)


def scene(seed, size=(60, 80)):
    """Three solid rectangles, one of each colour, that do not touch.

    Returns:
        tuple: image uint8 (H, W, 3), mask uint8 (H, W), boxes float32 (3, 4) of classes 1, 2, 3.
    """
    rng = np.random.default_rng(seed)
    height, width = size
    mask = np.zeros(size, np.uint8)
    for label, (row, column) in enumerate(rng.permutation([(0, 0), (0, 1), (1, 0), (1, 1)])[:3], 1):
        h, w = rng.integers(6, (height // 2 - 4, width // 2 - 4))
        y = row * height // 2 + rng.integers(2, height // 2 - 2 - h, endpoint=True)
        x = column * width // 2 + rng.integers(2, width // 2 - 2 - w, endpoint=True)
        mask[y:y + h, x:x + w] = label
    return COLOURS[mask], mask, np.array([tight_box(mask == i) for i in (1, 2, 3)], np.float32)


def tight_box(inside):
    """(x1, y1, x2, y2), half-open, of a bool (H, W) map that is not empty."""
    y, x = np.nonzero(inside)
    return [x.min(), y.min(), x.max() + 1, y.max() + 1]


def sample(supervision, seed=0, **more):
    """What a transform is given: a `scene` with the labels of its supervision."""
    image, mask, boxes = scene(seed)
    results = dict(
        img=image, img_path=f'{seed}.jpg', img_shape=image.shape[:2], ori_shape=image.shape[:2],
        supervision=supervision, classes=CLASSES, seg_fields=[], **more)
    if supervision in ('pixel', 'pseudo'):
        mask[:, 0] = 255
        results.update(gt_seg_map=mask, seg_fields=['gt_seg_map'])
    elif supervision == 'box':
        results.update(gt_bboxes=boxes, gt_bboxes_labels=np.array([1, 2, 3]))
    if supervision in ('box', 'image'):
        results['gt_tags'] = np.ones(4, np.uint8)
    return results


def build(*configs):
    """A transform, or a pipeline of several, as a config with mmseg's scope builds it."""
    init_default_scope('mmseg')
    return Compose([TRANSFORMS.build(config) for config in configs])


def apply(transform, results, seed=0):
    np.random.seed(seed)
    return transform(copy.deepcopy(results))


def assert_boxes_fit_their_objects(results, tolerance):
    """Each box is the tight box of its colour in the image; objects out of sight have none."""
    for label in (1, 2, 3):
        inside = results['img'][..., label - 1] > 127
        boxes = results['gt_bboxes'][results['gt_bboxes_labels'] == label]
        if len(boxes) and (boxes[0, 2:] - boxes[0, :2]).min() < tolerance:
            continue  # a sliver: a resized image may show it or not, and in part
        assert len(boxes) == inside.any(), label
        if len(boxes):
            assert np.abs(boxes[0] - tight_box(inside)).max() <= tolerance, (label, boxes)


class TransformBench:
    """Fill in the attributes; overwrite `inputs` where a transform needs others."""

    transform = None  # config
    adds = {}  # supervision -> labels that the transform makes
    refuses = ()  # supervisions that it raises a ValueError for

    @pytest.fixture(params=LABELS)
    def supervision(self, request):
        return request.param

    @pytest.fixture
    def inputs(self, supervision):
        return sample(supervision)

    @pytest.fixture
    def outputs(self, inputs, supervision):
        """Results for ten seeds; none for a supervision that is refused."""
        transform = build(self.transform)
        if supervision in self.refuses:
            with pytest.raises(ValueError, match=inputs['img_path']):
                transform(inputs)
            return []
        return [apply(transform, inputs, seed) for seed in range(10)]

    def test_labels_are_those_of_the_supervision(self, outputs, supervision):
        for results in outputs:
            labels = {key for key in results if key.startswith('gt_')}
            assert labels == LABELS[supervision] | self.adds.get(supervision, set())
            assert results['seg_fields'] == ['gt_seg_map'] * ('gt_seg_map' in labels)

    def test_types(self, outputs):
        for results in outputs:
            for key in DTYPES.keys() & results.keys():
                assert results[key].dtype == DTYPES[key], key

    def test_maps_have_the_size_of_the_image(self, outputs):
        for results in outputs:
            assert results['img_shape'] == results['img'].shape[:2]
            for key in results['seg_fields']:
                assert results[key].shape == results['img'].shape[:2]

    def test_boxes_lie_in_the_image_with_a_label_each(self, outputs):
        for results in outputs:
            if 'gt_bboxes' in results:
                x1, y1, x2, y2 = results['gt_bboxes'].T
                height, width = results['img'].shape[:2]
                assert results['gt_bboxes_labels'].shape == x1.shape
                assert ((0 <= x1) & (x1 < x2) & (x2 <= width)).all()
                assert ((0 <= y1) & (y1 < y2) & (y2 <= height)).all()

    def test_same_seed_same_result(self, inputs, outputs):
        transform = build(self.transform)
        for seed, results in enumerate(outputs):
            np.testing.assert_equal(apply(transform, inputs, seed), results)

    def test_what_comes_in_is_not_written_to(self, inputs, outputs):
        """A cached array, or one of a data set, would change with it."""
        if outputs:
            before = copy.deepcopy(inputs)
            build(self.transform)(dict(inputs, seg_fields=[*inputs['seg_fields']]))
            np.testing.assert_equal(inputs, before)
