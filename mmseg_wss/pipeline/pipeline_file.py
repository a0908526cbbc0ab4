"""The file of a pipeline: a list of stages, for any method.

    work_dir = 'work_dirs/mine'                      # optional: where the stages' folders are
    max_iters = 400                                  # a variable: --cfg-options max_iters=4
    stages = [
        dict(name='teacher', tool='train.py', config='../teacher.py'),
        dict(name='masks', tool='generate_pseudo_masks.py', checkpoint='teacher',
             options=dict(tau=0.9, tag_gate=True)),
        dict(name='student', tool='train.py', config='../student.py', masks='masks',
             cfg_options={'train_cfg.max_iters': '{max_iters}',
                          'load_from': '{teacher.checkpoint}'}),
        dict(name='test', tool='test.py', checkpoint='student'),
        dict(name='quality', tool='analysis_tools/mask_report.py', args=['{masks}'],
             options=dict(truth='data/truth')),
    ]

Keys of a stage; it needs the first two alone:

name         of the stage, and of its folder in the work dir
tool         a file of tools/; it is told to write into the folder
config       of the tool, relative to the pipeline file
checkpoint   name of a training: its last checkpoint. Without a config, that of the training is
             used, with its masks and cfg_options
images       a config, relative to the pipeline file, whose weak images get masks, in place of
             those of `config` (``--images-of``)
masks        name of the stage whose masks all sources of the config read that read a folder of
             masks; a list names one for each of these sources
args         further arguments of the tool
options      of the tool: dict(tau=0.9, tag_gate=True) is --tau 0.9 --tag-gate
cfg_options  of the config: dotted key -> value

Within a text, ``{masks}`` is the folder of the stage masks, ``{teacher.checkpoint}`` the last
checkpoint of the training teacher (at the end of a text), and ``{max_iters}`` a variable of the
file. A stage reads the stages that it names, and comes after them.

``dict(repeat='{rounds}', stages=[...])`` stands for its stages so many times; in them, ``{round}``
counts 1, 2, ... and ``{before}`` 0, 1, ...: dict(name='masks_{round}', ...). ``{_round}`` and
``{_before}`` are the same with an underscore, and nothing for 1: masks{_round} is masks, masks_2,
masks_3, ... With ``first=2`` it begins with 2: round 1 is what stands before it.

With ``while_better=['judge{_before}', 'judge{_round}']``, names of stages of judge_masks.py, the
rest of a round and the rounds after it run only if the second judge gives its masks a larger worth
than the first one gave (`compared`). Behind it, ``{last}`` and ``{_last}`` are the number of the
last round that is run to its end: dict(name='test{_last}', checkpoint='student{_last}', ...).
"""
import difflib
import os.path as osp
import re
from argparse import Namespace

from mmengine.config import Config, DictAction

from mmseg_wss.pipeline.rounds import compared
from mmseg_wss.pipeline.stage import PipelineError

KEYS = dict(name=str, tool=str, config=str, checkpoint=str, images=str, masks=(str, list),
            args=list, options=dict, cfg_options=dict)
_LOOP_KEYS = {'repeat', 'stages', 'first', 'while_better'}


def read_pipeline(path, options=(), work_dir=None):
    """Read a pipeline file, and check it.

    Args:
        path (str): a config file as above.
        options (Sequence[str]): KEY=VALUE. Those whose key is a variable of the file set it.
        work_dir (str, optional): the folder of the stages' folders, where judges of rounds may
            have decided. Rounds that a judge ends are left out.

    Returns:
        tuple: list[dict], the stages with the keys above, repeated, with the values of variables,
        their configs as paths that can be opened; and list[str], the other options. Stages that
        depend on what a judge is still to find also have ``waits``, its name: they are those of
        the case that all masks get better. A judge that ends the rounds has ``note``, which says
        so.

    Raises:
        PipelineError: a missing file, no stages, wrong keys or options.
    """
    if not osp.isfile(path):
        raise PipelineError(f'{path}: there is no such pipeline file.')
    config = Config.fromfile(path)
    own, others = [], []
    for option in options:
        key, equals, _ = option.partition('=')
        if not equals:
            raise PipelineError(f'--cfg-options takes KEY=VALUE, got {option!r}.')
        if key.split('.')[0] in ('work_dir', 'stages'):
            raise PipelineError(f'--cfg-options cannot set {key}: each stage has its own folder in '
                                '--work-dir, and the stages are those of the file.')
        (own if key.split('.')[0] in config else others).append(option)
    config.merge_from_dict(parse_options(own))
    variables = config.to_dict()
    stages = variables.pop('stages', None)
    if not isinstance(stages, list) or not stages:
        raise PipelineError(
            f'{path}: a pipeline is a list, stages = [dict(name=..., tool=..., ...), ...]; '
            'configs/msrc/pipelines/ has examples, and mmseg_wss/pipeline/pipeline_file.py says '
            'what a stage can have. Rewrite a file of an older version that way.')
    stages = [dict(_checked(path, stage), **more)
              for stage, more in _Expansion(path, work_dir).of(stages, variables)]
    names = [stage['name'] for stage in stages]
    for name in names:
        if names.count(name) > 1 or name in variables:
            raise PipelineError(f'{path}: {name!r} is the name of two stages, or of a stage and a '
                                'variable. Give each its own.')
    return stages, others


