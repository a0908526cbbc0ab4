"""Plans, marks and what makes them out of date; nothing is run."""
import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from devkit import make_devkit, write_annotation
from mmengine.config import Config, DictAction

from mmseg_wss.pipeline import folder_lock as lock_module
from mmseg_wss.pipeline.folder_lock import folder_lock
from mmseg_wss.pipeline.network import plain, pseudo_mask_keys
from mmseg_wss.pipeline.pipeline_file import check_method, read_pipeline, split_options
from mmseg_wss.pipeline.plan import flags, plan_stages
from mmseg_wss.pipeline.report import read_curve
from mmseg_wss.pipeline.stage import (
    LastCheckpoint,
    PipelineError,
    changes,
    digest,
    mark_done,
    mark_started,
    shell_text,
    stage_state,
)

ROOT = Path(__file__).parents[2]
PIPELINES = sorted((ROOT / 'configs').glob('*/pipelines/*.py'))

NETWORK = """
work_dir = 'anywhere'
train_dataloader = dict(dataset=dict(type='ConcatDataset', datasets=[
    dict(supervision='pixel', data_root='data', ann_file='strong.txt'),
    dict(supervision='pseudo', data_root='data', ann_file='weak.txt', pseudo_mask='some',
         pipeline=[dict(type='Flip', prob=0.5)])]))
test_dataloader = dict(dataset=dict(data_root='data', ann_file='val.txt', pipeline=[]))
train_cfg = dict(max_iters=10)
"""
TTA = """
tta_pipeline = []
tta_model = dict(type='SegTTAModel')
model = dict(type='EncoderDecoder')
"""
PIPELINE = """
proposals = dict(method='grabcut+region')
ann_net = dict(config='nets/ann.py')
pseudo_masks = dict(tau=0.9, box_gate=True, crf=False)
seg_net = dict(config='nets/seg.py')
evaluation = dict(truth='data/truth')
"""
STAGES = ['proposals', 'ann_net_1', 'pseudo_masks_1', 'seg_net_1', 'evaluation_1']


@pytest.fixture
def file(tmp_path):
    (tmp_path / 'nets').mkdir()
    for name in ('ann', 'seg'):
        (tmp_path / f'nets/{name}.py').write_text(NETWORK)
    path = tmp_path / 'pipeline.py'
    path.write_text(PIPELINE)
    return path


@pytest.fixture
def plan(file):
    """Plan anew: KEY=VALUE options as on the command line -> name -> Stage."""
    def make(*options, work_dir=file.parent / 'work', **kwargs):
        own, others = split_options(options)
        pipeline = read_pipeline(str(file), own)
        stages = plan_stages(pipeline, work_dir, '/tools', options=others, **kwargs)
        return {stage.name: stage for stage in stages}
    return make


def finish(stages, *names):
    for name in names or stages:
        mark_started(stages[name])
        mark_done(stages[name])


def states(stages):
    return {name: stage_state(stage) for name, stage in stages.items()}


# ---- the plan

def test_the_stages_in_their_order(plan):
    assert list(plan()) == STAGES
    assert list(plan('rounds=3')) == [
        'proposals', 'ann_net_1', 'pseudo_masks_1', 'ann_net_2', 'pseudo_masks_2', 'ann_net_3',
        'pseudo_masks_3', 'seg_net_3', 'evaluation_3']


def test_every_stage_reads_what_the_one_before_made(plan):
    stages = plan('rounds=2')
    read = {name: [other.name for other in stage.inputs] for name, stage in stages.items()}
    assert read == dict(
        proposals=[], ann_net_1=['proposals'], pseudo_masks_1=['ann_net_1'],
        ann_net_2=['pseudo_masks_1'], pseudo_masks_2=['ann_net_2'], seg_net_2=['pseudo_masks_2'],
        evaluation_2=['seg_net_2', 'proposals', 'pseudo_masks_1', 'pseudo_masks_2'])


