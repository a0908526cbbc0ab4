"""The stages of proposals, AnnNet, pseudo masks and SegNet, as commands of the single tools.

Chen et al., Mixed-dual-head Meets Box Priors, section 3.4; rounds: "Iterative training", table 6.
This module plans. It reads configs, lists and boxes, and runs nothing; what is done already, marks
in the stages' folders say (`stage.py`).
"""
import os.path as osp
import sys

from mmseg_wss.pipeline.data_digest import file_digest
from mmseg_wss.pipeline.network import Network, plain
from mmseg_wss.pipeline.pipeline_file import KEYS
from mmseg_wss.pipeline.stage import LastCheckpoint, PipelineError, Stage
from mmseg_wss.version import __version__


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
            knows; a work_dir whose name cannot go through ``--cfg-options``; pseudo_masks.tta with
            an AnnNet that does not say how; lists of weak images that are there, but faulty.
    """
    work_dir = osp.abspath(work_dir)
    if set(work_dir) & set(' ,\'"'):
        raise PipelineError(
            f'--work-dir {work_dir}: the folders of masks go to the trainings through '
            '--cfg-options, which cannot hold spaces, commas or quotes; use another folder.')
    ann_net = Network(pipeline['ann_net']['config'], options)
    seg_net = Network(pipeline['seg_net']['config'], options)
    known = ann_net.keys | seg_net.keys
    for option in options:
        if option.partition('=')[0].split('.')[0] not in known:
            raise PipelineError(f'--cfg-options {option}: neither a key of the pipeline '
                             f'({", ".join(KEYS)}) nor of the configs of its networks.')
    if pipeline['pseudo_masks'].get('tta'):
        ann_net.check_tta()
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
        folder = self.folder('proposals')
        # the shard: a batch job's SLURM_NTASKS is of other processes
        command = [*self.tool('generate_proposals.py'), ann_net.path, *flags(options),
                   '--workers', str(workers), '--shard', '0/1', '--out', folder,
                   *(['--cfg-options', *ann_net.options] if ann_net.options else [])]
        return self.add('proposals', [command],
                        dict(options=plain(options), weak_sources=ann_net.weak_sources()),
                        data=dict(weak_images=ann_net.weak_images(folder)), follows_data=True)

    def training(self, name, network, masks):
        folder = self.folder(name)
        command = [*self.tool('train.py', 'dist_train.sh'), network.path, *self.processes(),
                   '--work-dir', folder, '--resume', 'auto', *network.with_masks(masks.folder)]
        return self.add(name, [command], dict(config=network.content(), gpus=self.gpus), [masks],
                        dict(lists=network.lists()))

    def pseudo_masks(self, name, options, ann_net, training):
        folder, (masks, ) = self.folder(name), training.inputs
        command = [
            *self.tool('generate_pseudo_masks.py', 'dist_generate_pseudo_masks.sh'), ann_net.path,
            LastCheckpoint(training.folder), *self.processes(), '--out', folder, *flags(options),
            '--work-dir', folder, *ann_net.with_masks(masks.folder)]
        return self.add(name, [command], dict(options=plain(options)), [training])

    def evaluation(self, name, options, ann_net, seg_net, masks, training):
        folder, lists = self.folder(name), seg_net.lists('test')
        commands = [[*self.tool('test.py'), seg_net.path, LastCheckpoint(training.folder),
                     '--work-dir', folder, *seg_net.with_masks(masks[-1].folder)]]
        if options:
            ann_file = options.get('ann_file') or ann_net.weak_list()
            lists[ann_file] = file_digest(ann_file)
            commands.append([
                *self.tool('analysis_tools/mask_report.py'), *(stage.folder for stage in masks),
                '--truth', options['truth'], '--ann-file', ann_file, '--out', folder])
        return self.add(name, commands, dict(options=plain(options)), [training, *masks],
                        dict(lists=lists))

    def folder(self, name):
        return osp.join(self.work_dir, name)

    def tool(self, single, several=None):
        """The start of a command: of the script for several processes where there is one."""
        if several and self.gpus > 1:
            return ['bash', osp.join(self.tools, several)]
        return [sys.executable, osp.join(self.tools, single)]

    def processes(self):
        return [str(self.gpus)] if self.gpus > 1 else []

    def add(self, name, commands, depends, inputs=(), data=None, follows_data=False):
        depends = dict(depends, version=__version__)
        stage = Stage(name, self.folder(name), tuple(map(tuple, commands)), depends, tuple(inputs),
                      data or {}, follows_data)
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
