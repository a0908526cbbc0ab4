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
    taught = dict(boxes=1, tags=1, points=1, scribbles=1, mix=2)
    assert made == [folder] * taught.get(row, 0) + [f'{folder}_mean'] * (row in SCRIPT.AVERAGED)
    for source in sources:
        strongly = any(step.type.endswith('ColorJitter') for transform in source.pipeline
                       for step in transform.get('transforms', ()))
        assert strongly == (source.supervision == 'none')
    assert (row in SCRIPT.TAUGHT) == bool(made) and config.randomness.seed == 3
    assert config.load_from == 'teacher.pth'
    assert len(config.train_dataloader.sampler.source_ratio) == len(sources)


def test_masks_of_a_mix_are_of_one_network_or_of_the_mean_of_three(tmp_path, monkeypatch):
    calls, checkpoints = [], [f'net{seed}.pth' for seed in range(3)]
    monkeypatch.setattr(SCRIPT, 'call', lambda tool, *arguments: calls.append(arguments))
    monkeypatch.setattr(SCRIPT, 'latest_checkpoint',
                        lambda folder: checkpoints[int(folder[-1])])
    monkeypatch.setattr('sys.argv', ['label_rows.py', '--rows', 'mix', '--judge', 'judge.json'])
    args = SCRIPT.parse_args()
    comparison = SCRIPT.Comparison(str(tmp_path), str(tmp_path / 'results.jsonl'))
    SCRIPT.teach(args, comparison, tmp_path, seed=1)
    assert [arguments[1] for arguments in calls] == [checkpoints[1]] * 2
    images = [Config.fromfile(str(arguments[arguments.index('--images-of') + 1]))
              for arguments in calls]
    kinds = [[source.supervision for source in config.train_dataloader.dataset.datasets]
             for config in images]
    assert kinds == [['box', 'image'], ['none']]
    trained = Config.fromfile(str(tmp_path / 'configs/mix_seed1.py'))
    paths = [source.masks.path for source in trained.train_dataloader.dataset.datasets[1:]]
    written = [str(arguments[arguments.index('--out') + 1]) for arguments in calls]
    assert paths == [written[0], *written] and trained.load_from == checkpoints[1]
    assert calls[0][-2:] == ('--judge', 'judge.json')
    assert calls[1][-3:] == ('--average-with', checkpoints[0], checkpoints[2])


def test_rows_are_compared_over_the_seeds_that_both_have():
    table = SCRIPT.label_table(dict(
        masks60={0: 60., 1: 70.}, unlabelled={0: 58.}, masks285={0: 80., 1: 76.}, boxes15={1: 57.}))
    table.field_names = 'labels', 'score', 'seeds', 'above', 'share'
    assert [[row[0], *row[3:]] for row in table.rows] == [
        ['masks60', '+0.00', '83.3'], ['unlabelled', '-2.00', '72.5'],
        ['masks285', '+13.00', '100.0'], ['boxes15', '-', '75.0']]
