"""A stage of a pipeline, and the mark in its folder that says what was done there, and from what.

The mark, stage.json, is written when a stage starts and again when it is done. It holds everything
that the result depends on, so that a stage is never continued, nor its result used, with others.
"""
import hashlib
import json
import os.path as osp
import shlex
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mmseg_wss.engine.work_dir import latest_checkpoint
from mmseg_wss.errors import DataError
from mmseg_wss.utils.fileio import atomic_path, remove_temporaries

MARK = 'stage.json'
DONE, CONTINUES, TO_DO = 'done', 'continues', 'to do'
_MAX_SHOWN = 8  # changes in an error
# what a command leaves that failed before it made anything: logs, copies of configs, manifests
_TRACES = '.log', '.py', '.jsonl'


class PipelineError(ValueError):
    """A pipeline cannot run as it was asked to; the message says why, and what to do."""


@dataclass(frozen=True)
class LastCheckpoint:
    """An argument that is known only when a training has ended: its last checkpoint.

    The last one and not the best one: the val set is not there to choose a network.
    """
    work_dir: str
    before: str = ''  # what stands before its path in the argument, such as load_from=

    def __str__(self):
        """What a shell puts in its place."""
        pointer = shlex.quote(osp.join(self.work_dir, 'last_checkpoint'))
        return f'{shlex.quote(self.before) if self.before else ""}"$(cat {pointer})"'

    def argument(self):
        """The argument of a command, when the training has ended.

        Raises:
            PipelineError: the training left none, or it is gone.
        """
        try:
            path = latest_checkpoint(self.work_dir)
            fault = (f'{self.work_dir}/last_checkpoint does not exist, though the training has '
                     'ended.')
        except DataError as error:
            path, fault = None, str(error)
        if path is None:
            raise PipelineError(f'{fault} In a pipeline, delete the folder {self.work_dir} and '
                                'those of later stages, to train again.')
        return self.before + path


@dataclass(frozen=True)
class Stage:
    """One step of a pipeline, with a folder of its own."""
    name: str
    tool: str  # a file of tools/
    folder: str  # absolute
    command: tuple  # arguments: str and LastCheckpoint
    depends: dict  # what the result depends on besides `inputs`, in the types of json
    inputs: tuple = ()  # the stages whose results it reads
    data: dict = field(default_factory=dict)  # digests of the files that it reads, in such types
    follows_data: bool = False  # its command itself makes anew what changed data reach
    waits: str = ''  # the judge that is to decide whether it runs
    note: str = ''  # printed behind it


def shell_text(command):
    """A command as one could type it."""
    return ' '.join(str(part) if isinstance(part, LastCheckpoint) else shlex.quote(part)
                    for part in command)


def digest(value):
    """SHA-256 of a value in the types of json, the same for any order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def dependencies(stage):
    """All that the result of a stage depends on.

    Returns:
        dict: the stage's own ``depends`` and, as 'data', ``data``; and as 'inputs' the digest of
        the done-mark of each stage whose result it reads (None: not done). A stage that is run
        again gets another mark, so what was made from the first run is known to be out of date.
    """
    marks = {other.name: _read_mark(other) for other in stage.inputs}
    return dict(stage.depends, data=stage.data, inputs={
        name: digest(mark) if mark and mark['state'] == DONE else None
        for name, mark in marks.items()})


def mark_started(stage):
    """Write down what a stage is about to be made from."""
    remove_temporaries(stage.folder)
    _write_mark(stage, state=CONTINUES)


def mark_done(stage):
    """Write down that the command of a stage ended well."""
    _write_mark(stage, state=DONE, finished=datetime.now().isoformat())


def _write_mark(stage, **state):
    depends = dependencies(stage)
    with atomic_path(osp.join(stage.folder, MARK)) as temporary:
        temporary.write_text(json.dumps(
            dict(stage=stage.name, **state, hash=digest(depends), depends=depends), indent=1))


def _read_mark(stage):
    """The mark of a stage, None where it has none.

    Raises:
        PipelineError: the file is no mark, or its contents were changed.
    """
    path = Path(stage.folder, MARK)
    if not path.exists():
        return None
    try:
        mark = json.loads(path.read_text('utf-8'))
        if mark['state'] not in (DONE, CONTINUES):
            raise ValueError(f'expected the state {DONE!r} or {CONTINUES!r}, got '
                             f'{_short(mark["state"])}')
        if not isinstance(mark['depends'], dict) or digest(mark['depends']) != mark['hash']:
            raise ValueError('its hash is not that of its dependencies')
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise PipelineError(f'{path} is not the mark of a stage ({error}): delete the folder '
                            f'{stage.folder} to run the stage again.') from error
    return mark


def stage_state(stage):
    """How far a stage is.

    A stage that was started from something else, but has no results yet, is still to do: a wrong
    option may be corrected.

    Returns:
        str: `DONE`, `CONTINUES` (it was started) or `TO_DO`.

    Raises:
        PipelineError: it was done or started from something else than it would be now, or its
            folder holds files without a mark.
    """
    mark = _read_mark(stage)
    if mark is None:
        files = [path.name for path in Path(stage.folder).glob('*') if path.name[0] != '.']
        if files:
            raise PipelineError(
                f'{stage.folder}: {len(files)} files, {sorted(files)[0]} among them, but no {MARK} '
                'that says what they were made from. Move them away, or use another --work-dir.')
        return TO_DO
    old, depends = mark['depends'], dependencies(stage)
    if mark['state'] == CONTINUES and stage.follows_data and 'data' in old:
        depends['data'] = old['data']
    if mark['hash'] == digest(depends):
        return mark['state']
    if mark['state'] == CONTINUES and not _has_results(stage):
        return TO_DO
    changed = changes(old, depends)
    more = [f'and {len(changed) - _MAX_SHOWN} more'] if len(changed) > _MAX_SHOWN else []
    listed = '\n'.join(f'  {line}' for line in changed[:_MAX_SHOWN] + more)
    raise PipelineError(
        f'{stage.folder} was {"finished" if mark["state"] == DONE else "started"} from something '
        f'else than it would be made from now:\n{listed}\nUse another --work-dir to keep it, or '
        'delete this folder, and those of the stages after it, to make it again.')


def _has_results(stage):
    return any(path.is_file() and path.name != MARK and path.name[0] != '.'
               and path.suffix not in _TRACES for path in Path(stage.folder).rglob('*'))


def changes(old, new, key=''):
    """What differs between two values in the types of json, a line for each place.

    Returns:
        list[str]: such as 'options.tau: 0.9 -> 0.8'.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(old.keys() | new.keys())
        pairs = [(name, old.get(name, _ABSENT), new.get(name, _ABSENT)) for name in keys]
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return [f'{key}: a list of {len(old)} -> of {len(new)}']
        pairs = [(str(number), *pair) for number, pair in enumerate(zip(old, new))]
    elif old is not _ABSENT and new is not _ABSENT and digest(old) == digest(new):
        return []
    elif key.startswith('inputs.'):
        name = key.partition('.')[2]
        return [f'{name}: {"it is not done" if new is None else "it was run again since"}']
    else:
        return [f'{key}: {_short(old)} -> {_short(new)}']
    return [line for name, one, other in pairs
            for line in changes(one, other, f'{key}.{name}' if key else name)]


_ABSENT = object()


def _short(value):
    text = '(absent)' if value is _ABSENT else repr(value)
    return text if len(text) <= 120 else f'{text[:117]}...'
