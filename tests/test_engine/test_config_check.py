import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from devkit import CLASSES, make_devkit, write_mask
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from PIL import Image
from torch import nn

from mmseg_wss.engine.config_check import (
    check_sample,
    class_order_faults,
    find_overlaps,
    head_faults,
    overlap_faults,
)
from mmseg_wss.engine.data_lists import DataList, read_data_lists
from mmseg_wss.engine.hooks.setup_check_hook import check_num_classes

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def kit(tmp_path):
    init_default_scope('mmseg')
    make_devkit(tmp_path)
    return tmp_path


def source(kit, name, supervision='pixel', **kwargs):
    return dict(type='mmseg_wss.VOCWeakSegDataset', data_root=str(kit), supervision=supervision,
                ann_file=f'ImageSets/Segmentation/{name}.txt', **kwargs)


def config(train, val=None, test=None):
    loaders = dict(train=dict(type='ConcatDataset', datasets=train), val=val, test=test)
    return Config({f'{split}_dataloader': dict(dataset=dataset)
                   for split, dataset in loaders.items() if dataset})


def read_one(dataset):
    return read_data_lists(config([dataset]))[0]


def faults_of(dataset):
    entry = read_one(dataset)
    return entry.faults + [
        fault for info in entry.images for fault in check_sample(info, entry.classes)[0]]


def test_lists_of_a_config(kit):
    val = source(kit, 'val')
    repeated = dict(type='RepeatDataset', times=2, dataset=source(kit, 'weak', 'box'))
    lists = read_data_lists(config([source(kit, 'strong'), repeated], val, val))
    names = [entry.name for entry in lists]
    assert [name.split(' (')[0] for name in names] == [
        'training source 0', 'training source 1', 'val', 'test']
    assert str(kit / 'ImageSets/Segmentation/weak.txt') in names[1]
    assert [entry.supervision for entry in lists] == ['pixel', 'box', 'pixel', 'pixel']
    assert [entry.for_training for entry in lists] == [True, True, False, False]
    assert all(entry.classes == CLASSES and len(entry.images) == 2 for entry in lists)
    assert not overlap_faults(lists)  # val and test are the same list


@pytest.mark.parametrize('supervision', ['pixel', 'box', 'image', 'pseudo'])
def test_good_samples(kit, supervision):
    folder = dict(pseudo_mask='SegmentationClass') if supervision == 'pseudo' else {}
    entry = read_one(source(kit, 'strong', supervision, **folder))
    results = [check_sample(info, entry.classes) for info in entry.images]
    assert [(faults, facts.seen) for faults, facts in results] == [
        ([], {'background', 'red'}), ([], {'background', 'green'})]


def test_unlabelled_images(kit):
    (kit / 'Annotations/w0.xml').unlink()
    (kit / 'JPEGImages/w1.jpg').write_bytes(b'no image')
    entry = read_one(source(kit, 'weak', 'none'))
    (_, facts), (faults, _) = [check_sample(info, entry.classes) for info in entry.images]
    assert not facts.seen and len(faults) == 1 and 'w1.jpg' in faults[0]


@pytest.mark.parametrize('supervision', ['point', 'scribble'])
def test_points_and_scribbles(kit, supervision):
    folder = kit / f'{supervision.title()}Labels'
    folder.mkdir()
    (kit / 'SegmentationClass/w0.png').write_bytes(b'no mask')  # it is not opened
    drawn = np.full((12, 16), 255, np.uint8)
    drawn[2, 3:6] = 1
    for name in ('w0', 'w1'):
        write_mask(folder / f'{name}.png', drawn)
    entry = read_one(source(kit, 'weak', supervision))
    results = [check_sample(info, entry.classes) for info in entry.images]
    assert entry.supervision == supervision
    assert [(faults, facts.seen) for faults, facts in results] == [([], {'red'})] * 2


@pytest.mark.parametrize('supervision', ['box', 'image'])
def test_true_masks_of_weak_images_are_not_opened(kit, supervision):
    (kit / 'SegmentationClass/w0.png').unlink()
    (kit / 'SegmentationClass/w1.png').write_bytes(b'no mask')
    assert faults_of(source(kit, 'weak', supervision)) == []
    assert len(faults_of(source(kit, 'weak', 'pixel'))) == 2  # they do have faults


def test_a_list_is_read_behind_its_faults(kit):
    (kit / 'ImageSets/Segmentation/weak.txt').write_text('w0\nw1\nw0\n')
    (kit / 'tags.txt').write_text('w0 red\nw0 green\n')
    (kit / 'JPEGImages/w1.jpg').unlink()
    twice, double_line, no_line, missing = faults_of(
        source(kit, 'weak', 'image', tag_file='tags.txt'))
    assert 'weak.txt' in twice and 'w0' in twice
    assert 'tags.txt' in double_line and 'w0' in double_line
    assert 'tags.txt' in no_line and 'w1' in no_line
    assert 'w1.jpg' in missing


