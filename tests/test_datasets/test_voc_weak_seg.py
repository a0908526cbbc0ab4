"""What only VOC devkits have: tag files, points and scribbles, class names of a folder."""
from functools import partial

import numpy as np
import pytest
from dataset_bench import LAYOUTS, WEAK_IDS, DatasetBench, flat, make_root, voc
from devkit import CLASSES, write_annotation, write_mask
from mmengine.registry import init_default_scope
from mmseg.utils import get_classes

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.voc_xml import read_voc_objects
from mmseg_wss.labels.palette import class_palette


@pytest.mark.parametrize('layout', ['voc'])
class TestTagFile(DatasetBench):
    supervision = 'image'
    label_keys = dict(voc='tags')
    fields = ('gt_tags', )

    @pytest.fixture
    def build(self, root, layout):
        """The annotations are not needed."""
        for path in (root / 'Annotations').iterdir():
            path.unlink()
        (root / 'tags.txt').write_text(
            'w3 red\nw1 green red\n\nother green\nw0 green green\nw2  red \n')
        return partial(LAYOUTS[layout], root, 'image', tag_file='tags.txt')

    def expected(self, root, name):
        tags = dict(w0=[1, 0, 1], w1=[1, 1, 1], w2=[1, 1, 0], w3=[1, 1, 0])[name]
        return dict(gt_tags=np.array(tags, np.uint8))


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
    label_keys = dict(voc='partial_mask_path')
    fields = ('gt_sem_seg', 'gt_tags')
    absent = dict(w3=['gt_tags'])  # a stroke on the background does not say that nothing is there

    @pytest.fixture
    def root(self, tmp_path):
        """The annotations are not needed."""
        make_root(tmp_path)
        for path in (tmp_path / 'Annotations').iterdir():
            path.unlink()
        folder = tmp_path / self.label_folders['voc']
        folder.mkdir()
        for name in WEAK_IDS:
            write_mask(folder / f'{name}.png', partial_mask(name))
        return tmp_path

    def expected(self, root, name):
        tags = dict(w0=[1, 1, 0], w1=[1, 1, 1], w2=[1, 1, 0])
        labels = dict(gt_sem_seg=partial_mask(name)[None].astype(np.int64))
        return dict(labels, gt_tags=np.array(tags[name], np.uint8)) if name in tags else labels

    def test_another_folder(self, root, build):
        (root / self.label_folders['voc']).rename(root / 'Drawn_seed1')
        folder = {f'{self.supervision}_path': 'Drawn_seed1'}
        assert 'gt_sem_seg' in flat(build(data_prefix=folder)[0])

    def test_tags_of_a_file_come_first(self, root, build):
        (root / 'tags.txt').write_text('w0 red green\nw1 green red\nw2 red\nw3\n')
        dataset = build(tag_file='tags.txt')
        assert [flat(packed)['gt_tags'].tolist() for packed in dataset] == [
            [1, 1, 1], [1, 1, 1], [1, 1, 0], [1, 0, 0]]
        assert np.array_equal(flat(dataset[0])['gt_sem_seg'][0], partial_mask('w0'))


@pytest.mark.parametrize('layout', ['voc'])
class TestPoint(PartialBench):
    supervision = 'point'
    label_folders = dict(voc='PointLabels')


@pytest.mark.parametrize('layout', ['voc'])
class TestScribble(PartialBench):
    supervision = 'scribble'
    label_folders = dict(voc='ScribbleLabels')


def test_a_class_table_names_the_faults_of_a_label(tmp_path):
    init_default_scope('mmseg')
    root = make_root(tmp_path)
    write_annotation(root / 'Annotations/w1.xml', 'pink', (1, 2, 8, 9))
    write_annotation(root / 'Annotations/w2.xml', 'green', (1, 2, 8, 9))
    with pytest.raises(DataError, match="w1.xml.*unknown class 'pink'"):
        voc(root, 'box').class_table()
    write_annotation(root / 'Annotations/w1.xml', 'red', (1, 2, 8, 9))
    assert voc(root, 'box').class_table()[1:3].tolist() == [
        [False, True, False], [False, False, True]]


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


@pytest.mark.parametrize('as_file', [False, True])
def test_class_names_of_metainfo_come_first(root, as_file):
    classes = ['background', 'green', 'red', 'blue']
    (root / 'names.txt').write_text('\n'.join(classes) + '\n')
    dataset = voc(root, 'box', metainfo=dict(
        classes=str(root / 'names.txt') if as_file else classes))
    assert list(dataset.metainfo['classes']) == classes
    assert flat(dataset[0])['gt_boxes.labels'].tolist() == [2]  # red
    assert flat(dataset[0])['gt_tags'].tolist() == [1, 0, 1, 0]


def test_colours_differ_well_unless_metainfo_has_some(root):
    own = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    meta = dict(classes=list(CLASSES), palette=own)
    assert voc(root, 'box', metainfo=meta).metainfo['palette'] == own
    assert voc(root, 'box').metainfo['palette'] == class_palette(CLASSES)


def test_windows_line_ends_blank_lines_and_a_second_word(root):
    lists = root / 'ImageSets/Segmentation/weak.txt'
    lists.write_bytes(b'w2  1\r\n\r\nw0 -1\r\n  w3\r\n')
    (root / 'classes.txt').write_bytes(b'background\r\nred\r\ngreen\r\n')
    dataset = voc(root, 'box')
    assert tuple(dataset.metainfo['classes']) == CLASSES
    assert [info['img_path'][-6:] for info in dataset.load_data_list()] == [
        'w2.jpg', 'w0.jpg', 'w3.jpg']
    assert len(list(dataset)) == 3


@pytest.mark.parametrize('supervision, option', [('box', 'ann_file'), ('image', 'tag_file')])
def test_the_option_of_a_missing_file_is_named(root, supervision, option):
    with pytest.raises(DataError, match=rf'gone\.txt: .*Set {option} \(relative to data_root='):
        voc(root, supervision, **{option: 'gone.txt'})


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
