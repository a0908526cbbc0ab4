"""VOC devkits with every kind of supervision, against the files as other readers see them."""
import re
import shutil

import numpy as np
import pytest
from dataset_bench import PLAIN, WEAK_IDS, DatasetBench, flat, make_root, voc
from devkit import CLASSES, write_annotation, write_mask
from mmengine.dataset import ConcatDataset
from mmengine.registry import DATASETS, init_default_scope
from mmseg.utils import get_classes
from PIL import Image

from mmseg_wss.datasets import COCOWeakSegDataset, VOCWeakSegDataset, WeakSegDataset
from mmseg_wss.datasets.samplers.seeded_index import SeededIndex
from mmseg_wss.engine.config_check import read_data_lists
from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.voc_xml import read_voc_objects
from mmseg_wss.labels.stores.mask_folder import MaskFolder


class TestPixel(DatasetBench):
    supervision = 'pixel'
    label_key = 'seg_map_path'
    label_folder = 'SegmentationClass'
    fields = ('gt_sem_seg', )

    def expected(self, root, name):
        return dict(gt_sem_seg=self.true_mask(root, name)[None].astype(np.int64))

    def test_another_folder_of_masks(self, root):
        (root / 'SegmentationClass').rename(root / 'SegmentationClassAug')
        dataset = self.build(root, data_prefix=dict(seg_map_path='SegmentationClassAug'))
        assert 'SegmentationClassAug' in dataset.get_data_info(0)['seg_map_path']
        assert 'gt_sem_seg' in flat(dataset[0])


class TestBox(DatasetBench):
    supervision = 'box'
    label_key = 'box_path'
    label_folder = 'Annotations'
    fields = ('gt_boxes', 'gt_tags')

    def expected(self, root, name):
        """From the mask: the devkit draws one square, whose box is exact."""
        mask = self.true_mask(root, name)
        y, x = np.nonzero(mask)
        box = [x.min(), y.min(), x.max() + 1, y.max() + 1]
        return {'gt_boxes.bboxes': np.array([box], np.float32),
                'gt_boxes.labels': np.array([mask.max()], np.int64),
                'gt_tags': np.isin(range(3), mask).astype(np.uint8)}


class TestImage(DatasetBench):
    supervision = 'image'
    label_key = 'box_path'
    label_folder = 'Annotations'
    fields = ('gt_tags', )

    def expected(self, root, name):
        return dict(gt_tags=np.isin(range(3), self.true_mask(root, name)).astype(np.uint8))


class TestNone(DatasetBench):
    """Unlabelled images: no file of a label needs to exist, and none is opened."""
    supervision = 'none'
    label_key = 'img_path'

    def expected(self, root, name):
        return {}

    def test_it_needs_images_alone(self, root):
        for folder in ('SegmentationClass', 'Annotations', 'Pseudo'):
            shutil.rmtree(root / folder)
        assert len(list(self.build(root))) == 4

    def test_tags_and_boxes_are_refused(self, root):
        with pytest.raises(ValueError, match="got supervision='none': it would be ignored"):
            self.build(root, tag_file='tags.txt')
        with pytest.raises(ValueError, match="got supervision='none': remove it"):
            self.build(root, with_boxes=True)


class TestTagFile(DatasetBench):
    supervision = 'image'
    label_key = 'tags'
    fields = ('gt_tags', )
    lines = 'w3 red\nw1 green red\n\nother green\nw0 green green\nw2  red \n'
    tags = dict(w0=[1, 0, 1], w1=[1, 1, 1], w2=[1, 1, 0], w3=[1, 1, 0])

    def build(self, root, **options):
        (root / 'tags.txt').write_text(self.lines)
        return voc(root, 'image', tag_file='tags.txt', **options)

    def expected(self, root, name):
        return dict(gt_tags=np.array(self.tags[name], np.uint8))

    def test_annotations_are_not_opened(self, root):
        for path in (root / 'Annotations').iterdir():
            path.unlink()
        assert len(list(self.build(root))) == 4

    def test_an_image_without_a_line_is_named(self, root):
        self.lines = 'w0 red\nw2 red\n'
        with pytest.raises(DataError, match=r'tags\.txt: no line for 2 image.*: w1, w3'):
            self.build(root)

    @pytest.mark.parametrize('supervision', ['pixel', 'box'])
    def test_is_refused_where_it_would_be_ignored(self, root, supervision):
        with pytest.raises(ValueError, match="tag_file='tags.txt' belongs to"):
            VOCWeakSegDataset(ann_file='x', data_root=str(root), tag_file='tags.txt',
                              supervision=supervision)


