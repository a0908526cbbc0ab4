"""The stages of proposals, AnnNet, pseudo masks and SegNet, as commands of the single tools.

Chen et al., Mixed-dual-head Meets Box Priors, section 3.4; rounds: "Iterative training", table 6.
This module plans. It reads configs and runs nothing; what is done already, marks in the stages'
folders say (`stage.py`).
"""
import copy
import os.path as osp
import sys

from mmengine.config import Config

from mmseg_wss.engine.pipeline_file import KEYS, parse_options
from mmseg_wss.engine.stage import LastCheckpoint, PipelineError, Stage
from mmseg_wss.version import __version__


def pseudo_mask_keys(cfg, path):
    """Keys for ``--cfg-options`` that set the mask folder of every source of pseudo masks.

    Args:
        cfg (mmengine.Config): a config; wrappers around its training data sets are looked through.
        path (str): of the config, for the error.

    Returns:
        list[str]: such as 'train_dataloader.dataset.datasets.1.pseudo_mask'.

    Raises:
        PipelineError: there is no such source.
    """
    found = [f'{key}.pseudo_mask' for key, leaf in _training_sources(cfg)
             if leaf.get('supervision') == 'pseudo']
    if not found:
        raise PipelineError(
            f"{path}: no training source has supervision='pseudo', so the masks of the pipeline "
            "would not be used. Give the weak source supervision='pseudo' and a pseudo_mask "
            '(any name: the pipeline puts its folder there).')
    return found


def _training_sources(cfg):
    """(dotted key, config) of each data set inside the wrappers."""
    if 'train_dataloader' not in cfg:
        raise PipelineError(f'{cfg.filename}: no train_dataloader; name the config of a training.')

    def walk(key, node):
        if 'datasets' in node:
            for number, child in enumerate(node['datasets']):
                yield from walk(f'{key}.datasets.{number}', child)
        elif 'dataset' in node:
            yield from walk(f'{key}.dataset', node['dataset'])
        else:
            yield key, node
    return walk('train_dataloader.dataset', cfg['train_dataloader']['dataset'])


class _Network:
    """A network's config with the options of the command line."""

    def __init__(self, path, options):
        self.path, self.options = path, list(options)
        self.cfg = Config.fromfile(path, import_custom_modules=False)
        self.keys = set(self.cfg)
        try:
            self.cfg.merge_from_dict(parse_options(options))
        except (KeyError, TypeError) as error:  # no such place in a list, a dict for a number
            raise PipelineError(f'{path}: --cfg-options do not fit into it: {error}') from error
        self.mask_keys = pseudo_mask_keys(self.cfg, path)

    def content(self):
        """What a training depends on; its masks are a stage's, wherever that lies."""
        cfg = copy.deepcopy(self.cfg)
        cfg.merge_from_dict(dict.fromkeys(self.mask_keys, 'of the stage before'))
        return dict(plain(cfg.to_dict()), work_dir=None)

    def with_masks(self, folder):
        """``--cfg-options`` of its training, and of whatever loads its checkpoint."""
        return ['--cfg-options', *self.options, *(f'{key}={folder}' for key in self.mask_keys)]

    def weak_sources(self):
        """The images that get masks, without what does not change proposals.

        So a change of the network or its schedule leaves them as they are.
        """
        return [{key: value for key, value in plain(leaf).items()
                 if key not in ('pipeline', 'pseudo_mask')}
                for _, leaf in _training_sources(self.cfg) if leaf.get('supervision') != 'pixel']

    def weak_list(self):
        """The list file of the weak images."""
        lists = {osp.join(leaf.get('data_root') or '', leaf['ann_file'])
                 for leaf in self.weak_sources()}
        if len(lists) > 1:
            raise PipelineError(
                f'{self.path} has several lists of weak images ({", ".join(sorted(lists))}): name '
                'one whose images have truth as evaluation.ann_file.')
        return lists.pop()


