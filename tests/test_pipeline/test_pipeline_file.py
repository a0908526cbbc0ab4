"""Pipeline files: what they may say, and what is said about mistakes in them."""
import pytest

from mmseg_wss.pipeline.pipeline_file import read_pipeline, work_dir_of
from mmseg_wss.pipeline.stage import PipelineError

PIPELINE = """
rounds, tau = 1, 0.9
stages = [
    dict(name='masks_0', tool='draw.py', config='nets/net.py'),
    dict(repeat='{rounds}', stages=[
        dict(name='masks_{round}', tool='draw.py', args=['{masks_{before}}'],
             options=dict(tau='{tau}', names=['a', '{tau}'])),
    ]),
    dict(name='end_{rounds}', tool='train.py', masks='masks_{rounds}'),
]
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / 'nets').mkdir()
    (tmp_path / 'nets/net.py').touch()
    path = tmp_path / 'pipeline.py'
    path.write_text(PIPELINE)
    return path


def test_variables_and_rounds(file):
    stages, others = read_pipeline(str(file), ['rounds=2', 'tau=0.5', 'train_cfg.max_iters=4'])
    assert others == ['train_cfg.max_iters=4']
    assert stages == [
        dict(name='masks_0', tool='draw.py', config=str(file.parent / 'nets/net.py')),
        dict(name='masks_1', tool='draw.py', args=['{masks_0}'],
             options=dict(tau=0.5, names=['a', 0.5])),
        dict(name='masks_2', tool='draw.py', args=['{masks_1}'],
             options=dict(tau=0.5, names=['a', 0.5])),
        dict(name='end_2', tool='train.py', masks='masks_2')]
    assert [stage['name'] for stage in read_pipeline(str(file))[0]] == [
        'masks_0', 'masks_1', 'end_1']


@pytest.mark.parametrize('old, new, message', [
    ('stages = [', "ann_net = dict(config='x')\nother = [", r'a pipeline is a list, stages = \['),
    ("masks='masks", "mask='masks", "end_1 has no key 'mask'; is 'masks' meant"),
    ("tool='draw.py', config", 'config', "'masks_0'.* needs tool"),
    ('nets/net.py', 'nets/no.py', "of the stage masks_0 is 'nets/no.py'.* no .*/nets/no.py"),
    ("'masks_0', tool", "'masks_1', tool", "'masks_1' is the name of two stages"),
    ("'end_{rounds}'", "'tau'", "'tau' is the name of two stages, or of a stage and a variable"),
    ("'end_{rounds}'", "'the end'", "'the end' cannot name a folder"),
    ("args=['{masks_{before}}']", "args='x'", "args of the stage masks_1 must not be 'x'"),
    *[('rounds, tau = 1', f'rounds, tau = {rounds}', 'must be a whole number of at least 1')
      for rounds in ('0', '-1', '1.5', "'two'", 'True')]])
def test_a_wrong_pipeline_file(file, old, new, message):
    assert old in PIPELINE
    file.write_text(PIPELINE.replace(old, new))
    with pytest.raises(PipelineError, match=message):
        read_pipeline(str(file))


@pytest.mark.parametrize('option, message', [
    ('rounds', 'takes KEY=VALUE'), ('work_dir=x', 'cannot set work_dir'),
    ('stages.0.name=x', 'cannot set stages'), ('rounds=0', 'at least 1, got 0')])
def test_wrong_options(file, option, message):
    with pytest.raises(PipelineError, match=message):
        read_pipeline(str(file), [option])


def test_no_pipeline_file(tmp_path):
    with pytest.raises(PipelineError, match='no such pipeline file'):
        read_pipeline(str(tmp_path / 'no.py'))


def test_a_file_may_say_where_its_folders_are(file):
    assert work_dir_of(str(file)) == './work_dirs/pipeline'
    file.write_text(f"work_dir = 'work_dirs/mine'\n{PIPELINE}")
    assert work_dir_of(str(file)) == 'work_dirs/mine'
    assert len(read_pipeline(str(file))[0]) == 3
