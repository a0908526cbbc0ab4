"""Running the stages of a pipeline, one after the other."""
import contextlib
import importlib.util
import io
import os
import os.path as osp
import sys
import time
from datetime import timedelta

from mmseg_wss.pipeline.stage import (
    CONTINUES,
    DONE,
    LastCheckpoint,
    PipelineError,
    mark_done,
    mark_started,
    shell_text,
    stage_state,
)
from mmseg_wss.pipeline.supervisor import run_supervised
from mmseg_wss.pipeline.tool_kinds import TOOL_KINDS


def show_plan(stages):
    """Print the stages, their states and their commands."""
    for number, stage in enumerate(stages, 1):
        waits = f', waits for {stage.waits}' if stage.waits else ''
        print(f'[{number}/{len(stages)}] {stage.name}: {stage_state(stage)}{waits}')
        print(f'  {shell_text(stage.command)}')
        if stage.note:
            print(stage.note)
    if stages and stages[-1].waits:
        print('A round goes on if its judge finds better masks than those before. If not, the '
              'rounds end, and what stands after them uses the last round that was run to its end.')


def check_commands(stages, tools):
    """Let each tool parse its arguments, hours before it is run.

    Args:
        stages (list[Stage]): from `plan_stages`.
        tools (str): the folder of the tools. What ``parse_args()`` of those in `TOOL_KINDS` refuses
            is an error here; others are not asked, since to load them might run them.

    Raises:
        PipelineError: a tool does not take its arguments.
    """
    loaded, argv, environment = {}, sys.argv, dict(os.environ)
    for stage in stages:
        if stage.tool not in TOOL_KINDS:
            continue
        path = osp.join(tools, stage.tool)
        if path not in loaded:
            spec = importlib.util.spec_from_file_location(f'tool_{len(loaded)}', path)
            loaded[path] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(loaded[path])
        # a file that exists stands for the checkpoint to come
        arguments = [f'{part.before}{path}' if isinstance(part, LastCheckpoint) else part
                     for part in stage.command[2:]]
        if stage.command[0] == 'bash':  # the number of processes is for the script that starts it
            del arguments[2 if isinstance(stage.command[3], LastCheckpoint) else 1]
        printed = io.StringIO()
        try:
            sys.argv = [path, *arguments]
            with contextlib.redirect_stderr(printed):
                getattr(loaded[path], 'parse_args', lambda: None)()
        except SystemExit as error:
            message = printed.getvalue().strip().splitlines() or [str(error)]
            raise PipelineError(f'the stage {stage.name}: {message[-1]}') from error
        finally:
            sys.argv = argv
            os.environ.clear()
            os.environ.update(environment)


def check_folders(specs):
    """Look for the folders that tools read last, before the first one runs.

    Args:
        specs (list[dict]): the stages of `read_pipeline`.

    Raises:
        PipelineError: there is no such folder.
    """
    for spec in specs:
        for key in getattr(TOOL_KINDS.get(spec['tool']), 'folders', ()):
            folder = spec.get('options', {}).get(key)
            if folder is not None and not osp.isdir(folder):
                raise PipelineError(f'the stage {spec["name"]}: {key}: there is no folder {folder}.'
                                    ' Correct it in the pipeline file, or by --cfg-options where '
                                    'it is a variable of the file.')


def run_stages(plan, lock):
    """Run what is not done yet.

    Args:
        plan (Callable): no argument -> list[Stage], from `plan_stages`. It is asked again when a
            judge has decided on what follows it; what is before it must be the same.
        lock (int): the file descriptor of `folder_lock`.

    Returns:
        list[Stage]: those that are done.

    Raises:
        PipelineError: a command failed, or a stage cannot be continued (`stage_state`).
    """
    stages, number = _checked(plan()), 0
    while number < len(stages):
        waits_for = stages[number].waits
        if waits_for:
            stages = _checked(plan())
            if stages[number - 1].note:
                print(stages[number - 1].note, flush=True)
            if number == len(stages) or stages[number].waits != waits_for:
                continue
            raise PipelineError(f'{stages[number].name} waits for {waits_for}, which is done, but '
                                'has not written judge.json.')
        _run_stage(stages[number], f'[{number + 1}/{len(stages)}] {stages[number].name}', lock)
        number += 1
    return stages


def _checked(stages):
    for stage in stages:
        stage_state(stage)  # an error of a late one shall not come after hours
    return stages


def _run_stage(stage, title, lock):
    state = stage_state(stage)
    if state == DONE:
        print(f'{title}: done before', flush=True)
    else:
        print(f'{title}{": continues" if state == CONTINUES else ""} ...', flush=True)
        begin = time.monotonic()
        mark_started(stage)
        _run_command(stage, lock)
        mark_done(stage)
        seconds = round(time.monotonic() - begin)
        print(f'{title}: done in {timedelta(seconds=seconds)}', flush=True)
    if stage.note:
        print(stage.note, flush=True)


def _run_command(stage, lock):
    command = [part.argument() if isinstance(part, LastCheckpoint) else part
               for part in stage.command]
    # the scripts for several processes start "python": this one
    path = os.pathsep.join([osp.dirname(sys.executable), os.environ.get('PATH', os.defpath)])
    environment = dict(os.environ, PATH=path, PYTHONUNBUFFERED='1')
    log_path = osp.join(stage.folder, 'output.log')
    print(shell_text(command), flush=True)
    with open(log_path, 'ab') as log:
        log.write(f'# {time.strftime("%Y-%m-%d %H:%M:%S")}\n{shell_text(command)}\n'.encode())
        code = run_supervised(command, log, lock, environment)
    if code:
        raise PipelineError(f'{stage.name} failed with exit code {code}; what it printed is in '
                            f'{log_path}. Mend the cause and start again: it goes on from here.')
