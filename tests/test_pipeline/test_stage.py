"""Marks in the folders of stages, and commands as a shell reads them; nothing is run."""
import ast
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mmseg_wss.pipeline import folder_lock as lock_module
from mmseg_wss.pipeline.folder_lock import folder_lock
from mmseg_wss.pipeline.network import plain
from mmseg_wss.pipeline.stage import (
    LastCheckpoint,
    PipelineError,
    Stage,
    changes,
    digest,
    mark_done,
    mark_started,
    shell_text,
    stage_state,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def stage(tmp_path):
    """A stage with this option, which reads these stages."""
    def make(option=1, name='stage', *inputs):
        return Stage(name, 'tool.py', str(tmp_path / name), (), dict(options=option), inputs)
    return make


def test_from_to_do_to_done(stage):
    assert stage_state(stage()) == 'to do'
    mark_started(stage())
    assert stage_state(stage()) == 'continues'
    mark_done(stage())
    assert stage_state(stage()) == 'done'
    with pytest.raises(PipelineError, match=r'finished from(.|\n)*options: 1 -> 2(.|\n)*--work'):
        stage_state(stage(2))


@pytest.mark.parametrize('result', ['w1.png', 'iter_5.pth', 'start/vis_data/scalars.json'])
def test_a_stage_that_failed_ahead_of_any_result_may_be_corrected(stage, result):
    mark_started(stage(1))
    folder = Path(stage().folder)
    for name in ('output.log', 'start/start.log', 'start/vis_data/config.py', 'ann.py', '.lock'):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    assert stage_state(stage(1)) == 'continues'
    assert stage_state(stage(2)) == 'to do'
    (folder / result).touch()
    with pytest.raises(PipelineError, match='started from something else'):
        stage_state(stage(2))


def test_results_of_a_run_that_is_gone_are_not_used_with_those_of_another(stage):
    first, second = stage(1), stage(1, 'second', stage(1))
    for one in (first, second):
        mark_done(one)
    assert stage_state(second) == 'done'
    Path(first.folder, 'stage.json').unlink()
    with pytest.raises(PipelineError, match='  stage: it is not done'):
        stage_state(second)
    mark_done(first)  # the same options, but not the same run
    with pytest.raises(PipelineError, match='  stage: it was run again since'):
        stage_state(second)


def test_files_of_somebody_else_are_not_mixed_with(stage):
    folder = Path(stage().folder)
    folder.mkdir()
    (folder / '.tmp-left').touch()
    assert stage_state(stage()) == 'to do'
    (folder / 'a.png').touch()
    with pytest.raises(PipelineError, match='1 files, a.png among them, but no stage.json'):
        stage_state(stage())


def test_a_damaged_mark_is_named(stage):
    mark_done(stage())
    mark = Path(stage().folder, 'stage.json')
    for text in (mark.read_text()[:50], '[]', '{}'):
        mark.write_text(text)
        with pytest.raises(PipelineError, match=r'stage/stage\.json is not the mark'):
            stage_state(stage())


@pytest.mark.parametrize('change', [
    dict(state=5), dict(state=None), dict(state='started'), dict(state='to do'), dict(state=True),
    dict(state=['done']), dict(state={}), dict(hash=5), dict(hash=None), dict(hash=['x']),
    dict(hash='x'), dict(depends=None), dict(depends=[]), dict(depends='x'), dict(depends={}),
    dict(depends=dict(option=2))], ids=str)
@pytest.mark.parametrize('mark', [mark_started, mark_done])
@pytest.mark.parametrize('follows_data', [False, True])
def test_a_foreign_mark_is_named(stage, mark, change, follows_data):
    mark(stage())
    path = Path(stage().folder, 'stage.json')
    path.write_text(json.dumps(dict(json.loads(path.read_text()), **change)))
    for asked in stage(), stage(2):  # it would be made from this, or from something else
        with pytest.raises(PipelineError, match=r'stage/stage\.json is not the mark of a stage .*'
                           'delete the folder .*stage to run the stage again'):
            stage_state(replace(asked, follows_data=follows_data))
    with pytest.raises(PipelineError, match=r'stage/stage\.json is not the mark'):
        mark_started(stage(1, 'next', stage()))  # what reads its results


def test_a_mark_without_what_later_versions_write(stage):
    """It counts as made from something else, whatever it lacks."""
    for depends in {}, dict(option=1), dict(data={}), dict(inputs={}):
        path = Path(stage().folder, 'stage.json')
        mark_started(stage())
        path.write_text(json.dumps(dict(state='continues', depends=depends, hash=digest(depends))))
        (path.parent / 'w1.png').touch()
        with pytest.raises(PipelineError, match='started from something else'):
            stage_state(replace(stage(), follows_data=True))


@pytest.mark.parametrize('content', [
    b'[' * 100000, b'{"state":' * 100000, b'\xff\xfe{}', b'\x00', b'"done"', b'5', b'null', b'',
    b'{"state": "done", "hash": "", "depends": {"a": ' + b'[' * 900 + b']' * 900 + b'}}',
    b'{"state": ' + b'[' * 900 + b']' * 900 + b', "hash": "", "depends": {}}'],
    ids=lambda content: str(content[:20]))
def test_a_mark_that_is_no_json_of_ours(stage, content):
    mark_done(stage())
    Path(stage().folder, 'stage.json').write_bytes(content)
    with pytest.raises(PipelineError, match=r'stage/stage\.json is not the mark'):
        stage_state(stage())


def test_a_mark_that_is_a_folder(stage):
    Path(stage().folder, 'stage.json').mkdir(parents=True)
    with pytest.raises(PipelineError, match=r'stage/stage\.json is not the mark'):
        stage_state(stage())


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


def test_the_shell_reads_what_is_printed(tmp_path):
    folder = tmp_path / "it's $HOME"
    folder.mkdir()
    (folder / 'last_checkpoint').write_text('/some/where/iter 4.pth')
    text = shell_text([sys.executable, '-c', 'import sys; print(sys.argv[1:])',
                       LastCheckpoint(str(folder)), LastCheckpoint(str(folder), 'a b='), '$HOME'])
    printed = subprocess.run(text, shell=True, check=True, capture_output=True, text=True).stdout
    assert ast.literal_eval(printed) == [
        '/some/where/iter 4.pth', 'a b=/some/where/iter 4.pth', '$HOME']


def test_the_last_checkpoint_has_to_be_there(tmp_path):
    with pytest.raises(PipelineError, match='last_checkpoint .*does not exist'):
        LastCheckpoint(str(tmp_path)).argument()
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_4.pth'))
    with pytest.raises(PipelineError, match='last_checkpoint: it names iter_4.pth, which is '
                                            'neither beside it nor at .*delete the folder'):
        LastCheckpoint(str(tmp_path)).argument()
    (tmp_path / 'iter_4.pth').touch()
    assert LastCheckpoint(str(tmp_path), 'x=').argument() == f'x={tmp_path}/iter_4.pth'
    (tmp_path / 'last_checkpoint').write_text('/before/it/was/moved/iter_4.pth')
    assert LastCheckpoint(str(tmp_path)).argument() == f'{tmp_path}/iter_4.pth'


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
