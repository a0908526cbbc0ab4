"""The rows of label_rows.py: each trains with the labels that its name says."""
import pytest
from mmengine.config import Config
from tiny_run import load_script

SCRIPT = load_script('benchmarks/label_rows.py')
LISTS = 'ImageSets/Segmentation'
KINDS = dict(
    masks60=['pixel'], masks15=['pixel'], masks285=['pixel'], boxes=['pixel', 'box'],
    boxes_painted=['pixel', 'box'], tags=['pixel', 'image'], unlabelled=['pixel', 'none'],
    points=['pixel', 'point'], points_alone=['pixel', 'point'], scribbles=['pixel', 'scribble'],
    scribbles_alone=['pixel', 'scribble'], boxes15=['pixel', 'pseudo'],
    mix=['pixel', 'box', 'image', 'none'])


@pytest.mark.parametrize('row', SCRIPT.ROWS)
def test_a_row_trains_with_its_labels(row, tmp_path):
    SCRIPT.write_config(tmp_path, row, seed=3, start='teacher.pth')
    config = Config.fromfile(str(tmp_path / f'configs/{row}_seed3.py'))
    sources = config.train_dataloader.dataset.datasets
    assert [source.supervision for source in sources] == KINDS[row]
    strong = {'masks285': 'trainaug', 'masks15': 'train_strong15', 'boxes15': 'train_strong15'}
    assert sources[0].ann_file == f'{LISTS}/{strong.get(row, "train_strong60")}.txt'
    made = [source.masks.path for source in sources if source.get('masks')]
    folder = str(tmp_path / f'masks/{row}_seed3')
    taught = dict(boxes=1, tags=1, unlabelled=1, points=1, scribbles=1, mix=3)
    assert made == [folder] * taught.get(row, 0)
    assert (row in SCRIPT.TAUGHT) == bool(made) and config.randomness.seed == 3
    assert config.load_from == 'teacher.pth'
    assert len(config.train_dataloader.sampler.source_ratio) == len(sources)


def test_rows_are_compared_over_the_seeds_that_both_have():
    table = SCRIPT.label_table(dict(
        masks60={0: 60., 1: 70.}, unlabelled={0: 58.}, masks285={0: 80., 1: 76.}, boxes15={1: 57.}))
    table.field_names = 'labels', 'score', 'seeds', 'above', 'share'
    assert [[row[0], *row[3:]] for row in table.rows] == [
        ['masks60', '+0.00', '83.3'], ['unlabelled', '-2.00', '72.5'],
        ['masks285', '+13.00', '100.0'], ['boxes15', '-', '75.0']]