def test_the_commands(plan, file):
    work, nets = file.parent / 'work', file.parent / 'nets'
    stages = plan('train_cfg.max_iters=4', workers=3)
    key = 'train_dataloader.dataset.datasets.1.pseudo_mask'
    options = '--cfg-options train_cfg.max_iters=4'
    assert {name: [shell_text(command[1:]) for command in stage.commands]
            for name, stage in stages.items()} == dict(
        proposals=[f'/tools/generate_proposals.py {nets}/ann.py --method grabcut+region '
                   f'--workers 3 --shard 0/1 --out {work}/proposals {options}'],
        ann_net_1=[f'/tools/train.py {nets}/ann.py --work-dir {work}/ann_net_1 --resume auto '
                   f'{options} {key}={work}/proposals'],
        pseudo_masks_1=[
            f'/tools/generate_pseudo_masks.py {nets}/ann.py "$(cat '
            f'{work}/ann_net_1/last_checkpoint)" --out {work}/pseudo_masks_1 --tau 0.9 --box-gate '
            f'--work-dir {work}/pseudo_masks_1 {options} {key}={work}/proposals'],
        seg_net_1=[f'/tools/train.py {nets}/seg.py --work-dir {work}/seg_net_1 --resume auto '
                   f'{options} {key}={work}/pseudo_masks_1'],
        evaluation_1=[
            f'/tools/test.py {nets}/seg.py "$(cat {work}/seg_net_1/last_checkpoint)" --work-dir '
            f'{work}/evaluation_1 {options} {key}={work}/pseudo_masks_1',
            f'/tools/analysis_tools/mask_report.py {work}/proposals {work}/pseudo_masks_1 --truth '
            f'data/truth --ann-file data/weak.txt --out {work}/evaluation_1'])


def test_several_processes_are_started_by_the_scripts_for_it(plan):
    stages = plan(gpus=4)
    assert stages['ann_net_1'].commands[0][:4:3] == ('bash', '4')
    assert stages['ann_net_1'].commands[0][1] == '/tools/dist_train.sh'
    masks = stages['pseudo_masks_1'].commands[0]
    assert masks[1] == '/tools/dist_generate_pseudo_masks.sh'
    assert isinstance(masks[3], LastCheckpoint) and masks[4] == '4'


def test_without_truth_masks_are_not_measured(plan):
    assert len(plan('evaluation=None')['evaluation_1'].commands) == 1


def test_the_shell_reads_what_is_printed(tmp_path):
    folder = tmp_path / "it's $HOME"
    folder.mkdir()
    (folder / 'last_checkpoint').write_text('/some/where/iter 4.pth')
    text = shell_text([sys.executable, '-c', 'import sys; print(sys.argv[1:])',
                       LastCheckpoint(str(folder)), 'a b', '$HOME'])
    printed = subprocess.run(text, shell=True, check=True, capture_output=True, text=True).stdout
    assert ast.literal_eval(printed) == ['/some/where/iter 4.pth', 'a b', '$HOME']


def test_the_last_checkpoint_has_to_be_there(tmp_path):
    with pytest.raises(PipelineError, match='last_checkpoint .*does not exist'):
        LastCheckpoint(str(tmp_path)).path()
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_4.pth'))
    with pytest.raises(PipelineError, match='iter_4.pth, named there, does not exist'):
        LastCheckpoint(str(tmp_path)).path()
    (tmp_path / 'iter_4.pth').touch()
    assert LastCheckpoint(str(tmp_path)).path() == str(tmp_path / 'iter_4.pth')


def test_flags():
    assert flags(dict(tau=0.9, tta=True, crf=False, mcg_dir=None, names=['a', 1])) == [
        '--tau', '0.9', '--tta', '--names', 'a', '1']


def test_sources_of_pseudo_masks_inside_wrappers():
    pseudo, pixel = dict(supervision='pseudo', pseudo_mask='x'), dict(supervision='pixel')
    cfg = Config(dict(train_dataloader=dict(dataset=dict(datasets=[
        pixel, dict(dataset=dict(pseudo)), dict(datasets=[dict(pseudo), pixel])]))))
    keys = pseudo_mask_keys(cfg, 'x.py')
    assert keys == ['train_dataloader.dataset.datasets.1.dataset.pseudo_mask',
                    'train_dataloader.dataset.datasets.2.datasets.0.pseudo_mask']
    cfg.merge_from_dict(dict.fromkeys(keys, '/masks'))
    datasets = cfg.train_dataloader.dataset.datasets
    assert datasets[1].dataset.pseudo_mask == datasets[2].datasets[0].pseudo_mask == '/masks'
    assert 'pseudo_mask' not in datasets[0]
    alone = Config(dict(train_dataloader=dict(dataset=pseudo)))
    assert pseudo_mask_keys(alone, 'x.py') == ['train_dataloader.dataset.pseudo_mask']