def plain(value):
    """A config in the types of json; functions and classes by their names."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    name = getattr(value, '__qualname__', None)
    return repr(value) if name is None else f'{value.__module__}.{name}'


def plan_stages(pipeline, work_dir, tools, gpus=1, workers=1, options=()):
    """All stages in the order in which they run.

    Args:
        pipeline (dict): from `read_pipeline`.
        work_dir (str): gets a folder for each stage. Stages before SegNet have the same names and
            contents for any number of rounds, so runs in one folder share them.
        tools (str): the folder of the tools.
        gpus (int): processes of trainings and predictions. It is part of what a training depends
            on: the samples of a step multiply with it.
        workers (int): processes that make proposals.
        options (Sequence[str]): KEY=VALUE for the configs of both networks.

    Returns:
        list[Stage]: proposals, ann_net_1, pseudo_masks_1, ..., seg_net_R, evaluation_R.

    Raises:
        PipelineError: a network without a source of pseudo masks; an option that neither config
            knows; a work_dir whose name cannot go through ``--cfg-options``.
    """
    work_dir = osp.abspath(work_dir)
    if set(work_dir) & set(' ,\'"'):
        raise PipelineError(
            f'--work-dir {work_dir}: the folders of masks go to the trainings through '
            '--cfg-options, which cannot hold spaces, commas or quotes; use another folder.')
    ann_net = _Network(pipeline['ann_net']['config'], options)
    seg_net = _Network(pipeline['seg_net']['config'], options)
    known = ann_net.keys | seg_net.keys
    for option in options:
        if option.partition('=')[0].split('.')[0] not in known:
            raise PipelineError(f'--cfg-options {option}: neither a key of the pipeline '
                             f'({", ".join(KEYS)}) nor of the configs of its networks.')
    plan, rounds = _Planner(work_dir, tools, gpus), pipeline['rounds']
    masks = [plan.proposals(pipeline['proposals'], ann_net, workers)]
    trainings = []
    for number in range(1, rounds + 1):
        trainings.append(plan.training(f'ann_net_{number}', ann_net, masks[-1]))
        masks.append(plan.pseudo_masks(
            f'pseudo_masks_{number}', pipeline['pseudo_masks'], ann_net, trainings[-1]))
    trainings.append(plan.training(f'seg_net_{rounds}', seg_net, masks[-1]))
    plan.evaluation(f'evaluation_{rounds}', pipeline.get('evaluation'), ann_net, seg_net, masks,
                    trainings[-1])
    return plan.stages


class _Planner:
    """Puts the stages together, one after the other."""

    def __init__(self, work_dir, tools, gpus):
        self.work_dir, self.tools, self.gpus = work_dir, tools, gpus
        self.stages = []

    def proposals(self, options, ann_net, workers):
        command = [*self.tool('generate_proposals.py'), ann_net.path, *flags(options),
                   '--workers', str(workers), '--out', self.folder('proposals'),
                   *(['--cfg-options', *ann_net.options] if ann_net.options else [])]
        return self.add('proposals', [command],
                        dict(options=plain(options), weak_sources=ann_net.weak_sources()))

    def training(self, name, network, masks):
        folder = self.folder(name)
        command = [*self.tool('train.py', 'dist_train.sh'), network.path, *self.processes(),
                   '--work-dir', folder, '--resume', 'auto', *network.with_masks(masks.folder)]
        return self.add(name, [command], dict(config=network.content(), gpus=self.gpus), [masks])

    def pseudo_masks(self, name, options, ann_net, training):
        folder, (masks, ) = self.folder(name), training.inputs
        command = [
            *self.tool('generate_pseudo_masks.py', 'dist_generate_pseudo_masks.sh'), ann_net.path,
            LastCheckpoint(training.folder), *self.processes(), '--out', folder, *flags(options),
            '--work-dir', folder, *ann_net.with_masks(masks.folder)]
        return self.add(name, [command], dict(options=plain(options)), [training])

    def evaluation(self, name, options, ann_net, seg_net, masks, training):
        folder = self.folder(name)
        commands = [[*self.tool('test.py'), seg_net.path, LastCheckpoint(training.folder),
                     '--work-dir', folder, *seg_net.with_masks(masks[-1].folder)]]
        if options:
            ann_file = options.get('ann_file') or ann_net.weak_list()
            commands.append([
                *self.tool('analysis_tools/mask_report.py'), *(stage.folder for stage in masks),
                '--truth', options['truth'], '--ann-file', ann_file, '--out', folder])
        return self.add(name, commands, dict(options=plain(options)), [training, *masks])

    def folder(self, name):
        return osp.join(self.work_dir, name)

    def tool(self, single, several=None):
        """The start of a command: of the script for several processes where there is one."""
        if several and self.gpus > 1:
            return ['bash', osp.join(self.tools, several)]
        return [sys.executable, osp.join(self.tools, single)]

    def processes(self):
        return [str(self.gpus)] if self.gpus > 1 else []

    def add(self, name, commands, depends, inputs=()):
        depends = dict(depends, version=__version__)
        stage = Stage(name, self.folder(name), tuple(map(tuple, commands)), depends, tuple(inputs))
        self.stages.append(stage)
        return stage


def flags(options):
    """Options of a tool: dict(tau=0.9, box_gate=True) -> ['--tau', '0.9', '--box-gate']."""
    arguments = []
    for key, value in options.items():
        if value is None or value is False:
            continue
        arguments.append(f'--{key.replace("_", "-")}')
        if value is not True:
            arguments += map(str, value if isinstance(value, (list, tuple)) else [value])
    return arguments
