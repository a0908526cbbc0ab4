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
counts 1, 2, ... and ``{before}`` 0, 1, ...: dict(name='masks_{round}', ...).
"""
import difflib
import os.path as osp
import re
from argparse import Namespace

from mmengine.config import Config, DictAction

from mmseg_wss.pipeline.stage import PipelineError

KEYS = dict(name=str, tool=str, config=str, checkpoint=str, images=str, masks=(str, list),
            args=list, options=dict, cfg_options=dict)
_LOOP_KEYS = 'round', 'before'


def read_pipeline(path, options=()):
    """Read a pipeline file, and check it.

    Args:
        path (str): a config file as above.
        options (Sequence[str]): KEY=VALUE. Those whose key is a variable of the file set it.

    Returns:
        tuple: list[dict], the stages with the keys above, repeated, with the values of variables,
        their configs as paths that can be opened; and list[str], the other options.

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
    stages = list(_expanded(path, stages, variables))
    names = [_checked(path, stage)['name'] for stage in stages]
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


def _expanded(path, stages, variables):
    """The stages with the values of variables, and the repeated ones so many times."""
    for stage in stages:
        if not isinstance(stage, dict):
            raise PipelineError(f'{path}: a stage is a dict, got {stage!r}.')
        if 'repeat' not in stage:
            yield _filled(stage, variables)
            continue
        times = _filled(stage['repeat'], variables)
        if not isinstance(times, int) or isinstance(times, bool) or times < 1:
            raise PipelineError(f'{path}: {stage["repeat"]} of repeat must be a whole number of at '
                                f'least 1, got {times!r}.')
        for number in range(times):
            numbers = dict(zip(_LOOP_KEYS, (number + 1, number)))
            yield from _expanded(path, stage['stages'], {**variables, **numbers})


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