# ---- what makes a stage out of date

def stale_after(plan, *options, **kwargs):
    """The first stage of a finished pipeline that is refused with these options, and why."""
    finish(plan())
    for name, stage in plan(*options, **kwargs).items():
        try:
            stage_state(stage)
        except PipelineError as error:
            return name, str(error)


def test_from_to_do_to_done(plan):
    stages = plan()
    assert set(states(stages).values()) == {'to do'}
    mark_started(stages['proposals'])
    assert states(stages)['proposals'] == 'continues'
    finish(stages)
    assert set(states(plan()).values()) == {'done'}


@pytest.mark.parametrize('options, kwargs, stage, reason', [
    (['proposals.method=rect'], {}, 'proposals', "options.method: 'grabcut+region' -> 'rect'"),
    (['train_cfg.max_iters=11'], {}, 'ann_net_1', 'config.train_cfg.max_iters: 10 -> 11'),
    (['train_dataloader.dataset.datasets.1.ann_file=w.txt'], {}, 'proposals',
     "weak_sources.0.ann_file: 'weak.txt' -> 'w.txt'"),
    (['train_dataloader.dataset.datasets.1.pipeline.0.prob=1'], {}, 'ann_net_1',
     'config.train_dataloader.dataset.datasets.1.pipeline.0.prob: 0.5 -> 1'),
    ([], dict(gpus=2), 'ann_net_1', 'gpus: 1 -> 2'),
    (['pseudo_masks.tau=0.8'], {}, 'pseudo_masks_1', 'options.tau: 0.9 -> 0.8'),
    (['pseudo_masks.crf=rrm'], {}, 'pseudo_masks_1', "options.crf: False -> 'rrm'"),
    (['evaluation.truth=x'], {}, 'evaluation_1', "options.truth: 'data/truth' -> 'x'"),
    (['evaluation.ann_file=x'], {}, 'evaluation_1', "options.ann_file: (absent) -> 'x'")])
def test_the_first_stage_that_a_change_reaches_says_what_changed(
        plan, options, kwargs, stage, reason):
    name, message = stale_after(plan, *options, **kwargs)
    assert name == stage
    assert f'\n  {reason}\n' in message
    assert '--work-dir' in message and 'delete this folder' in message


def test_a_change_of_the_config_file_of_segnet(plan, file):
    finish(plan())
    path = file.parent / 'nets/seg.py'
    path.write_text(path.read_text().replace('max_iters=10', 'max_iters=20'))
    stages = plan()
    assert stage_state(stages['pseudo_masks_1']) == 'done'
    with pytest.raises(PipelineError, match='max_iters: 10 -> 20'):
        stage_state(stages['seg_net_1'])


def test_a_new_version_makes_everything_out_of_date(plan, monkeypatch):
    monkeypatch.setattr('mmseg_wss.pipeline.plan.__version__', '0.0.0')
    finish(plan())
    monkeypatch.undo()
    with pytest.raises(PipelineError, match=r"version: '0\.0\.0' -> "):
        states(plan())


@pytest.mark.parametrize('options, kwargs', [
    (['work_dir'], {}), ([], dict(workers=7)), (['rounds=2'], {})])
def test_what_changes_no_result_changes_no_stage(plan, file, options, kwargs):
    finish(plan(), *STAGES[:3])
    if options == ['work_dir']:
        path = file.parent / 'nets/ann.py'
        path.write_text(path.read_text().replace('anywhere', 'elsewhere').replace('some', 'other'))
        options = []
    found = list(states(plan(*options, **kwargs)).items())
    assert found[:3] == [(name, 'done') for name in STAGES[:3]]
    assert all(state == 'to do' for _, state in found[3:])


