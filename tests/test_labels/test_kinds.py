"""The table of label kinds."""
from pathlib import Path

import pytest
from dataset_bench import make_root, voc
from devkit import CLASSES
from mmengine.registry import init_default_scope

from mmseg_wss.errors import DataError
from mmseg_wss.labels.kinds import KINDS, is_truth, is_weak, read_label


@pytest.fixture
def root(tmp_path):
    init_default_scope('mmseg')
    return make_root(tmp_path)


def test_only_pixel_is_truth():
    assert [name for name in KINDS if is_truth(name)] == ['pixel']
    assert not is_weak({}) and is_weak(dict(supervision='none'))
    assert not is_truth('a kind of somebody else')


def test_the_true_mask_is_listed_for_truth_alone(root):
    options = dict(pseudo=dict(pseudo_mask='Pseudo'))
    for name in KINDS:
        dataset = voc(root, name, lazy_init=True, **options.get(name, {}))
        listed = ['seg_map_path' in info for info in dataset.scan_list()[0]]
        assert len(listed) == 4 and set(listed) == {name == 'pixel'}


def test_every_fault_of_a_label_is_found_at_once(root):
    """Also those ahead of a file that cannot be read."""
    info = voc(root, 'pixel', with_boxes=True).get_data_info(0)
    Path(info['box_path']).write_text('no XML')
    label = read_label(info, CLASSES[:1], (5, 5))
    assert [Path(fault.split(': ')[0]).name for fault in label.faults] == [
        'w0.png', 'w0.png', 'w0.xml']
    with pytest.raises(DataError) as error:
        label.checked_fields()
    assert str(error.value).splitlines() == label.faults


def test_data_sets_of_others_may_have_no_mask():
    label = read_label(dict(img_path='a.jpg', label_map=None, reduce_zero_label=False), CLASSES)
    assert (label.fields, label.faults, label.seen) == ({}, [], set())
