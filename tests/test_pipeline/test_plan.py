"""Plans: commands, what a stage reads, and what makes its result out of date; nothing is run."""
import subprocess
import sys
from pathlib import Path

import pytest
from devkit import make_devkit, write_annotation
from mmengine.config import Config, DictAction

from mmseg_wss.pipeline.network import Network
from mmseg_wss.pipeline.pipeline_file import read_pipeline
from mmseg_wss.pipeline.plan import flags, plan_stages
from mmseg_wss.pipeline.runner import check_commands
from mmseg_wss.pipeline.stage import (
    LastCheckpoint,
    PipelineError,
    mark_done,
    mark_started,
    shell_text,
    stage_state,
)

ROOT = Path(__file__).parents[2]
TOOLS = str(ROOT / 'tools')
PIPELINES = sorted((ROOT / 'configs').glob('[!_]*/pipelines/*.py'))

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
method, tau, truth, tta = 'rect', 0.9, 'data/truth', False
stages = [
    dict(name='drawn', tool='generate_proposals.py', config='nets/teacher.py',
         options=dict(method='{method}')),
    dict(name='teacher', tool='train.py', config='nets/teacher.py', masks='drawn'),
    dict(name='masks', tool='generate_pseudo_masks.py', checkpoint='teacher',
         options=dict(tau='{tau}', tta='{tta}', box_gate=True)),
    dict(name='student', tool='train.py', config='nets/student.py', masks=['masks'],
         cfg_options={'load_from': '{teacher.checkpoint}', 'crop': [3, 4]}),
    dict(name='test', tool='test.py', checkpoint='student'),
    dict(name='quality', tool='analysis_tools/mask_report.py', args=['{drawn}', '{masks}'],
         options=dict(truth='{truth}', ann_file='data/weak.txt')),
]
"""
STAGES = ['drawn', 'teacher', 'masks', 'student', 'test', 'quality']


@pytest.fixture
def file(tmp_path):
    (tmp_path / 'nets').mkdir()
    for name in ('teacher', 'student'):
        (tmp_path / f'nets/{name}.py').write_text(NETWORK)
    path = tmp_path / 'pipeline.py'
    path.write_text(PIPELINE)
    return path


@pytest.fixture
def plan(file):
    """Plan anew: KEY=VALUE options as on the command line -> name -> Stage."""
    def make(*options, work_dir=file.parent / 'work', **kwargs):
        specs, others = read_pipeline(str(file), options)
        stages = plan_stages(specs, work_dir, TOOLS, options=others, **kwargs)
        return {stage.name: stage for stage in stages}
    return make


def finish(stages, *names):
    for name in names or stages:
        mark_started(stages[name])
        mark_done(stages[name])


def states(stages):
    return {name: stage_state(stage) for name, stage in stages.items()}


# ---- the plan

def test_every_stage_reads_what_it_names(plan):
    read = {name: [other.name for other in stage.inputs] for name, stage in plan().items()}
    assert read == dict(
        drawn=[], teacher=['drawn'], masks=['teacher', 'drawn'], student=['masks', 'teacher'],
        test=['student', 'masks', 'teacher'], quality=['drawn', 'masks'])


def test_to_plan_does_not_wait_for_torch():
    code = 'import sys, mmseg_wss.pipeline.plan; sys.exit("torch" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code]).returncode == 0


def test_the_commands(plan, file):
    work, nets = file.parent / 'work', file.parent / 'nets'
    stages = plan('train_cfg.max_iters=4', workers=3)
    key = 'train_dataloader.dataset.datasets.1.pseudo_mask'
    options = '--cfg-options train_cfg.max_iters=4'
    teacher = f'"$(cat {work}/teacher/last_checkpoint)"'
    student = (f"--cfg-options load_from={teacher} 'crop=[3,4]' train_cfg.max_iters=4 "
               f'{key}={work}/masks')
    assert {name: shell_text(stage.command[1:]).replace(f'{TOOLS}/', '')
            for name, stage in stages.items()} == dict(
        drawn=f'generate_proposals.py {nets}/teacher.py --method rect --shard 0/1 --workers 3 '
              f'--out {work}/drawn {options}',
        teacher=f'train.py {nets}/teacher.py --resume auto --work-dir {work}/teacher '
                f'{options} {key}={work}/drawn',
        masks=f'generate_pseudo_masks.py {nets}/teacher.py {teacher} --tau 0.9 --box-gate '
              f'--out {work}/masks --work-dir {work}/masks {options} {key}={work}/drawn',
        student=f'train.py {nets}/student.py --resume auto --work-dir {work}/student {student}',
        test=f'test.py {nets}/student.py "$(cat {work}/student/last_checkpoint)" --work-dir '
             f'{work}/test {student}',
        quality=f'analysis_tools/mask_report.py {work}/drawn {work}/masks --truth data/truth '
                f'--ann-file data/weak.txt --out {work}/quality')


def test_masks_of_the_images_of_another_config(file, plan):
    """They depend on its weak sources, and on the network alone of the config that predicts."""
    file.write_text(PIPELINE.replace("checkpoint='teacher',", "checkpoint='teacher', "
                                     "images='nets/student.py',").replace(", masks='drawn'", ''))
    nets = file.parent / 'nets'
    weak, teacher = NETWORK.split("    dict(supervision='pseudo'")[1], nets / 'teacher.py'
    teacher.write_text(NETWORK.replace("    dict(supervision='pseudo'" + weak.split('])]))')[0]
                                       + '])', '    '))
    specs, _ = read_pipeline(str(file), ())
    specs = [spec for spec in specs if spec['name'] != 'drawn' and 'args' not in spec]
    def masks():
        return plan_stages(specs, str(file.parent / 'work'), TOOLS)[1]
    before = masks()
    assert f' --images-of {nets}/student.py ' in shell_text(before.command)
    (nets / 'student.py').write_text(NETWORK.replace("'weak.txt'", "'other.txt'"))
    assert masks().depends != before.depends
    assert masks().depends['config'] == before.depends['config']


def test_several_processes_are_started_by_the_scripts_for_it(plan):
    stages = plan(gpus=4)
    assert stages['teacher'].command[:4:3] == ('bash', '4')
    assert stages['teacher'].command[1] == f'{TOOLS}/dist_train.sh'
    masks = stages['masks'].command
    assert masks[1] == f'{TOOLS}/dist_generate_pseudo_masks.sh'
    assert isinstance(masks[3], LastCheckpoint) and masks[4] == '4'


def test_flags():
    assert flags(dict(tau=0.9, tta=True, crf=False, mcg_dir=None, names=['a', 1])) == [
        '--tau', '0.9', '--tta', '--names', 'a', '1']


def test_sources_of_masks_inside_wrappers(tmp_path):
    path = tmp_path / 'net.py'
    path.write_text("""
