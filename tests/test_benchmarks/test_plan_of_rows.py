"""The plan of each row's labels trains what label_rows.py trains: what was measured is chosen."""
import pytest
from mmengine.config import Config
from tiny_run import load_script

from mmseg_wss.pipeline.pipeline_file import read_pipeline

ROWS = load_script('benchmarks/label_rows.py')
LISTS = 'ImageSets/Segmentation'
KINDS = dict(masks60=None, masks285=None, masks15=None, boxes='box', tags='image', points='point',
             scribbles='scribble', unlabelled=None, boxes15='box', mix=None)


def ids(root, name):
    return (root / LISTS / f'{name}.txt').read_text().split()


def labels_of(row, msrc, folder, run_tool):
    """A folder with MSRC's files and lists of the labels of this row alone."""
    strong, weak = (f'train_{name}{15 if row in ("masks15", "boxes15") else 60}'
                    for name in ('strong', 'weak'))
    lists = dict(train_strong=ids(msrc, 'trainaug' if row == 'masks285' else strong),
                 val=ids(msrc, 'val'))
    weak = ids(msrc, weak)
    if KINDS[row]:
        lists[f'train_weak_{KINDS[row]}'] = weak
    if row == 'unlabelled':
        lists['train_unlabelled'] = weak
    if row == 'mix':
        for number, name in enumerate(('train_weak_box', 'train_weak_image', 'train_unlabelled')):
            lists[name] = weak[number::3]
    (folder / LISTS).mkdir(parents=True)
    for name, content in lists.items():
        (folder / LISTS / f'{name}.txt').write_text('\n'.join(content))
    for name in ('JPEGImages', 'SegmentationClass', 'Annotations', 'classes.txt'):
        (folder / name).symlink_to(msrc / name)
    if KINDS[row] in ('point', 'scribble'):
        code, said = run_tool(
            'make_weak_labels.py', msrc, '--kind', f'{KINDS[row]}s', '--out', folder,
            '--ann-file', folder / LISTS / f'train_weak_{KINDS[row]}.txt')
        assert not code, said
        made, = folder.glob('*Labels_v1_seed0')
        made.rename(folder / made.name.split('_')[0])
    return folder


def trains(config):
    """What a config trains: everything but where its labels lie."""
    # proposals are masks, whether their images have boxes beside them or not
    sources = [(dict(pseudo='box').get(source.supervision, source.supervision),
                [dict(step) for step in source.pipeline])
               for source in config.train_dataloader.dataset.datasets]
    return dict(
        sources=sources, ratio=list(config.train_dataloader.sampler.get('source_ratio') or [1]),
        batch=config.train_dataloader.batch_size, model=config.model.to_dict(),
        optimizer=config.optim_wrapper.to_dict(), schedule=config.param_scheduler,
        steps=config.train_cfg.max_iters)


@pytest.mark.parametrize('row', KINDS)
def test_a_plan_chooses_what_was_measured(row, msrc, tmp_path, run_tool):
    out = tmp_path / 'plan'
    code, said = run_tool('plan.py', labels_of(row, msrc, tmp_path / 'labels', run_tool),
                          '--out', out, '--device', 'cpu', '--workers', 1)
    assert not code, said
    ROWS.write_config(tmp_path, row, seed=0)
    by_hand, = (tmp_path / 'configs').glob('*.py')
    planned, measured = (trains(Config.fromfile(str(path)))
                         for path in (out / 'config.py', by_hand))
    assert planned == measured
    # it starts from the teacher, and has masks by the mean of three, where the row does
    stages = {stage['name']: stage for stage in read_pipeline(str(out / 'pipeline.py'))[0]}
    start = stages['network'].get('cfg_options', {}).get('load_from')
    assert start == ('{teacher.checkpoint}' if row in ROWS.STARTED else None)
    averaged = stages.get('masks_unlabelled')
    assert bool(averaged) == (row in ROWS.AVERAGED)
    if averaged:
        assert averaged['options'] == dict(tau=0.8, average_with=[
            '{teacher_1.checkpoint}', '{teacher_2.checkpoint}'])
        seeds = [stages[f'teacher{more}'].get('cfg_options') for more in ('', '_1', '_2')]
        assert seeds == [None, {'randomness.seed': 1}, {'randomness.seed': 2}]