def test_finished_stages_may_be_moved_to_another_folder(plan, file):
    finish(plan(), 'proposals', 'ann_net_1')
    (file.parent / 'work').rename(file.parent / 'moved')
    found = states(plan(work_dir=file.parent / 'moved'))
    assert [state == 'done' for state in found.values()] == [True, True, False, False, False]


def test_a_started_stage_with_other_options_is_refused(plan, file):
    finish(plan(), 'proposals')
    mark_started(plan()['ann_net_1'])
    (file.parent / 'work/ann_net_1/iter_2.pth').touch()
    assert stage_state(plan()['ann_net_1']) == 'continues'
    with pytest.raises(PipelineError, match='started from something else(.|\n)*max_iters: 10 -> 9'):
        stage_state(plan('train_cfg.max_iters=9')['ann_net_1'])


def test_results_of_a_run_that_is_gone_are_not_used_with_those_of_another(plan, file):
    finish(plan())
    mark = file.parent / 'work/ann_net_1/stage.json'
    mark.unlink()
    with pytest.raises(PipelineError, match='ann_net_1: it is not done'):
        stage_state(plan()['pseudo_masks_1'])
    finish(plan(), 'ann_net_1')  # the same options, but not the same run
    with pytest.raises(PipelineError, match='ann_net_1: it was run again since'):
        stage_state(plan()['pseudo_masks_1'])


def test_files_of_somebody_else_are_not_mixed_with(plan, file):
    folder = file.parent / 'work/proposals'
    folder.mkdir(parents=True)
    (folder / '.tmp-left').touch()
    assert stage_state(plan()['proposals']) == 'to do'
    (folder / 'a.png').touch()
    with pytest.raises(PipelineError, match='1 files, a.png among them, but no stage.json'):
        stage_state(plan()['proposals'])


def test_a_damaged_mark_is_named(plan, file):
    finish(plan(), 'proposals')
    mark = file.parent / 'work/proposals/stage.json'
    for text in (mark.read_text()[:50], '[]', '{}'):
        mark.write_text(text)
        with pytest.raises(PipelineError, match=r'proposals/stage\.json is not the mark'):
            stage_state(plan()['proposals'])


# ---- data that change in their places

@pytest.fixture
def data(file, monkeypatch):
    """The plan's data: a devkit."""
    monkeypatch.chdir(file.parent)
    make_devkit('data', weak=4)
    lists = Path('data/ImageSets/Segmentation')
    for name in ('strong', 'weak', 'val'):
        (lists / f'{name}.txt').rename(f'data/{name}.txt')
    for path in Path('nets').iterdir():
        path.write_text(path.read_text().replace(
            'dict(supervision', "dict(type='mmseg_wss.VOCWeakSegDataset', supervision"))
    return Path('data')


def add_an_image(data):
    with open(data / 'weak.txt', 'a') as file:
        file.write('v0\n')


def move_a_box(data):
    write_annotation(data / 'Annotations/w1.xml', 'red', (0, 0, 5, 5))


def lose_a_box(data):
    (data / 'Annotations/w1.xml').unlink()


def swap_strong_images(data):
    (data / 'strong.txt').write_text('v0\nv1\n')


def change_the_test_list(data):
    (data / 'val.txt').write_text('v1\n')


@pytest.mark.parametrize('change, stage, reason', [
    (add_an_image, 'proposals', 'data.weak_images.number: 4 -> 5'),
    (move_a_box, 'proposals', 'data.weak_images.boxes: '),
    (lose_a_box, 'proposals', 'data.weak_images.boxes: '),
    (swap_strong_images, 'ann_net_1', 'data.lists.data/strong.txt: '),
    (change_the_test_list, 'evaluation_1', 'data.lists.data/val.txt: ')])
def test_changed_data_are_not_done_before(plan, data, change, stage, reason):
    finish(plan())
    assert set(states(plan()).values()) == {'done'}
    change(data)
    stages = plan()
    before = STAGES[:STAGES.index(stage)]
    assert {name: stage_state(stages[name]) for name in before} == dict.fromkeys(before, 'done')
    with pytest.raises(PipelineError) as error:
        stage_state(stages[stage])
    assert f'\n  {reason}' in str(error.value) and 'delete this folder' in str(error.value)


