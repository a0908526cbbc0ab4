"""The data set of the quick start draws what it is told to."""
import pytest
from mmengine.registry import DATASETS, init_default_scope

from mmseg_wss.simulation.shapes import HARD_CLASSES, SHAPE_CLASSES


def build(root, **options):
    init_default_scope('mmseg')
    return DATASETS.build(dict(
        type='mmseg_wss.ShapesDataset', data_root=str(root), supervision='box',
        ann_file='ImageSets/Segmentation/train_weak.txt', **options))


@pytest.mark.parametrize('rare_share, classes', [(0., SHAPE_CLASSES), (0.5, HARD_CLASSES)])
def test_options_of_the_drawing(tmp_path, rare_share, classes):
    shapes = dict(num_images=(1, 4, 1), rare_share=rare_share)
    dataset = build(tmp_path / 'shapes', shapes=shapes)
    assert tuple(dataset.metainfo['classes']) == classes and len(dataset) == 4
    table = dataset.class_table()
    assert table.shape == (4, len(classes)) and table[:, 5:].sum() == 4 * rare_share
    build(tmp_path / 'shapes', shapes=shapes)
    with pytest.raises(ValueError, match='Remove it, or choose another folder'):
        build(tmp_path / 'shapes', shapes=dict(shapes, seed=1))
