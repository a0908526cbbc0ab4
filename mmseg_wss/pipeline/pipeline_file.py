"""The file of a pipeline: its keys, and what is wrong with them."""
import difflib
import os.path as osp
from argparse import Namespace

from mmengine.config import Config, DictAction

from mmseg_wss.pipeline.stage import PipelineError

# key -> (needed options, further options or None: any; the tool of the stage knows them)
KEYS = dict(
    proposals=(('method', ), None), ann_net=(('config', ), ()),
    pseudo_masks=(('tau', ), ('tta', 'crf', 'box_gate')), rounds=None, seg_net=(('config', ), ()),
    evaluation=(('truth', ), ('ann_file', )))
_OPTIONAL = 'rounds', 'evaluation'


def split_options(options):
    """Tell settings of the pipeline from those of the networks' configs.

    Args:
        options (Sequence[str]): KEY=VALUE.

    Returns:
        tuple[list[str], list[str]]: those whose key begins with one of the pipeline (``rounds=2``,
        ``pseudo_masks.tau=0.8``), and the others.

    Raises:
        PipelineError: not of the form KEY=VALUE, or a work_dir.
    """
    own, others = [], []
    for option in options:
        key, equals, _ = option.partition('=')
        if not equals:
            raise PipelineError(f'--cfg-options takes KEY=VALUE, got {option!r}.')
        if key == 'work_dir':
            raise PipelineError('work_dir: each stage has its own folder; use --work-dir.')
        (own if key.split('.')[0] in KEYS else others).append(option)
    return own, others


def read_pipeline(path, options=()):
    """Read a pipeline file, and check it.

    Args:
        path (str): a config file with proposals, ann_net, pseudo_masks, rounds (default 1),
            seg_net and evaluation (optional); see configs/msrc/pipelines/.
        options (Sequence[str]): KEY=VALUE, laid over the file.

    Returns:
        dict: the keys of the file; the ``config`` of both networks as paths that can be opened.

    Raises:
        PipelineError: a missing file; missing, unknown or impossible keys.
    """
    if not osp.isfile(path):
        raise PipelineError(f'{path}: there is no such pipeline file.')
    config = Config.fromfile(path)
    config.merge_from_dict(parse_options(options))
    pipeline = dict(dict(rounds=1), **config.to_dict())
    if pipeline.get('evaluation', ()) is None:  # --cfg-options evaluation=None
        del pipeline['evaluation']
    _check_keys(path, 'the pipeline', pipeline, [k for k in KEYS if k not in _OPTIONAL], KEYS)
    for key in filter(KEYS.get, pipeline):
        needed, further = KEYS[key]
        if not isinstance(pipeline[key], dict):
            raise PipelineError(f'{path}: {key} must be a dict, got {pipeline[key]!r}.')
        _check_keys(path, key, pipeline[key], needed,
                    None if further is None else needed + further)
    _check_pseudo_masks(path, pipeline['pseudo_masks'])
    rounds = pipeline['rounds']
    if not isinstance(rounds, int) or isinstance(rounds, bool) or rounds < 1:
        raise PipelineError(f'{path}: rounds must be a whole number of at least 1, got {rounds!r}.')
    for key in ('ann_net', 'seg_net'):
        given = pipeline[key]['config']
        pipeline[key]['config'] = osp.normpath(osp.join(osp.dirname(path), given))
        if not osp.isfile(pipeline[key]['config']):
            raise PipelineError(f'{path}: {key}.config is {given!r}, relative to the pipeline '
                                f'file, but there is no {pipeline[key]["config"]}.')
    return pipeline


def check_method(path, pipeline):
    """The tool of the proposals does so too, as soon as it starts; a dry run does not start it.

    Raises:
        PipelineError: no known method of making proposals.
    """
    # not above: it loads torch, which takes longer than to plan
    from mmseg_wss.proposals import parse_method
    try:
        parse_method(str(pipeline['proposals']['method']))
    except ValueError as error:
        raise PipelineError(f'{path}: proposals.method: {error}') from error


def _check_pseudo_masks(path, options):
    """The tool does so too, but hours later."""
    tau, crf = options['tau'], options.get('crf')
    if isinstance(tau, bool) or not isinstance(tau, (int, float)) or not 0 <= tau <= 1:  # NaN too
        raise PipelineError(f'{path}: pseudo_masks.tau is a probability, 0 to 1; got {tau!r}.')
    for key in ('tta', 'box_gate'):
        if not _is_switch(options.get(key)):
            raise PipelineError(
                f'{path}: pseudo_masks.{key} is True or False; got {options[key]!r}.')
    if not _is_switch(crf):
        from mmseg_wss.ops.crf_presets import CRF_PRESETS  # loads torch, see above
        if crf not in tuple(CRF_PRESETS):
            raise PipelineError(f'{path}: pseudo_masks.crf is True, False or one of '
                                f'{", ".join(CRF_PRESETS)}; got {crf!r}.')


def _is_switch(value):
    return value is None or isinstance(value, bool)


def _check_keys(path, name, found, needed, known):
    for key in found:
        if known is not None and key not in known:
            close = difflib.get_close_matches(key, known, 1)
            raise PipelineError(f'{path}: {name} has no key {key!r}'
                             + (f'; is {close[0]!r} meant?' if close else '.')
                             + f' Known: {", ".join(known)}.')
    missing = [key for key in needed if key not in found]
    if missing:
        raise PipelineError(f'{path}: {name} needs {", ".join(missing)}.')


def parse_options(options):
    """KEY=VALUE texts -> dict, as the tools read them."""
    namespace = Namespace(options={})
    DictAction([], 'options', nargs='+')(None, namespace, list(options))
    return namespace.options