def test_the_order_of_a_list_is_no_change_of_its_masks(plan, data):
    finish(plan(), 'proposals')
    (data / 'weak.txt').write_text('w3\nw1\nw0\nw2\n')
    assert stage_state(plan()['proposals']) == 'done'


def test_what_was_started_from_other_data(plan, data):
    """Proposals go on, since their tool looks at each image; a training does not."""
    mark_started(plan()['proposals'])
    (data.parent / 'work/proposals/w0.png').touch()
    move_a_box(data)
    assert stage_state(plan()['proposals']) == 'continues'
    finish(plan(), 'proposals')
    mark_started(plan()['ann_net_1'])
    (data.parent / 'work/ann_net_1/iter_5.pth').touch()
    assert stage_state(plan()['ann_net_1']) == 'continues'
    swap_strong_images(data)
    with pytest.raises(PipelineError, match=r'started from(.|\n)*data\.lists\.data/strong\.txt'):
        stage_state(plan()['ann_net_1'])


def test_a_mark_of_before_it_told_of_data_holds(plan, data):
    stages = plan()
    finish(stages, 'proposals')
    path = Path('work/proposals/stage.json')
    mark = json.loads(path.read_text())
    del mark['depends']['data']
    path.write_text(json.dumps(dict(mark, hash=digest(mark['depends']))))
    move_a_box(data)
    assert stage_state(plan()['proposals']) == 'done'
    with pytest.raises(PipelineError, match="'grabcut.region' -> 'rect'"):
        stage_state(plan('proposals.method=rect')['proposals'])


def test_a_faulty_list_is_said_at_the_start(plan, data):
    (data / 'weak.txt').write_text('w0\nw0\n')
    with pytest.raises(PipelineError, match=r'weak\.txt: the list names 1 image\(s\) more than'):
        plan()


def test_strong_images_need_no_supervision_in_the_config(plan, file):
    """It is 'pixel' unless the config says otherwise."""
    for name in ('ann', 'seg'):
        path = file.parent / f'nets/{name}.py'
        path.write_text(NETWORK.replace("supervision='pixel', ", ''))
    stages = plan()
    (source, ) = stages['proposals'].depends['weak_sources']
    assert source['ann_file'] == 'weak.txt'
    command = stages['evaluation_1'].commands[1]
    assert command[command.index('--ann-file') + 1] == 'data/weak.txt'


# ---- marks

def test_a_digest_depends_on_contents_alone():
    assert digest(dict(a=1, b=2)) == digest(dict(b=2, a=1)) != digest(dict(a=1, b=3))
    values = dict(a=(1, dict(b=float('nan'))), c=len, d=Path, e=None, f={3: 4})
    again = json.loads(json.dumps(plain(values)))
    assert digest(again) == digest(plain(values))
    assert (again['c'], again['d'], again['f']) == ('builtins.len', 'pathlib.Path', {'3': 4})
    assert changes(again, plain(values)) == []


def test_changes_name_every_place():
    old = dict(a=dict(b=1, c=[1, 2]), d='x', e=[1])
    new = dict(a=dict(b=2, c=[1, 3]), f='y', e=[1, 2])
    assert changes(old, new) == [
        'a.b: 1 -> 2', 'a.c.1: 2 -> 3', "d: 'x' -> (absent)", 'e: a list of 1 -> of 2',
        "f: (absent) -> 'y'"]


# ---- mistakes

@pytest.mark.parametrize('wrong, stage', [
    ('proposals.method=rect', 'proposals'), ('train_cfg.max_iters=11', 'ann_net_1')])
@pytest.mark.parametrize('result', ['w1.png', 'iter_5.pth', 'start/vis_data/scalars.json'])
def test_a_stage_that_failed_ahead_of_any_result_may_be_corrected(plan, file, wrong, stage, result):
    folder = file.parent / 'work' / stage
    finish(plan(), *STAGES[:STAGES.index(stage)])
    mark_started(plan(wrong)[stage])
    for name in ('output.log', 'start/start.log', 'start/vis_data/config.py', 'ann.py',
                 'manifest.jsonl', '.lock'):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    assert stage_state(plan(wrong)[stage]) == 'continues'
    assert stage_state(plan()[stage]) == 'to do'
    (folder / result).touch()
    with pytest.raises(PipelineError, match='started from something else'):
        stage_state(plan()[stage])


