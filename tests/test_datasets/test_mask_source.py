"""Masks of weak images from another source than their label, and what the label takes out of them.

The folder ``Pseudo`` of `make_root` has one class in each image, but for 255 in the first rows.
"""
import numpy as np
import pytest
from dataset_bench import (
    LAYOUTS,
    WEAK_IDS,
    DatasetBench,
    flat,
    make_root,
    opened_paths,
    true_object,
    voc,
)
from devkit import read_mask, write_mask
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmseg_wss.datasets.transforms import rect_mask
from mmseg_wss.engine.config_check import check_sample
from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.mask_file import write_mask as write_record

FOLDER = dict(type='folder', path='Pseudo')
AUTO = dict(type='auto', path='Pseudo')


def file_mask(root, name):
    return read_mask(root / f'Pseudo/{name}.png')


class SourceBench(DatasetBench):
    masks = FOLDER

    @pytest.fixture
    def build(self, root, layout):
        return lambda **options: LAYOUTS[layout](
            root, self.supervision, **dict(dict(masks=self.masks), **options))

    def test_list_holds_the_label_that_the_supervision_allows_and_no_other(self, build, layout):
        for info in build().load_data_list():
            keys = {key for key in info if key.endswith('_path') or key == 'tags'}
            assert keys - {'pseudo_mask_path'} == {
                'img_path', self.label_keys.get(layout, 'img_path')}
            assert ('pseudo_mask_path' in keys) == (self.masks == FOLDER)


    def test_class_table_holds_the_objects_of_the_label_and_opens_no_other(self, root, build):
        """The folder of the masks is no label of the image."""
        tables = []
        paths = opened_paths(lambda: tables.append(build().class_table()))
        assert not any('SegmentationClass' in path or path.endswith('.png') for path in paths)
        for row, name in zip(tables[0], WEAK_IDS):
            expected = [] if self.supervision == 'none' else [true_object(root, name)[0]]
            assert np.flatnonzero(row).tolist() == expected


class TestFolderAndBoxes(SourceBench):
    """A class stays in its boxes, and what is in no box is background, 255 or not."""
    supervision = 'box'
    label_keys = dict(voc='box_path')
    fields = 'gt_sem_seg', 'gt_boxes', 'gt_tags'

    def expected(self, root, name):
        label, (x1, y1, x2, y2) = true_object(root, name)
        mask, expected = file_mask(root, name), np.zeros((24, 32), np.int64)
        inside = mask[y1:y2, x1:x2]
        expected[y1:y2, x1:x2] = np.where((inside == 0) | (inside == label), inside, 255)
        return dict(gt_sem_seg=expected[None])


class TestFolderAndTags(SourceBench):
    supervision = 'image'
    label_keys = dict(voc='box_path', coco='tags')
    fields = 'gt_sem_seg', 'gt_tags'

    def expected(self, root, name):
        mask = file_mask(root, name).astype(np.int64)
        mask[(mask != 0) & (mask != true_object(root, name)[0])] = 255
        return dict(gt_sem_seg=mask[None])


class TestFolderAlone(SourceBench):
    supervision = 'none'
    fields = ('gt_sem_seg', )

    def expected(self, root, name):
        return dict(gt_sem_seg=file_mask(root, name).astype(np.int64)[None])


class TestRect(SourceBench):
    supervision = 'box'
    masks = 'rect'
    label_keys = dict(voc='box_path')
    fields = 'gt_sem_seg', 'gt_boxes', 'gt_tags'

    def expected(self, root, name):
        label, box = true_object(root, name)
        painted = rect_mask(np.array([box]), np.array([label]), (24, 32))
        return dict(gt_sem_seg=painted.astype(np.int64)[None])


@pytest.fixture
def root(tmp_path):
    init_default_scope('mmseg')
    return make_root(tmp_path)


def test_clicks_stay_what_they_are(root):
    clicks = np.full((24, 32), 255, np.uint8)
    clicks[2, 3:9], clicks[10, 4:6], clicks[20, 20] = 1, 0, 2
    (root / 'ScribbleLabels').mkdir()
    for name in WEAK_IDS:
        write_mask(root / f'ScribbleLabels/{name}.png', clicks)
    for packed in zip(voc(root, 'scribble'), voc(root, 'scribble', masks='clicks')):
        assert np.array_equal(*(flat(one)['gt_sem_seg'] for one in packed))
    for name, packed in zip(WEAK_IDS, voc(root, 'scribble', masks=FOLDER)):
        expected = np.where(clicks == 255, file_mask(root, name), clicks)
        assert np.array_equal(flat(packed)['gt_sem_seg'][0], expected)


