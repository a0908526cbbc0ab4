"""The table of label kinds."""
import pytest
from dataset_bench import make_root, voc
from mmengine.registry import init_default_scope

from mmseg_wss.labels.kinds import KINDS, is_truth, is_weak


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