@pytest.mark.parametrize('option, message', [
    ('pseudo_masks.tau=1.5', 'pseudo_masks.tau is a probability, 0 to 1; got 1.5'),
    ('pseudo_masks.tau=-0.1', 'got -0.1'), ('pseudo_masks.tau=high', "got 'high'"),
    ("pseudo_masks.tau=float('nan')", 'pseudo_masks.tau'), ('pseudo_masks.tau=True', 'got True'),
    ('pseudo_masks.crf=nope', "pseudo_masks.crf is True, False or one of .*deeplab.*; got 'nope'"),
    ('pseudo_masks.tta=yes', "pseudo_masks.tta is True or False; got 'yes'"),
    ('pseudo_masks.box_gate=1', 'pseudo_masks.box_gate is True or False; got 1'),
    ('pseudo_masks.tta=True', 'nets/ann.py: --tta needs tta_pipeline and tta_model')])
def test_wrong_options_of_the_masks_are_said_when_it_is_planned(plan, option, message):
    with pytest.raises(PipelineError, match=message):
        plan(option)


@pytest.mark.parametrize('method', ['grabcat', '', 3])
def test_methods_that_there_are_not(file, method):
    check_method(str(file), read_pipeline(str(file)))
    file.write_text(PIPELINE.replace("'grabcut+region'", repr(method)))
    with pytest.raises(PipelineError, match=f'proposals.method: unknown .*{method}'):
        check_method(str(file), read_pipeline(str(file)))


def test_views_that_are_averaged_otherwise(plan, file):
    path = file.parent / 'nets/ann.py'
    path.write_text(NETWORK + TTA)
    plan('pseudo_masks.tta=True')
    path.write_text(NETWORK + TTA.replace('SegTTAModel', 'Other'))
    with pytest.raises(PipelineError, match="ann.py: .*tta_model.type='Other'"):
        plan('pseudo_masks.tta=True')


def test_a_network_that_cannot_be_tested(plan, file):
    path = file.parent / 'nets/seg.py'
    path.write_text(path.read_text().replace('test_dataloader', 'other'))
    with pytest.raises(PipelineError, match='seg.py: no test_dataloader'):
        plan()


@pytest.mark.parametrize('old, new, message', [
    ('seg_net = ', 'segnet = ', "no key 'segnet'; is 'seg_net' meant"),
    ("proposals = dict(method='grabcut+region')", '', 'the pipeline needs proposals'),
    ("method='grabcut+region'", '', 'proposals needs method'),
    ('tau=0.9, ', '', 'pseudo_masks needs tau'),
    ('box_gate', 'boxgate', "pseudo_masks has no key 'boxgate'; is 'box_gate' meant"),
    ("dict(config='nets/ann.py')", "'nets/ann.py'", 'ann_net must be a dict'),
    ('nets/seg.py', 'nets/no.py', r"seg_net.config is 'nets/no.py'.* there is no .*/nets/no.py")])
def test_a_wrong_pipeline_file(file, old, new, message):
    file.write_text(PIPELINE.replace(old, new))
    with pytest.raises(PipelineError, match=message):
        read_pipeline(str(file))


@pytest.mark.parametrize('rounds', ['0', '-1', '1.5', 'two', 'True'])
def test_rounds_are_counted(plan, rounds):
    with pytest.raises(PipelineError, match='rounds must be a whole number of at least 1'):
        plan(f'rounds={rounds}')


@pytest.mark.parametrize('option, message', [
    ('round=2', 'neither a key of the pipeline'), ('rounds', 'takes KEY=VALUE'),
    ('work_dir=x', 'use --work-dir'),
    ('train_dataloader.dataset.datasets.5.ann_file=x', 'do not fit')])
def test_wrong_options(plan, option, message):
    with pytest.raises(PipelineError, match=message):
        plan(option)


