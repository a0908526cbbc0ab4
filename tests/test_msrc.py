"""Real photographs: what the loaders read against the instance masks of the annotators."""
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from PIL import Image

from mmseg_wss.datasets.transforms import rect_mask
from mmseg_wss.labels.formats.voc_xml import read_voc_objects

REPO = Path(__file__).parent.parent


def ids(msrc, name):
    return (msrc / f'ImageSets/Segmentation/{name}.txt').read_text().split()


def read(msrc, folder, image_id):
    return np.array(Image.open(msrc / folder / f'{image_id}.png'))


def test_boxes_are_the_tight_boxes_of_the_instances(msrc):
    for image_id in ids(msrc, 'trainaug'):
        names, boxes = read_voc_objects(msrc / f'Annotations/{image_id}.xml')
        instances = read(msrc, 'SegmentationObject', image_id)
        for number, box in enumerate(boxes, 1):
            rows, columns = np.nonzero(instances == number)
            tight = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            assert tuple(box) == tight, image_id
        assert len(names) == len(set(instances.ravel()) - {0, 255}), image_id


def test_painted_boxes_cover_the_objects_and_leave_their_outside_to_the_background(msrc):
    classes = (msrc / 'classes.txt').read_text().split()
    for image_id in ids(msrc, 'train_weak60'):
        names, boxes = read_voc_objects(msrc / f'Annotations/{image_id}.xml')
        mask = read(msrc, 'SegmentationClass', image_id)
        painted = rect_mask(boxes, np.array([classes.index(name) for name in names]), mask.shape)
        labelled = (mask > 0) & (mask < 255)
        assert (painted[labelled] > 0).all(), image_id
        if len(names) == 1:
            assert (painted[labelled] == mask[labelled]).all(), image_id


def test_the_lists_of_every_msrc_config_are_read_whole(monkeypatch, msrc):
    monkeypatch.setenv('MSRC_ROOT', str(msrc))
    init_default_scope('mmseg')
    sizes = dict(trainaug=285, train_strong60=60, train_weak60=225, train_strong15=15,
                 train_weak15=270)
    read = {}
    for path in sorted(REPO.glob('configs/msrc/*.py')):
        config = Config.fromfile(path)
        for source in config.train_dataloader.dataset.datasets:
            # pseudo masks are still to be made: lazy, the list alone
            source.lazy_init = source.supervision == 'pseudo' or 'masks' in source
            if source.supervision in ('scribble', 'point'):  # and so are these: any masks will do
                source.data_prefix[f'{source.supervision}_path'] = 'SegmentationClass'
            number = read_once(dict(source, pipeline=[]), read)
            assert number == sizes[Path(source.ann_file).stem], path.stem
        assert read_once(dict(config.val_dataloader.dataset, pipeline=[]), read) == 209


def read_once(source, read):
    """The number of images of a source; `read` has those that other configs have, too."""
    key = str(sorted(source.items()))
    if key not in read:
        read[key] = len(DATASETS.build(source).load_data_list())
    return read[key]