def test_options_that_do_not_fit_are_faults_too(kit):
    assert 'pseudo_mask' in faults_of(source(kit, 'weak', 'pseudo'))[0]
    assert 'names.txt' in faults_of(source(kit, 'weak', metainfo=dict(classes='names.txt')))[0]


def test_image_and_mask_of_a_sample_are_reported_together(kit):
    image = kit / 'JPEGImages/s0.jpg'
    image.write_bytes(image.read_bytes()[:-100])
    write_mask(kit / 'SegmentationClass/s0.png', np.full((5, 5), 9, np.uint8))
    corrupt, size, labels = faults_of(source(kit, 'strong'))
    assert 's0.jpg' in corrupt and 'truncated' in corrupt
    assert 's0.png' in size and '5x5' in size and '16x12' in size
    assert 's0.png' in labels and '[9]' in labels


def test_labels_are_checked_without_an_image(kit):
    for image_id in ('s0', 's1'):
        (kit / f'JPEGImages/{image_id}.jpg').write_bytes(b'no image')
    write_mask(kit / 'SegmentationClass/s0.png', np.full((5, 5), 9, np.uint8))
    faults = faults_of(source(kit, 'strong'))
    assert [next(w for w in ('s0.jpg', 's0.png', 's1.jpg') if w in fault) for fault in faults] == [
        's0.jpg', 's0.png', 's1.jpg']
    assert len(faults_of(source(kit, 'strong', 'box'))) == 2  # the boxes are right


def test_size_of_an_image_that_is_turned_when_loaded(kit):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (12, 16)).save(kit / 'JPEGImages/s0.jpg', exif=exif)  # 16x12 when turned
    assert faults_of(source(kit, 'strong')) == []


