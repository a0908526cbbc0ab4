"""Labels from files, against the arrays that were written into them."""
import numpy as np
import pytest
from devkit import write_annotation, write_mask
from mmengine.registry import TRANSFORMS
from PIL import Image
from transform_bench import LABELS, TransformBench, build, sample

from mmseg_wss.labels.formats.mask_file import read_mask

LOAD = dict(type='mmseg_wss.LoadWeakLabels')


@pytest.fixture
def files(tmp_path):
    """The mask and the first box of `sample` as files."""
    mask, box = sample('pixel')['gt_seg_map'], sample('box')['gt_bboxes'][0].astype(int)
    write_mask(tmp_path / 'mask.png', mask)
    write_mask(tmp_path / 'pseudo.png', np.where(mask == 1, 255, mask))
    write_annotation(tmp_path / 'box.xml', 'red', box, mask.shape)
    return tmp_path


def listed(supervision, files, **more):
    """What the data set gives: the image and the path of its label."""
    results = dict(sample('none'), supervision=supervision, **more)
    if supervision == 'none':
        return results
    path = dict(pixel=('seg_map_path', 'mask.png'), pseudo=('pseudo_mask_path', 'pseudo.png'),
                box=('box_path', 'box.xml'), image=('box_path', 'box.xml'))[supervision]
    return {**results, path[0]: str(files / path[1])}


class TestLoadWeakLabels(TransformBench):
    transform = LOAD

    @pytest.fixture
    def inputs(self, supervision, files):
        return listed(supervision, files)


class TestAfterResize(TestLoadWeakLabels):
    """For evaluation: labels have the size of the file, whatever the image has by then."""

    def test_maps_have_the_size_of_the_image(self, inputs, supervision):
        small = dict(inputs, img=inputs['img'][::2, ::2], img_shape=(30, 40))
        results = build(LOAD)(small)
        for key in results['seg_fields']:
            assert results[key].shape == (60, 80)


def test_masks_keep_their_labels_and_255(files):
    results = build(LOAD)(listed('pixel', files))
    assert np.array_equal(results['gt_seg_map'], sample('pixel')['gt_seg_map'])
    assert np.unique(results['gt_seg_map']).tolist() == [0, 1, 2, 3, 255]
    pseudo = build(LOAD)(listed('pseudo', files))['gt_seg_map']
    assert np.unique(pseudo).tolist() == [0, 2, 3, 255]


@pytest.mark.parametrize('mode, shape', [('P', (2, 3)), ('L', (2, 3)), ('RGB', (2, 3, 3))])
def test_masks_are_read_as_they_are(tmp_path, mode, shape):
    """A palette is not applied and a colour picture is not flattened to grey."""
    values = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    image = Image.frombytes(mode, (3, 2), values.tobytes())
    if mode == 'P':
        image.putpalette(range(255, -1, -1))
    image.save(tmp_path / 'a.png')
    assert read_mask(str(tmp_path / 'a.png')).shape == shape
    if mode != 'RGB':
        assert np.array_equal(read_mask(str(tmp_path / 'a.png')), values)


def test_nothing_of_another_supervision_is_opened(files):
    for supervision in LABELS:
        results = listed(supervision, files)
        others = dict.fromkeys(('seg_map_path', 'pseudo_mask_path'), 'nowhere')
        labels = TRANSFORMS.build(LOAD)({**others, **results})
        assert {key for key in labels if key.startswith('gt_')} == LABELS[supervision]