class TestPseudo(DatasetBench):
    supervision = 'pseudo'
    label_key = 'pseudo_mask_path'
    label_folder = 'Pseudo'
    fields = ('gt_sem_seg', )

    def expected(self, root, name):
        mask = np.full((1, 24, 32), WEAK_IDS.index(name) % 3, np.int64)
        mask[:, :5] = 255
        return dict(gt_sem_seg=mask)

    def test_absolute_folder(self, root, tmp_path_factory):
        elsewhere = tmp_path_factory.mktemp('elsewhere') / 'masks'
        (root / 'Pseudo').rename(elsewhere)
        dataset = VOCWeakSegDataset(
            ann_file='ImageSets/Segmentation/weak.txt', data_root=str(root), pipeline=PLAIN,
            supervision='pseudo', pseudo_mask=str(elsewhere))
        expected = self.expected(root, 'w1')['gt_sem_seg']
        assert np.array_equal(flat(dataset[1])['gt_sem_seg'], expected)

    def test_masks_of_another_method_are_refused(self, root):
        """By a training, and by check_data with words about the masks."""
        for made_by in ('rect', 'grabcut'):
            with MaskFolder(root / made_by, dict(tool='test', method=made_by)) as folder:
                for name in WEAK_IDS:
                    folder.write(name, np.ones((24, 32), np.uint8))
        assert len(list(self.build(root, pseudo_mask='rect', made_by='rect'))) == 4
        for folder, words in (('grabcut', "w0.png (made by 'grabcut')"),
                              ('Pseudo', 'w0.png (without a record)')):
            with pytest.raises(DataError, match=re.escape(words)):
                self.build(root, pseudo_mask=folder, made_by='rect')
            source = dict(type='mmseg_wss.VOCWeakSegDataset', data_root=str(root),
                          ann_file='ImageSets/Segmentation/weak.txt', supervision='pseudo',
                          pseudo_mask=folder, made_by='rect')
            listed, = read_data_lists(dict(train_dataloader=dict(dataset=source)))
            assert len(listed.images) == 4 and words in listed.faults[0]

    def test_a_folder_with_a_manifest_is_refused(self, root):
        (root / 'Pseudo/manifest.jsonl').touch()
        with pytest.raises(DataError, match='mask_records.py .*Pseudo" once'):
            self.build(root)


def partial_mask(name):
    """Strokes on the background, of two classes, of one, and of none in turn."""
    number = WEAK_IDS.index(name)
    mask = np.full((24, 32), 255, np.uint8)
    mask[3:5, 4:20] = 0
    if number < 3:
        mask[9:12, 6:9] = 1 + number % 2
    if number == 1:
        mask[15:17, 20:30] = 1
    return mask


class PartialBench(DatasetBench):
    """Masks of points and scribbles: the same but for the names."""
    label_key = 'partial_mask_path'
    fields = ('gt_sem_seg', 'gt_tags')

    @pytest.fixture
    def root(self, tmp_path):
        make_root(tmp_path)
        (tmp_path / self.label_folder).mkdir()
        for name in WEAK_IDS:
            write_mask(tmp_path / self.label_folder / f'{name}.png', partial_mask(name))
        return tmp_path

    def expected(self, root, name):
        tags = dict(w0=[1, 1, 0], w1=[1, 1, 1], w2=[1, 1, 0], w3=[1, 0, 0])[name]
        return dict(gt_sem_seg=partial_mask(name)[None].astype(np.int64),
                    gt_tags=np.array(tags, np.uint8))

    def test_another_folder(self, root):
        (root / self.label_folder).rename(root / 'Drawn_seed1')
        folder = {f'{self.supervision}_path': 'Drawn_seed1'}
        assert 'gt_sem_seg' in flat(self.build(root, data_prefix=folder)[0])

    def test_annotations_are_not_opened(self, root):
        for path in (root / 'Annotations').iterdir():
            path.unlink()
        assert len(list(self.build(root))) == 4

    def test_tags_of_a_file_come_first(self, root):
        (root / 'tags.txt').write_text('w0 red green\nw1 green red\nw2 red\nw3\n')
        dataset = self.build(root, tag_file='tags.txt')
        assert [flat(packed)['gt_tags'].tolist() for packed in dataset] == [
            [1, 1, 1], [1, 1, 1], [1, 1, 0], [1, 0, 0]]
        assert np.array_equal(flat(dataset[0])['gt_sem_seg'][0], partial_mask('w0'))

    def test_with_boxes_is_refused(self, root):
        with pytest.raises(ValueError, match=f"got supervision='{self.supervision}': remove it"):
            self.build(root, with_boxes=True)

    def test_pseudo_mask_is_refused(self, root):
        with pytest.raises(ValueError, match="belongs to supervision='pseudo'"):
            self.build(root, pseudo_mask=self.label_folder)


class TestPoint(PartialBench):
    supervision = 'point'
    label_folder = 'PointLabels'


class TestScribble(PartialBench):
    supervision = 'scribble'
    label_folder = 'ScribbleLabels'


@pytest.mark.parametrize('supervision', ['point', 'scribble'])
def test_layouts_without_such_labels_refuse_them(supervision):
    with pytest.raises(ValueError, match=f"box, image, pseudo, none, got '{supervision}'"):
        COCOWeakSegDataset(ann_file='x', supervision=supervision)


# ---- class names, palette and lists do not depend on the supervision

@pytest.fixture
def root(tmp_path):
    init_default_scope('mmseg')
    return make_root(tmp_path)


