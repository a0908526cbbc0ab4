"""Boxes of images that have a mask, from the XML and from instance masks."""
import numpy as np
import pytest
from dataset_bench import WEAK_IDS, make_root, voc, voc_config
from devkit import CLASSES, write_mask
from mmengine.registry import TRANSFORMS
from PIL import Image

from mmseg_wss.engine.config_check import check_sample
from mmseg_wss.engine.weak_sources import image_tags, weak_images
from mmseg_wss.errors import DataError
from mmseg_wss.labels.boxes import box_hash
from mmseg_wss.labels.objects import instance_boxes, load_objects
from mmseg_wss.labels.stores.mask_folder import MaskFolder
from mmseg_wss.proposals.jobs import LOADING, MakeProposal

BOX_KEYS = {'ori_bboxes', 'ori_bboxes_labels'}


@pytest.fixture
def root(tmp_path):
    """A devkit with instance masks of the strong images."""
    root = make_root(tmp_path)
    for path in (root / 'SegmentationClass').iterdir():
        mask = np.array(Image.open(path))
        (root / 'SegmentationObject').mkdir(exist_ok=True)
        write_mask(root / 'SegmentationObject' / path.name, np.where(mask == 0, mask, 3))
    return root


def loaded(dataset, index=0):
    """Results of loading the labels of one image."""
    load = TRANSFORMS.build(dict(type='mmseg_wss.LoadWeakLabels'))
    info = dataset.get_data_info(index)
    size = Image.open(info['img_path']).size
    return load(dict(info, ori_shape=size[::-1], classes=CLASSES))


@pytest.mark.parametrize('source', ['xml', 'instance'])
def test_strong_images_get_the_box_of_their_mask(root, source):
    dataset = voc(root, 'pixel', with_boxes=True, box_source=source)
    for index in range(len(dataset)):
        results = loaded(dataset, index)
        y, x = np.nonzero(results['gt_seg_map'])
        box = [x.min(), y.min(), x.max() + 1, y.max() + 1]
        np.testing.assert_array_equal(results['ori_bboxes'], np.array([box], np.float32))
        assert results['ori_bboxes_labels'].tolist() == [results['gt_seg_map'].max()]
        assert 'gt_bboxes' not in results and 'gt_tags' not in results


def test_a_mask_without_any_box(root):
    """The image is empty, by its boxes, unless the data set says that these boxes are missing."""
    for path in (root / 'Annotations').iterdir():
        path.write_text('<annotation></annotation>')
    for supervision in 'pixel', 'pseudo':
        dataset = voc(root, supervision, with_boxes=True)
        assert loaded(dataset)['ori_bboxes'].shape == (0, 4)
    assert loaded(voc(root, 'pixel', with_boxes=True, empty='error'))['ori_bboxes'].shape == (0, 4)
    dataset = voc(root, 'pseudo', with_boxes=True, empty='error')
    with pytest.raises(DataError, match=r'\.xml: the weak image has no object'):
        loaded(dataset)


def test_masks_without_recorded_boxes_need_none(root):
    """Nor do masks of nobody's record; then no annotation is opened."""
    names, boxes, _ = load_objects(voc(root, 'box').get_data_info(0), CLASSES)
    with MaskFolder(root / 'masks', dict(tool='test')) as folder:
        for name in WEAK_IDS:
            folder.write(name, np.ones((24, 32), np.uint8), box_hash(names, boxes))
    recorded = voc(root, 'pseudo', pseudo_mask='masks')
    for path in (root / 'Annotations').glob('w*'):
        path.unlink()
    assert loaded(recorded)['gt_seg_map'].all()  # boxes may go when the masks are made
    assert check_sample(recorded.get_data_info(0), CLASSES)[0] == []
    (root / 'Annotations/w0.xml').write_text('no XML')
    with pytest.raises(DataError, match=r'w0\.xml: not a readable XML'):
        loaded(recorded)
    write_mask(root / 'masks/w0.png', np.ones((24, 32), np.uint8))
    assert loaded(recorded)['gt_seg_map'].all()


def test_instances_by_brute_force():
    rng = np.random.default_rng(0)
    instances = rng.choice([0, 1, 2, 7, 255], (12, 15)).astype(np.uint8)
    mask = np.where(instances == 7, 255, instances % 3).astype(np.uint8)
    mask[instances == 2] = 5
    labels, boxes = instance_boxes(instances, mask)
    assert labels == [1, 5]  # 7 has no labelled pixel
    for number, box in zip((1, 2), boxes):
        points = [(x, y) for y in range(12) for x in range(15) if instances[y, x] == number]
        assert box.tolist() == [min(x for x, _ in points), min(y for _, y in points),
                                max(x for x, _ in points) + 1, max(y for _, y in points) + 1]


def test_instance_masks_that_contradict_the_class_mask(root):
    info = voc(root, 'pixel', with_boxes=True, box_source='instance').get_data_info(1)
    with pytest.raises(DataError, match='SegmentationObject.*classes 1..1'):
        load_objects(info, CLASSES[:2])
    write_mask(info['instance_path'], np.zeros((3, 3), np.uint8))
    with pytest.raises(DataError, match=r'SegmentationObject.*\(3, 3\).*make them agree'):
        load_objects(info, CLASSES)


def training(*sources):
    return dict(train_dataloader=dict(dataset=dict(type='ConcatDataset', datasets=list(sources))))


def test_weak_images_of_a_config(root):
    strong = voc_config(root, 'pixel', ann_file='ImageSets/Segmentation/strong.txt')
    weak = voc_config(root, 'pseudo', pseudo_mask='not_yet', with_boxes=True)
    source = weak_images(training(strong, weak), 'not_yet', with_boxes=True)
    assert source.supervision == 'box' and source.test_mode
    infos = [source.get_data_info(i) for i in range(len(source))]
    assert [info['mask_name'] for info in infos] == WEAK_IDS
    assert not any('pseudo_mask_path' in info or 'seg_map_path' in info for info in infos)
    with pytest.raises(ValueError, match='no training source'):
        weak_images(training(strong), 'not_yet')
    with pytest.raises(ValueError, match='no train_dataloader: name the config of a training'):
        weak_images(dict(proposals=dict(method='rect')), 'not_yet')


def test_unlabelled_images_get_masks_but_have_no_tags(root):
    for path in (root / 'Annotations').iterdir():
        path.unlink()
    config = training(voc_config(root, 'none'))
    assert len(weak_images(config, 'not_yet')) == 4
    with pytest.raises(ValueError, match="supervision='none' has no tags.*Label the images"):
        image_tags(config)


def test_weak_images_may_lack_files_until_they_are_read(root):
    (root / 'JPEGImages/w1.jpg').unlink()
    (root / 'Annotations/w2.xml').unlink()
    config = training(voc_config(root, 'box'))
    with pytest.raises(DataError, match=r'2 file\(s\) that its images need'):
        weak_images(config, 'not_yet', LOADING, with_boxes=True)
    make = MakeProposal(
        weak_images(config, 'not_yet', LOADING, with_boxes=True, check_files=False), 'rect')
    assert make(0, 'w0').any() and make(3, 'w3').any()
    with pytest.raises(DataError, match=r'w1\.jpg: there is no such file\. Add it'):
        make(1, 'w1')
    with pytest.raises(DataError, match=r'w2\.xml: there is no such annotation file'):
        make(2, 'w2')
