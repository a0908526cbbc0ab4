import numpy as np
import pytest
from devkit import write_mask

from mmseg_wss.labels.facts import label_facts
from mmseg_wss.labels.kinds import read_label

CLASSES = 'background', 'red', 'green'
MASK = np.array([[0, 0, 1, 2]] * 3, np.uint8)


def facts_of(folder, key='pseudo_mask_path', **info):
    write_mask(folder / 'a.png', MASK)
    info = {'img_path': 'a.jpg', key: str(folder / 'a.png'), **info}
    if key == 'pseudo_mask_path':
        info['supervision'] = 'pseudo'
    return label_facts(read_label(info, CLASSES), info, CLASSES)


@pytest.mark.parametrize('key', ['seg_map_path', 'pseudo_mask_path'])
@pytest.mark.parametrize('names, bboxes, contradicts', [
    (['red', 'green'], [[2, 0, 3, 3], [3, 0, 4, 3]], False),
    (['green', 'red'], [[2, 0, 3, 3], [3, 0, 4, 3]], True)])
def test_boxes_of_a_list(tmp_path, key, names, bboxes, contradicts):
    """Of COCO: they are in the list, not in a file."""
    facts = facts_of(tmp_path, key, mask_inputs=dict(objects=dict(names=names, bboxes=bboxes)))
    assert facts.contradicts is contradicts
    assert facts.pixels == {0: 6, 1: 3, 2: 3} and facts.seen == set(CLASSES)


@pytest.mark.parametrize('xml', [None, '<annotation><object>'])
def test_boxes_that_cannot_be_read_are_not_compared(tmp_path, xml):
    if xml:
        (tmp_path / 'a.xml').write_text(xml)
    facts = facts_of(tmp_path, mask_inputs=dict(box_path=str(tmp_path / 'a.xml')))
    assert facts.contradicts is None and facts.is_labelled and facts.has_objects


def test_labels_are_counted_as_trained(tmp_path):
    """As mmseg does: first 0 is ignored and the rest moves down by one, then labels are mapped."""
    assert facts_of(tmp_path, 'seg_map_path', reduce_zero_label=True).pixels == {
        255: 6, 0: 3, 1: 3}
    assert facts_of(tmp_path, 'seg_map_path', label_map={0: 1, 1: 0, 2: 255}).pixels == {
        1: 6, 0: 3, 255: 3}
    assert facts_of(tmp_path, 'seg_map_path', reduce_zero_label=True,
                    label_map={0: 1, 1: 0, 2: 2}).pixels == {255: 6, 1: 3, 0: 3}


def test_a_faulty_mask_counts_for_nothing(tmp_path):
    info = dict(img_path='a.jpg', supervision='pseudo', pseudo_mask_path=str(tmp_path / 'b.png'))
    write_mask(tmp_path / 'b.png', MASK + 2)
    facts = label_facts(read_label(info, CLASSES), info, CLASSES)
    assert not facts.pixels and facts.contradicts is None and not facts.is_labelled


def test_sizes_of_objects(tmp_path):
    """The square root of the area: of each class's region in a mask, of each box."""
    masks = [facts_of(tmp_path, key) for key in ('seg_map_path', 'pseudo_mask_path')]
    assert all(fact.object_sizes == (3 ** 0.5, 3 ** 0.5) for fact in masks)
    write_mask(tmp_path / 'b.png', np.where(MASK == 1, MASK, 255))
    info = dict(img_path='b.jpg', supervision='point', partial_mask_path=str(tmp_path / 'b.png'))
    points = label_facts(read_label(info, CLASSES), info, CLASSES)
    assert points.pixels and points.object_sizes == ()
    info = dict(img_path='a.jpg', supervision='box', objects=dict(
        names=['red', 'red'], bboxes=[[0, 0, 4, 1], [1, 0, 4, 3]]))
    fact = label_facts(read_label(info, CLASSES), info, CLASSES, (3, 4))
    assert fact.object_sizes == (2, 3) and fact.shape == (3, 4)