def test_class_names_of_voc(root):
    """The order in which the labels of VOC's masks count."""
    (root / 'classes.txt').unlink()
    for name in WEAK_IDS:
        write_annotation(root / f'Annotations/{name}.xml', 'person', (1, 2, 8, 9))
    dataset = voc(root, 'box')
    assert dataset.metainfo['classes'] == get_classes('voc')
    assert len(dataset.metainfo['classes']) == 21
    assert set(flat(dataset[0])['gt_boxes.labels']) == {15}
    assert flat(dataset[0])['gt_tags'].tolist() == [1] + [0] * 14 + [1] + [0] * 5


def test_class_names_of_the_devkit(root):
    assert tuple(voc(root, 'box').metainfo['classes']) == CLASSES


@pytest.mark.parametrize('as_file', [False, True])
def test_class_names_of_metainfo_come_first(root, as_file):
    classes = ['background', 'green', 'red', 'blue']
    (root / 'names.txt').write_text('\n'.join(classes) + '\n')
    dataset = voc(root, 'box', metainfo=dict(
        classes=str(root / 'names.txt') if as_file else classes))
    assert list(dataset.metainfo['classes']) == classes
    assert flat(dataset[0])['gt_boxes.labels'].tolist() == [2]  # red
    assert flat(dataset[0])['gt_tags'].tolist() == [1, 0, 1, 0]


def test_palette_is_that_of_voc_unless_metainfo_has_one(root):
    own = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    meta = dict(classes=list(CLASSES), palette=own)
    assert voc(root, 'box', metainfo=meta).metainfo['palette'] == own
    palette = Image.open(root / 'SegmentationClass/w0.png').getpalette()
    assert voc(root, 'box').metainfo['palette'] == [[0, 0, 0], [128, 0, 0], [0, 128, 0]]
    names = [f'class {i}' for i in range(21)]
    colours = voc(root, 'box', metainfo=dict(classes=names)).metainfo['palette']
    assert sum(colours, []) == palette[:63]
    assert (colours[15], colours[20]) == ([192, 128, 128], [0, 64, 128])


def test_windows_line_ends_blank_lines_and_a_second_word(root):
    lists = root / 'ImageSets/Segmentation/weak.txt'
    lists.write_bytes(b'w2  1\r\n\r\nw0 -1\r\n  w3\r\n')
    (root / 'classes.txt').write_bytes(b'background\r\nred\r\ngreen\r\n')
    dataset = voc(root, 'box')
    assert tuple(dataset.metainfo['classes']) == CLASSES
    assert [info['img_path'][-6:] for info in dataset.load_data_list()] == [
        'w2.jpg', 'w0.jpg', 'w3.jpg']
    assert len(list(dataset)) == 3


def test_boxes_of_voc_count_from_one_and_include_the_last_pixel(tmp_path):
    """VOC's first pixel is 1; here a box is what slices an array."""
    path = tmp_path / 'a.xml'
    path.write_text("""<annotation>
      <object><name> dog </name><bndbox><xmax>8</xmax><xmin>1</xmin><ymin>3</ymin><ymax>3</ymax>
      </bndbox><part><name>head</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>4</xmax>
      <ymax>4</ymax></bndbox></part></object>
      <object><name>cat</name><bndbox><xmin>2.5</xmin><ymin>1</ymin><xmax>4</xmax><ymax>9</ymax>
      </bndbox></object></annotation>""")
    names, boxes = read_voc_objects(str(path))
    assert names == ['dog', 'cat']
    assert boxes.dtype == np.float32
    assert boxes.tolist() == [[0, 2, 8, 3], [1.5, 0, 4, 9]]


def test_strong_and_weak_images_in_one_data_set(root):
    strong = dict(
        type='mmseg_wss.VOCWeakSegDataset', data_root=str(root), supervision='pixel',
        ann_file='ImageSets/Segmentation/strong.txt', pipeline=PLAIN)
    weak = dict(strong, supervision='box', ann_file='ImageSets/Segmentation/weak.txt')
    both = DATASETS.build(dict(type='ConcatDataset', datasets=[strong, weak]))
    assert isinstance(both, ConcatDataset) and len(both) == 6
    assert all(isinstance(dataset, WeakSegDataset) for dataset in both.datasets)
    kinds = [both[SeededIndex(i, 0)]['data_samples'].supervision for i in range(6)]
    assert kinds == ['pixel'] * 2 + ['box'] * 4


@pytest.mark.parametrize('options, said', [
    (dict(supervision='scribbles'),
     "one of pixel, box, image, pseudo, point, scribble, none, got 'scribbles'"),
    (dict(supervision='pseudo'), 'pseudo_mask=None'),
    (dict(supervision='box', made_by='rect'), "made_by='rect' says who made pseudo masks"),
    (dict(supervision='box', pseudo_mask='Pseudo'), "supervision='box' with pseudo_mask='Pseudo'")])
def test_options_that_do_not_fit_are_refused(root, options, said):
    with pytest.raises(ValueError, match=said):
        VOCWeakSegDataset(ann_file='x', data_root=str(root), **options)
