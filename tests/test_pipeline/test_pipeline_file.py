"""Pipeline files: what they may say, and what is said about mistakes in them."""
import json

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


ROUNDS = """
rounds = 3
stages = [
    dict(name='judge', tool='judge.py'),
    dict(name='masks', tool='draw.py', args=['{judge}']),
    dict(repeat='{rounds}', first=2, while_better=['judge{_before}', 'judge{_round}'], stages=[
        dict(name='judge{_round}', tool='judge.py', args=['{masks{_before}}', '{judge}']),
        dict(name='masks{_round}', tool='draw.py', args=['{judge{_round}}']),
    ]),
    dict(name='test{_last}', tool='test.py', args=['{masks{_last}}']),
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


# ---- rounds that a judge ends

def plan_rounds(file, *options, **worths):
    """The names of the stages, those that wait for a judge, and what is said."""
    file.write_text(ROUNDS)
    for name, kinds in worths.items():
        folder = file.parent / 'work' / name
        folder.mkdir(parents=True, exist_ok=True)
        rows = [dict(kind=kind, worth=worth) for kind, worths in kinds.items() for worth in worths]
        (folder / 'judge.json').write_text(json.dumps(dict(rows=rows)))
    stages, _ = read_pipeline(str(file), options, str(file.parent / 'work'))
    assert [stage for stage in stages if stage['name'] == 'judge_2'] in ([], [dict(
        name='judge_2', tool='judge.py', args=['{masks}', '{judge}'],
        **{key: value for stage in stages if stage['name'] == 'judge_2'
           for key, value in stage.items() if key in ('note', 'waits')})])
    assert stages[-1]['args'] == [stages[-1]['name'].replace('test', '{masks') + '}']
    return (' '.join(stage['name'] for stage in stages),
            {stage['name']: stage['waits'] for stage in stages if 'waits' in stage},
            [(stage['name'], stage['note']) for stage in stages if 'note' in stage])


ALL = 'judge masks judge_2 masks_2 judge_3 masks_3 test_3'


def test_one_round_has_no_judge_at_its_end(file):
    assert plan_rounds(file, 'rounds=1') == ('judge masks test', {}, [])


def test_what_a_judge_is_still_to_decide(file):
    waits = dict.fromkeys(ALL.split()[3:], 'judge_2')
    assert plan_rounds(file) == (ALL, waits, [])
    assert plan_rounds(file, judge=dict(a=[.1])) == (ALL, waits, [])


def test_rounds_go_on_while_the_mean_of_the_kinds_grows(file):
    """Of each kind the best row counts; one that has no worth counts as none."""
    first, better = dict(a=[.1, None, .04], b=[-.02]), dict(a=[.06, .05], b=[.03, -1])
    waits = dict.fromkeys(ALL.split()[5:], 'judge_3')
    assert plan_rounds(file, judge=first, judge_2=better) == (ALL, waits, [])
    names, waits, notes = plan_rounds(file, judge_3=dict(a=[.09], b=[0]))  # not above: the same
    assert (names, waits) == ('judge masks judge_2 masks_2 judge_3 test_2', {})
    assert notes == [('judge_3', 'round 3 stops: the judge gives its masks a worth of 4.50, those '
                                 'before had 4.50')]
    names, waits, notes = plan_rounds(file, judge_2=dict(a=[.07], b=[0]), judge_3=dict(a=[1]))
    assert (names, waits) == ('judge masks judge_2 test', {})
    assert notes[0][1].startswith('round 2 stops: the judge gives its masks a worth of 3.50')


def test_all_rounds(file):
    assert plan_rounds(file, judge=dict(a=[0]), judge_2=dict(a=[.1]), judge_3=dict(a=[.2])) == (
        ALL, {}, [])


@pytest.mark.parametrize('text', ['{}', '{"rows": []}', '[', '{"rows": [{"kind": "a"}]}'])
def test_a_file_that_no_judge_wrote(file, text):
    plan_rounds(file, judge=dict(a=[0]), judge_2=dict(a=[0]))
    (file.parent / 'work/judge_2/judge.json').write_text(text)
    with pytest.raises(PipelineError, match='judge_2/judge.json: not what tools/judge_masks.py'):
        plan_rounds(file)


@pytest.mark.parametrize('old, new, message', [
    ("first=2, while_better=['judge{_before}', 'judge{_round}']", "until='x'", 'has no key until'),
    ("'judge{_round}'],", "'jugde{_round}'],", 'while_better names .*jugde_2.* judge_2, masks_2'),
    ("['judge{_before}', 'judge{_round}'],", "'judge{_round}',", "while_better .*got 'judge_2'"),
    ('first=2', 'first=0', '0 of first must be a whole number of at least 1')])
def test_wrong_rounds(file, old, new, message):
    assert old in ROUNDS
    file.write_text(ROUNDS.replace(old, new))
    with pytest.raises(PipelineError, match=message):
        read_pipeline(str(file))


def test_a_file_may_say_where_its_folders_are(file):
    assert work_dir_of(str(file)) == './work_dirs/pipeline'
    file.write_text(f"work_dir = 'work_dirs/mine'\n{PIPELINE}")
    assert work_dir_of(str(file)) == 'work_dirs/mine'
    assert len(read_pipeline(str(file))[0]) == 3