def test_data_sets_of_mmseg(kit):
    dataset = dict(
        type='BaseSegDataset', data_root=str(kit), ann_file='ImageSets/Segmentation/strong.txt',
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'))
    named = dict(dataset, metainfo=dict(classes=CLASSES))
    assert faults_of(dataset) == faults_of(named) == []
    write_mask(kit / 'SegmentationClass/s0.png', np.full((12, 16), 3, np.uint8))
    assert faults_of(dataset) == []  # no names, no limit
    assert faults_of(dict(named, reduce_zero_label=True)) == []  # 1..3 become 0..2
    assert '[3]' in faults_of(named)[0]
    (kit / 'ImageSets/Segmentation/strong.txt').unlink()
    assert 'strong.txt' in faults_of(named)[0]


def test_overlaps(kit):
    lists = kit / 'ImageSets/Segmentation'
    (lists / 'weak.txt').write_text('w0\ns0\nv1\n')
    (lists / 'test.txt').write_text('v0\nw0\n')
    faults = overlap_faults(read_data_lists(config(
        [source(kit, 'strong'), source(kit, 'weak', 'box')], source(kit, 'val'),
        source(kit, 'test'))))
    assert len(faults) == 3  # and none for v0, in val and test
    for fault, (a, b, image) in zip(faults, [
            ('strong.txt', 'weak.txt', 's0.jpg'), ('weak.txt', 'val.txt', 'v1.jpg'),
            ('weak.txt', 'test.txt', 'w0.jpg')]):
        assert a in fault and b in fault and image in fault and 'share 1' in fault


def test_find_overlaps():
    assert find_overlaps(dict(a='xyz', b='zuy', c='u')) == [
        ('a', 'b', ['y', 'z']), ('b', 'c', ['u'])]
    assert find_overlaps({}) == []


def spellings(kit, other):
    """Other paths of the devkit, and of an image of it."""
    os.symlink(kit, other / 'link')
    copy = other / 'hard'
    make_devkit(copy)
    for file in (kit / 'JPEGImages').iterdir():
        (copy / 'JPEGImages' / file.name).unlink()
        os.link(file, copy / 'JPEGImages' / file.name)
    return dict(
        dot=f'{kit.parent}/./{kit.name}', twice=f'{kit.parent}//{kit.name}', end=f'{kit}/',
        parent=f'{kit}/ImageSets/..', relative=os.path.relpath(kit), link=str(other / 'link'),
        through=f'{other}/link/JPEGImages/..', hard=str(copy))


@pytest.mark.parametrize('spelling', [
    'dot', 'twice', 'end', 'parent', 'relative', 'link', 'through', 'hard'])
def test_an_image_is_the_same_however_its_path_is_written(kit, tmp_path_factory, spelling):
    lists = kit / 'ImageSets/Segmentation'
    (lists / 'strong.txt').write_text('s0\nv1\n')
    other = spellings(kit, tmp_path_factory.mktemp('other'))[spelling]
    fault, = overlap_faults(read_data_lists(config(
        [source(kit, 'strong')], source(Path(other), 'val') | dict(data_root=other))))
    assert 'share 1 image' in fault and str(kit / 'JPEGImages/v1.jpg') in fault


def test_copies_of_files_are_other_images(tmp_path):
    paths = [tmp_path / name for name in 'ab']
    for path in paths:
        path.write_text('same')
    assert find_overlaps(dict(a=[str(paths[0])], b=[str(paths[1])])) == []


def named(*classes):
    return dict(metainfo=dict(classes=list(classes)))


@pytest.mark.parametrize('classes, said', [
    ((*CLASSES[:1], *CLASSES[:0:-1]), 'the same class names in another order'),
    ((*CLASSES[:-1], 'other'), 'other class names'),
    ((*CLASSES[:-1], CLASSES[-1].upper()), 'other class names'),
    ((*CLASSES[:-1], CLASSES[-1] + ' '), 'other class names'),
    (CLASSES, None), ((*CLASSES, 'more'), None)], ids=str)
@pytest.mark.parametrize('where', ['source', 'val', 'test'])
def test_class_names_and_their_order(kit, classes, said, where):
    other = source(kit, 'weak', 'box', **named(*classes))
    sources = [source(kit, 'strong')] + [other] * (where == 'source')
    splits = {where: other} if where != 'source' else {}
    faults = class_order_faults(read_data_lists(config(sources, **splits)))
    if said is None:
        assert not faults
    else:
        assert len(faults) == 1 and said in faults[0]
        assert ', '.join(CLASSES) in faults[0] and ', '.join(classes) in faults[0]


def test_heads(kit):
    lists = read_data_lists(config([source(kit, 'strong')], source(kit, 'val')))
    assert head_faults({}, lists) == []
    assert head_faults(dict(decode_head=dict(num_classes=3), auxiliary_head=None), lists) == []
    assert head_faults(dict(decode_head=dict(type='X')), lists) == []
    wrong = head_faults(dict(decode_head=[dict(num_classes=3), dict(num_classes=21)],
                             auxiliary_head=dict(num_classes=2)), lists)
    assert len(wrong) == 2
    assert all(word in wrong[0] for word in ('decode_head', '21', '3 classes', 'strong.txt'))
    assert 'auxiliary_head' in wrong[1]


def test_heads_inside_a_wrapper(kit):
    lists = read_data_lists(config([source(kit, 'strong')], source(kit, 'val')))

    def faults(number):
        return head_faults(dict(decode_head=dict(
            type='mmseg_wss.DenseEnergyHead', head=dict(num_classes=number))), lists)
    assert faults(3) == []
    (fault, ) = faults(16)
    assert 'model.decode_head' in fault and 'num_classes=16' in fault and '3 classes' in fault


def data_lists(*numbers):
    """Two training sources and the images to evaluate, of so many classes each."""
    return [DataList(f'list{i}', i < 2, 'pixel', tuple(map(str, range(number))))
            for i, number in enumerate(numbers)]


def test_a_head_that_groups_its_classes():
    """Trains with both data sets, predicts the groups: the hook looks at the built head."""
    head = dict(
        type='mmseg_wss.CrossJointHead', groups=[[0, 2], [1], [3]],
        head=dict(type='FCNHead', in_channels=2, channels=2, num_classes=4, num_convs=0,
                  concat_input=False, loss_decode=dict(
                      type='CrossEntropyLoss', avg_non_ignore=True)))
    model = nn.Module()
    model.decode_head = MODELS.build(head)
    for evaluated, is_right in ((3, True), (4, False), (5, False)):
        lists = data_lists(3, 4, evaluated)
        faults = head_faults(dict(decode_head=head), lists)
        assert (faults == []) == is_right
        if not is_right:
            assert len(faults) == 1 and 'list2 have' in faults[0] and 'groups' in faults[0]
            with pytest.raises(ValueError, match='num_classes=3'):
                check_num_classes(model, SimpleNamespace(metainfo=dict(classes=lists[2].classes)))
    (fault, ) = head_faults(dict(decode_head=head), data_lists(3, 5, 3))
    assert 'list1 have 5 classes' in fault
    wrapped = dict(head, head=dict(type='mmseg_wss.EMHead', head=head['head']))
    assert head_faults(dict(decode_head=wrapped), data_lists(3, 4, 3)) == []


@pytest.mark.parametrize('name', ['cross_joint_vgg16_voc_coco', 'cross_joint_semi_vgg16_voc_coco'])
def test_voc_beside_coco(name):
    model = Config.fromfile(REPO / f'configs/wss/{name}.py').model
    assert head_faults(model, data_lists(21, 81, 21)) == []
    assert len(head_faults(model, data_lists(20, 81, 81))) == 2