def test_a_network_that_would_not_use_the_masks(plan, file):
    path = file.parent / 'nets/seg.py'
    path.write_text(NETWORK.replace("'pseudo'", "'box'"))
    with pytest.raises(PipelineError, match=r"seg.py: no training source has supervision='pseudo'"):
        plan()


@pytest.mark.parametrize('name', ['a b', 'a,b', "a'"])
def test_folders_that_cfg_options_would_change(plan, tmp_path, name):
    with pytest.raises(PipelineError, match='spaces, commas or quotes'):
        plan(work_dir=tmp_path / name)


def test_other_folders_go_through_cfg_options():
    value = '/a-b_c/d.e+f=(g)[h]/é'
    namespace = type('Namespace', (), {})()
    DictAction([], 'options', nargs='+')(None, namespace, [f'x={value}'])
    assert namespace.options == dict(x=value)


def test_no_pipeline_file(tmp_path):
    with pytest.raises(PipelineError, match='no such pipeline file'):
        read_pipeline(str(tmp_path / 'no.py'))


# ---- the lock

def test_a_command_that_outlived_its_pipeline_holds_the_folder(tmp_path, monkeypatch):
    script = (
        'import os, subprocess, sys\n'
        'from mmseg_wss.pipeline.folder_lock import folder_lock\n'
        f'with folder_lock({str(tmp_path)!r}) as lock:\n'
        "    child = subprocess.Popen(['sleep', '600'], pass_fds=[lock])\n"
        '    print(child.pid, flush=True)\n'
        '    os.kill(os.getpid(), 9)\n')
    with subprocess.Popen([sys.executable, '-c', script], stdout=subprocess.PIPE,
                          env=dict(os.environ, PYTHONPATH=str(ROOT))) as process:
        child = int(process.stdout.readline())
        process.wait()
        monkeypatch.setattr(lock_module, '_WAIT', 0.3)
        with pytest.raises(PipelineError, match=f'process {process.pid}.* still running there'):
            with folder_lock(tmp_path):
                pass
        os.kill(child, 9)
    monkeypatch.undo()
    with folder_lock(tmp_path):
        assert (tmp_path / '.lock').read_text() == str(os.getpid())


# ---- what comes with the project

def test_a_curve_is_put_together_from_all_starts(tmp_path):
    for start, text in (('1', '{"step": 2, "mIoU": 1.0}\n{"step": 4, "mIoU": 2.0}\n{"step": 6, "m'),
                        ('2', '{"step": 4, "mIoU": 3.0}\n{"step": 5, "loss": 1}\n')):
        folder = tmp_path / start / 'vis_data'
        folder.mkdir(parents=True)
        (folder / 'scalars.json').write_text(text)
    curve = read_curve(str(tmp_path))
    assert {step: entry['mIoU'] for step, entry in curve.items()} == {2: 1., 4: 3.}


def test_all_pipelines_are_here():
    assert [f'{path.parts[-3]}/{path.name}' for path in PIPELINES] == [
        'msrc/mixed_dual_msrc.py', 'wss/mixed_dual_voc.py', 'wss/mixed_dual_voc_83.py']


@pytest.mark.parametrize('path', PIPELINES, ids=lambda path: path.stem)
def test_the_tools_take_the_commands_of_our_pipelines(path, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    for key, value in dict(SLURM_PROCID=0, SLURM_NTASKS=4).items():
        monkeypatch.setenv(key, str(value))  # of a batch job, in which it is one process
    stages = plan_stages(read_pipeline(str(path)), tmp_path, ROOT / 'tools',
                         options=['train_cfg.val_interval=1'])
    assert [stage.name for stage in stages] == STAGES
    for stage in stages:
        for _, script, *arguments in stage.commands:
            arguments = [__file__ if isinstance(a, LastCheckpoint) else a for a in arguments]
            monkeypatch.setattr('sys.argv', [script, *arguments])
            parsed = vars(load_tool(script).parse_args())
            assert stage.folder in (parsed.get('out'), parsed.get('work_dir'))
            assert parsed.get('shard', (0, 1)) == (0, 1)


def load_tool(path):
    spec = importlib.util.spec_from_file_location(f'tool_{Path(path).stem}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