@pytest.mark.parametrize('empty, supervision', [('background', 'box'), ('unlabelled', 'none')])
def test_an_empty_image(root, empty, supervision):
    """Background all over; an image that is called unlabelled has the mask of the source."""
    (root / 'Annotations/w1.xml').write_text('<annotation></annotation>')
    packed = voc(root, 'box', masks=FOLDER, empty=empty)[1]
    expected = file_mask(root, 'w1') if supervision == 'none' else np.zeros((24, 32))
    assert np.array_equal(flat(packed)['gt_sem_seg'][0], expected) and file_mask(root, 'w1').any()
    assert packed['data_samples'].supervision == supervision


def test_a_mask_that_is_missing_or_wrong(root):
    (root / 'Pseudo/w2.png').unlink()
    with pytest.raises(DataError, match=r'1 file\(s\)[^$]*Pseudo/w2.png'):
        voc(root, 'image', masks=FOLDER)
    write_mask(root / 'Pseudo/w2.png', np.full((24, 32), 7, np.uint8))
    with pytest.raises(DataError, match=r'Pseudo/w2.png: the mask has labels \[7\]'):
        voc(root, 'image', masks=FOLDER)[2]
    with pytest.raises(DataError, match=r"type 'auto' .* but 4 of 4 do not say so: .*Pseudo/w0"):
        voc(root, 'image', masks=AUTO)
    with pytest.raises(DataError, match="made_by='cam' expects that this method"):
        voc(root, 'image', masks=dict(FOLDER, made_by='cam'))


@pytest.mark.parametrize('masks, supervision, message', [
    ('mcg', 'box', 'masks must have a type of rect, folder, auto, clicks; got'),
    ('auto', 'box', "type 'auto' need its path"),
    (dict(AUTO, made_by='x'), 'box', 'no option made'),
    ('clicks', 'box', "supervision='box' has none: give a folder"),
    ('Pseudo', 'box', r"dict\(type='folder', path=FOLDER\)"),
    ('folder', 'box', 'need its path'), (dict(FOLDER, tau=1), 'box', 'have no option tau'),
    ('rect', 'image', "supervision='image' has none"), (FOLDER, 'pixel', 'the mask is the label'),
    (FOLDER, 'pseudo', 'the mask is the label')])
def test_sources_that_are_refused(root, masks, supervision, message):
    with pytest.raises(ValueError, match=message):
        voc(root, supervision, masks=masks)


def test_masks_that_a_judge_chose(root):
    """They are those of the folder; all must say so."""
    for number, name in enumerate(WEAK_IDS):
        path, own = root / f'Pseudo/{name}.png', dict(source='teacher', tau=0.9)
        record = dict(recipe=dict(method='net'), **(own if number else {}))
        write_record(path, file_mask(root, name), record)
    with pytest.raises(DataError, match='but 1 of .*Pseudo/w0.png. Make them with'):
        voc(root, 'image', masks=AUTO)
    write_record(root / 'Pseudo/w0.png', file_mask(root, 'w0'), dict(record, source='rect'))
    for one, other in zip(voc(root, 'image', masks=AUTO), voc(root, 'image', masks=FOLDER)):
        assert np.array_equal(flat(one)['gt_sem_seg'], flat(other)['gt_sem_seg'])


def test_a_check_counts_the_pixels_that_train(root):
    """Those that are left of the mask."""
    dataset = voc(root, 'box', masks=FOLDER)
    for info, packed in zip(dataset.load_data_list(), dataset):
        faults, facts = check_sample(info, dataset.metainfo['classes'])
        values, counts = np.unique(flat(packed)['gt_sem_seg'], return_counts=True)
        assert not faults and facts.pixels == dict(zip(values.tolist(), counts.tolist()))


def test_the_source_is_an_option_of_a_config(root, tmp_path):
    """One line in the weak source of any config; its dict survives mmengine's own."""
    (tmp_path / 'config.py').write_text(f"weak = dict(masks={FOLDER!r})")
    masks = Config.fromfile(tmp_path / 'config.py').weak.masks
    assert np.array_equal(*(flat(voc(root, 'box', masks=one)[1])['gt_sem_seg']
                            for one in (masks, FOLDER)))