def work_dir_of(path):
    """The folder for the stages of a pipeline file: its work_dir, else work_dirs/ and its name."""
    name = osp.splitext(osp.basename(path))[0]
    given = Config.fromfile(path).get('work_dir') if osp.isfile(path) else None
    return given or osp.join('./work_dirs', name)


def parse_options(options):
    """KEY=VALUE texts -> dict, as the tools read them."""
    namespace = Namespace(options={})
    DictAction([], 'options', nargs='+')(None, namespace, list(options))
    return namespace.options


class _Expansion:
    """The stages with the values of variables, and the repeated ones so many times."""

    def __init__(self, path, work_dir):
        self.path, self.work_dir = path, work_dir
        self.more = {}  # of the stages that follow: the judge that they wait for

    def of(self, stages, variables):
        """Pairs of a stage and what `read_pipeline` adds to it."""
        variables = dict(variables)
        for stage in stages:
            if not isinstance(stage, dict):
                raise PipelineError(f'{self.path}: a stage is a dict, got {stage!r}.')
            if 'repeat' in stage:
                yield from self._repeated(stage, variables)
            else:
                yield _filled(stage, variables), dict(self.more)

    def _repeated(self, loop, variables):
        """The stages of a loop; sets what ``{last}`` is behind it."""
        unknown = loop.keys() - _LOOP_KEYS
        if unknown:
            raise PipelineError(f'{self.path}: repeat has no key {", ".join(sorted(unknown))}; '
                                f'known: {", ".join(sorted(_LOOP_KEYS))}.')
        times, first = (self._whole_number(loop, key, variables) for key in ('repeat', 'first'))
        _number(variables, 'last', first - 1)
        for number in range(first, times + 1):
            inner = dict(variables)
            _number(inner, 'round', number)
            _number(inner, 'before', number - 1)
            judges = _filled(loop.get('while_better'), inner)
            ends = yield from self._round(list(self.of(loop['stages'], inner)), judges, number)
            if ends:
                return
            _number(variables, 'last', number)

    def _round(self, stages, judges, number):
        """The stages of a round; returns whether its judge ends the rounds."""
        if judges is None:
            yield from stages
            return False
        names = [stage.get('name') for stage, _ in stages]
        if not isinstance(judges, list) or len(judges) != 2 or judges[1] not in names:
            raise PipelineError(
                f'{self.path}: while_better names the judge before and the one in this round, such '
                f"as ['judge{{_before}}', 'judge{{_round}}']; got {judges!r}, and the round has "
                f'{", ".join(map(str, names))}.')
        place = names.index(judges[1])
        yield from stages[:place]
        judge, more = stages[place]
        verdict = None if self.more else compared(self.work_dir, *judges)
        if verdict is not None and not verdict.better:
            yield judge, dict(more, note=f'round {number} stops: {verdict}')
            return True
        yield judge, more
        if verdict is None:
            self.more.setdefault('waits', judges[1])
        yield from ((stage, {**more, **self.more}) for stage, more in stages[place + 1:])
        return False

    def _whole_number(self, loop, key, variables):
        value = _filled(loop.get(key, 1), variables)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise PipelineError(f'{self.path}: {loop[key]} of {key} must be a whole number of at '
                                f'least 1, got {value!r}.')
        return value


def _number(variables, name, value):
    """Set a number, and as _name what stands behind a name: nothing for 1."""
    variables.update({name: value, f'_{name}': '' if value == 1 else f'_{value}'})


def _filled(value, variables):
    if isinstance(value, dict):
        return {key: _filled(item, variables) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled(item, variables) for item in value]
    if not isinstance(value, str):
        return value
    if value[:1] == '{' and value[1:-1] in variables:
        return variables[value[1:-1]]
    return re.sub(r'\{(\w+)\}', lambda match: str(variables.get(match[1], match[0])), value)


def _checked(path, stage):
    """The stage; the paths of its configs are put right."""
    name = stage.get('name')
    for key, value in stage.items():
        if key not in KEYS:
            close = difflib.get_close_matches(key, KEYS, 1)
            raise PipelineError(f'{path}: the stage {name} has no key {key!r}'
                                + (f'; is {close[0]!r} meant?' if close else '.')
                                + f' Known: {", ".join(KEYS)}.')
        if not isinstance(value, KEYS[key]):
            raise PipelineError(f'{path}: {key} of the stage {name} must not be {value!r}; see '
                                'mmseg_wss/pipeline/pipeline_file.py.')
    missing = [key for key in ('name', 'tool') if key not in stage]
    if missing:
        raise PipelineError(f'{path}: the stage {stage} needs {", ".join(missing)}.')
    if not re.fullmatch(r'\w+', name):
        raise PipelineError(f'{path}: {name!r} cannot name a folder and be used in {{...}}: write '
                            'letters, digits and underscores.')
    for key in {'config', 'images'} & stage.keys():
        given = stage[key]
        stage[key] = osp.normpath(osp.join(osp.dirname(path), given))
        if not osp.isfile(stage[key]):
            raise PipelineError(f'{path}: {key} of the stage {name} is {given!r}, relative to the '
                                f'pipeline file, but there is no {stage[key]}.')
    return stage
