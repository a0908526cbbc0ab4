"""Images and classes by the names that people give them."""
import shutil
from unicodedata import normalize

import numpy as np
import pytest
from dataset_bench import WEAK_IDS, coco, make_root, true_mask, true_object, voc
from devkit import CLASSES
from mmengine.registry import init_default_scope
from PIL import Image

from mmseg_wss.errors import DataError

NAMES = dict(w0='my photo, 1', w1='Größe/Übersicht 2', w2='a/w0', w3='000002 copy')
SUFFIXES = dict(w0='.PNG', w1='.jpeg', w2='.tif', w3='.bmp')


@pytest.fixture
def root(tmp_path):
    """Four weak images under other names and suffixes; on the disk in NFD, as macOS has them."""
    init_default_scope('mmseg')
    make_root(tmp_path)
    for old, new in NAMES.items():
        new = normalize('NFD', new)
        for folder, suffix in ('SegmentationClass', '.png'), ('Annotations', '.xml'):
            path = tmp_path / folder / f'{new}{suffix}'
            path.parent.mkdir(exist_ok=True)
            shutil.move(tmp_path / folder / f'{old}{suffix}', path)
        image = tmp_path / f'JPEGImages/{new}{SUFFIXES[old]}'
        image.parent.mkdir(exist_ok=True)
        Image.open(tmp_path / f'JPEGImages/{old}.jpg').save(image)
        (tmp_path / f'JPEGImages/{old}.jpg').unlink()
    weak = tmp_path / 'ImageSets/Segmentation/weak.txt'
    weak.write_text('\n'.join(NAMES.values()), encoding='utf-8')
    (tmp_path / 'classes.txt').write_text('background\nupper body\nkörper, links\n', 'utf-8')
    for path in (tmp_path / 'Annotations').rglob('*.xml'):
        text = path.read_text().replace('red', 'upper body')
        path.write_text(text.replace('green', normalize('NFD', 'körper, links')), 'utf-8')
    return tmp_path


@pytest.fixture
def truth(tmp_path_factory):
    return make_root(tmp_path_factory.mktemp('truth'))


@pytest.mark.parametrize('form', ['NFC', 'NFD'])
def test_every_file_of_an_image_is_found(root, truth, form):
    weak = root / 'ImageSets/Segmentation/weak.txt'
    weak.write_text(normalize(form, weak.read_text('utf-8')), 'utf-8')
    dataset = voc(root, 'box')
    for old, packed in zip(WEAK_IDS, dataset):
        label, box = true_object(truth, old)
        sample = packed['data_samples']
        assert sample.img_path == normalize(
            'NFD', f'{root}/JPEGImages/{NAMES[old]}{SUFFIXES[old]}')
        assert sample.gt_boxes.bboxes.tolist() == [box]
        assert sample.gt_boxes.labels.tolist() == [label]
    for old, packed in zip(WEAK_IDS, voc(root, 'pixel')):
        mask = packed['data_samples'].gt_sem_seg.data[0].numpy()
        assert np.array_equal(mask, true_mask(truth, old))


@pytest.mark.parametrize('lines', [
    ['"my photo, 1" "upper body"', 'Größe/Übersicht 2,"körper, links"', 'a/w0 "upper body"',
     '000002 copy\tupper body']])
def test_a_tag_file_with_blanks_and_commas(root, lines):
    (root / 'tags.txt').write_text('\n'.join(lines), 'utf-8')
    dataset = voc(root, 'image', tag_file='tags.txt')
    assert [packed['data_samples'].gt_tags.tolist() for packed in dataset] == [
        [1, 1, 0], [1, 0, 1], [1, 1, 0], [1, 1, 0]]
    (root / 'tags.txt').write_text('\n'.join([*lines[:3], '"000002 copy" upper body']), 'utf-8')
    with pytest.raises(DataError, match="class 'upper'.*stands in double quotes.*\n.*'body'"):
        voc(root, 'image', tag_file='tags.txt')[3]


def test_two_files_of_one_image_are_a_fault_that_names_both(root):
    for name in ('a/w0.jpg', 'a/w0.JPG'):
        shutil.copy(root / 'JPEGImages/a/w0.tif', root / 'JPEGImages' / name)
    with pytest.raises(DataError, match=r'a/w0.JPG and .*a/w0.jpg and .*a/w0.tif. Rename'):
        voc(root, 'box')
    weak = root / 'ImageSets/Segmentation/weak.txt'
    weak.write_text('a/w0')
    assert voc(root, 'box', img_suffix='.tif').get_data_info(0)['img_path'].endswith('w0.tif')


@pytest.mark.parametrize('line, said', [
    ('A/W0', r'A/W0\.jpg'), ('a/W0', r'W0\.jpg \(there is w0\.tif: capitals count'),
    ('000002 Copy', r'there is 000002 copy\.bmp'), ('000002', r'000002\.jpg\n'),
    ('000002 copy.bmp', r'there is 000002 copy\.bmp: IDs have no suffix'),
    ('my photo, 2', r'my photo, 2\.jpg\n')])
def test_a_name_that_is_not_there_names_what_is_near(root, line, said):
    """Nothing is silently taken for another image."""
    (root / 'ImageSets/Segmentation/weak.txt').write_text(line)
    with pytest.raises(DataError, match=f'1 file.*do not exist:\n.*{said}'):
        voc(root, 'none')


def test_coco_names_may_be_spelled_either_way(tmp_path):
    init_default_scope('mmseg')
    make_root(tmp_path)
    path = tmp_path / 'weak.json'
    path.write_text(path.read_text().replace('w0.jpg', 'Gr\\u00f6\\u00dfe 1.jpg'))
    (tmp_path / 'JPEGImages/w0.jpg').rename(
        tmp_path / f'JPEGImages/{normalize("NFD", "Größe 1")}.jpg')
    (tmp_path / 'list.txt').write_text('Größe 1\nw2\n', 'utf-8')
    dataset = coco(tmp_path, 'box', image_list='list.txt')
    assert len(dataset) == 2 and dataset[0]['data_samples'].gt_boxes.labels.tolist() == [
        CLASSES.index('red') if true_object(tmp_path, 'w0')[0] == 1 else 2]