pseudo, pixel = dict(supervision='pseudo', pseudo_mask='x'), dict(supervision='pixel')
train_dataloader = dict(dataset=dict(datasets=[
    pixel, dict(dataset=pseudo), dict(datasets=[pseudo, pixel]),
    dict(supervision='box', masks=dict(type='folder', path='x')),
    dict(supervision='box', masks='rect')]))""")
    network = Network(str(path), [], '/masks')
    assert network.options == [
        'train_dataloader.dataset.datasets.1.dataset.pseudo_mask=/masks',
        'train_dataloader.dataset.datasets.2.datasets.0.pseudo_mask=/masks',
        'train_dataloader.dataset.datasets.3.masks.path=/masks']
    datasets = Network(str(path), [], ['/a', '/b', '/c']).cfg.train_dataloader.dataset.datasets
    assert datasets[1].dataset.pseudo_mask == '/a'
    assert datasets[2].datasets[0].pseudo_mask == '/b'
    assert datasets[3].masks == dict(type='folder', path='/c')
    with pytest.raises(PipelineError, match='masks lists 1 stages, but 3 training sources'):
        Network(str(path), [], ['/a'])


@pytest.mark.parametrize('old, new, message', [
    ("checkpoint='teacher'", "checkpoint='taecher'",
     'masks reads taecher, which is not there; before it are drawn, teacher'),
    ("masks='drawn'", "masks='masks'", 'teacher reads masks, which comes later: write the stages'),
    ("masks='drawn'", "masks='teacher'", 'teacher reads teacher, which comes later'),
    ('{drawn}', '{drwan}', 'quality reads drwan, which is not there'),
    ("'test.py'", "'tset.py'", 'the stage test: there is no tool tset.py in ')])
def test_stages_and_tools_that_there_are_not(plan, file, old, new, message):
    file.write_text(PIPELINE.replace(old, new))
    with pytest.raises(PipelineError, match=message):
        plan()


# ---- what makes a stage out of date

def first_stale(plan, *options, **kwargs):
    """The first stage that is refused with these options, and why."""
    for name, stage in plan(*options, **kwargs).items():
        try:
            stage_state(stage)
        except PipelineError as error:
            return name, str(error)


@pytest.mark.parametrize('options, kwargs, stage, reason', [
    (['method=grabcut'], {}, 'drawn', "options.method: 'rect' -> 'grabcut'"),
    (['train_cfg.max_iters=11'], {}, 'teacher', 'config.train_cfg.max_iters: 10 -> 11'),
    (['train_dataloader.dataset.datasets.1.ann_file=w.txt'], {}, 'drawn',
     "weak_sources.0.ann_file: 'weak.txt' -> 'w.txt'"),
    (['train_dataloader.dataset.datasets.1.pipeline.0.prob=1'], {}, 'teacher',
     'config.train_dataloader.dataset.datasets.1.pipeline.0.prob: 0.5 -> 1'),
    ([], dict(gpus=2), 'teacher', 'gpus: 1 -> 2'),
    (['tau=0.8'], {}, 'masks', 'options.tau: 0.9 -> 0.8'),
    (['truth=x'], {}, 'quality', "options.truth: 'data/truth' -> 'x'")])
def test_the_first_stage_that_a_change_reaches_says_what_changed(
        plan, options, kwargs, stage, reason):
    finish(plan())
    assert set(states(plan()).values()) == {'done'}
    name, message = first_stale(plan, *options, **kwargs)
    assert name == stage
    assert f'\n  {reason}\n' in message


def test_a_change_of_a_config_file_and_of_an_option_of_one_stage(plan, file):
    finish(plan())
    path = file.parent / 'nets/student.py'
    path.write_text(NETWORK.replace('max_iters=10', 'max_iters=20'))
    assert first_stale(plan)[0] == 'student' and 'max_iters: 10 -> 20' in first_stale(plan)[1]
    path.write_text(NETWORK)
    file.write_text(PIPELINE.replace('[3, 4]', '[3, 5]'))
    assert first_stale(plan)[0] == 'student' and 'config.crop.1: 4 -> 5' in first_stale(plan)[1]


def test_a_new_version_makes_everything_out_of_date(plan, monkeypatch):
    monkeypatch.setattr('mmseg_wss.pipeline.plan.__version__', '0.0.0')
    finish(plan())
    monkeypatch.undo()
    with pytest.raises(PipelineError, match=r"version: '0\.0\.0' -> "):
        states(plan())


def test_what_changes_no_result_changes_no_stage(plan, file):
    finish(plan())
    path = file.parent / 'nets/teacher.py'
    path.write_text(NETWORK.replace('anywhere', 'elsewhere').replace("'some'", "'other'"))
    assert set(states(plan(workers=7)).values()) == {'done'}
    (file.parent / 'work').rename(file.parent / 'moved')
    assert set(states(plan(work_dir=file.parent / 'moved')).values()) == {'done'}


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
    (add_an_image, 'drawn', 'data.weak_images.number: 4 -> 5'),
    (move_a_box, 'drawn', 'data.weak_images.boxes: '),
    (lose_a_box, 'drawn', 'data.weak_images.boxes: '),
    (swap_strong_images, 'teacher', 'data.lists.data/strong.txt: '),
    (change_the_test_list, 'test', 'data.lists.data/val.txt: ')])
def test_changed_data_are_not_done_before(plan, data, change, stage, reason):
    finish(plan())
    assert set(states(plan()).values()) == {'done'}
    change(data)
    name, message = first_stale(plan)
    assert name == stage
    assert f'\n  {reason}' in message and 'delete this folder' in message


def test_a_training_that_reads_boxes_itself_notices_them(plan, data, file):
    file.write_text(PIPELINE.replace(", masks='drawn'", ''))
    path = file.parent / 'nets/teacher.py'
    path.write_text(path.read_text().replace("'pseudo'", "'image'"))
    finish(plan())
    mark = file.parent / 'work/drawn/stage.json'
    move_a_box(data)
    finish(plan(), 'drawn')
    assert mark.exists() and first_stale(plan)[0] == 'teacher'
    assert 'data.weak_images.boxes' in first_stale(plan)[1]


def test_the_order_of_a_list_is_no_change_of_its_masks(plan, data):
    finish(plan(), 'drawn')
    (data / 'weak.txt').write_text('w3\nw1\nw0\nw2\n')
    assert stage_state(plan()['drawn']) == 'done'


def test_what_was_started_from_other_data(plan, data):
    """Masks go on, since their tool looks at each image; a training does not."""
    mark_started(plan()['drawn'])
    (data.parent / 'work/drawn/w0.png').touch()
    move_a_box(data)
    assert stage_state(plan()['drawn']) == 'continues'
    finish(plan(), 'drawn')
    mark_started(plan()['teacher'])
    (data.parent / 'work/teacher/iter_5.pth').touch()
    assert stage_state(plan()['teacher']) == 'continues'
    swap_strong_images(data)
    with pytest.raises(PipelineError, match=r'started from(.|\n)*data\.lists\.data/strong\.txt'):
        stage_state(plan()['teacher'])


def test_a_faulty_list_is_said_at_the_start(plan, data):
    (data / 'weak.txt').write_text('w0\nw0\n')
    with pytest.raises(PipelineError, match=r'weak\.txt: the list names 1 image\(s\) more than'):
        plan()


# ---- mistakes

@pytest.mark.parametrize('options, message', [
    (['tau=1.5'], 'the stage masks: .*--tau is a probability, 0 to 1; got 1.5'),
    (['tau=high'], "the stage masks: .*invalid float value: 'high'"),
    (['method=grabcat'], 'the stage drawn: .*unknown .*grabcat')])
def test_the_tools_are_asked_for_their_options_at_the_start(plan, options, message):
    check_commands(plan().values(), TOOLS)
    check_commands(plan(gpus=2).values(), TOOLS)
    with pytest.raises(PipelineError, match=message):
        check_commands(plan(*options).values(), TOOLS)


def test_views_that_there_are_not_or_are_averaged_otherwise(plan, file):
    path = file.parent / 'nets/teacher.py'
    with pytest.raises(PipelineError, match='teacher.py: .* needs tta_pipeline and tta_model'):
        plan('tta=True')
    path.write_text(NETWORK + TTA)
    plan('tta=True')
    path.write_text(NETWORK + TTA.replace('SegTTAModel', 'Other'))
    with pytest.raises(PipelineError, match="teacher.py: .*tta_model.type='Other'"):
        plan('tta=True')


@pytest.mark.parametrize('old, new, message', [
    ('test_dataloader', 'other', 'student.py: no test_dataloader'),
    ("'pseudo'", "'box'", r"student.py: no training source reads a folder of masks")])
def test_configs_that_do_not_fit_their_tools(plan, file, old, new, message):
    (file.parent / 'nets/student.py').write_text(NETWORK.replace(old, new))
    with pytest.raises(PipelineError, match=message):
        plan()


@pytest.mark.parametrize('option, message', [
    ('round=2', 'neither a variable of the pipeline nor a key'),
    ('train_dataloader.dataset.datasets.5.ann_file=x', 'do not fit')])
def test_wrong_options(plan, option, message):
    with pytest.raises(PipelineError, match=message):
        plan(option)


@pytest.mark.parametrize('name', ['a b', 'a,b', "a'"])
def test_folders_that_cfg_options_would_change(plan, tmp_path, name):
    with pytest.raises(PipelineError, match='spaces, commas or quotes'):
        plan(work_dir=tmp_path / name)


def test_other_folders_go_through_cfg_options():
    value = '/a-b_c/d.e+f=(g)[h]/é'
    namespace = type('Namespace', (), {})()
    DictAction([], 'options', nargs='+')(None, namespace, [f'x={value}'])
    assert namespace.options == dict(x=value)


# ---- what comes with the project

def test_lists_of_strong_and_weak_images_are_options_of_all_stages(tmp_path, monkeypatch):
    """Mixed dual head, table 5: 374 masks, for AnnNet, its masks and SegNet."""
    monkeypatch.chdir(ROOT)
    lists = [f'train_dataloader.dataset.datasets.{i}.ann_file=ImageSets/Segmentation/{name}'
             for i, name in enumerate(('train_strong374_v1_seed0.txt',
                                       'train_weak374_v1_seed0.txt'))]
    specs, options = read_pipeline('configs/wss/pipelines/mixed_dual_voc.py',
                                   [*lists, 'seg_net=../dual_head_r50_voc.py'])
    stages = plan_stages(specs, tmp_path, TOOLS, options=options)
    with_config = [stage for stage in stages if stage.name != 'quality_1']
    assert len(with_config) == 5
    assert all(set(lists) <= set(stage.command) for stage in with_config)
    assert 'dual_head_r50_voc.py' in shell_text(stages[-2].command)


@pytest.mark.parametrize('path', PIPELINES, ids=lambda path: path.stem)
def test_the_tools_take_the_commands_of_our_pipelines(path, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    specs, _ = read_pipeline(str(path))
    for gpus in (1, 2):
        stages = plan_stages(specs, tmp_path, TOOLS, gpus, options=['train_cfg.val_interval=1'])
        check_commands(stages, TOOLS)
    assert len(stages) == len(specs) >= 5


@pytest.mark.parametrize('path', PIPELINES, ids=lambda path: path.stem)
def test_the_options_of_our_stages_are_keys_of_their_configs(path, monkeypatch):
    """mmengine would add one that is misspelt, or give it to another hook of a list."""
    monkeypatch.chdir(ROOT)
    for spec in read_pipeline(str(path))[0]:
        for key in spec.get('cfg_options', ()):
            value = Config.fromfile(spec['config'])
            for part in key.split('.'):
                value = value[int(part) if isinstance(value, list) else part]
