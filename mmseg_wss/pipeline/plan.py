"""The stages of a pipeline as commands of the single tools, and what each result depends on.

This module plans. It reads configs, lists and boxes, and runs nothing; what is done already, marks
in the stages' folders say (`stage.py`).
"""
import os.path as osp
import re
import sys

from mmseg_wss.pipeline.data_digest import file_digest
from mmseg_wss.pipeline.network import Network, plain
from mmseg_wss.pipeline.stage import LastCheckpoint, PipelineError, Stage, digest
from mmseg_wss.pipeline.tool_kinds import TOOL_KINDS, ToolKind
from mmseg_wss.version import __version__

_REFERENCE = re.compile(r'\{(\w+)(\.checkpoint)?\}')


def plan_stages(specs, work_dir, tools, gpus=1, workers=1, options=()):
    """All stages in the order in which they run.

    Args:
        specs (list[dict]): the stages of `read_pipeline`.
        work_dir (str): gets a folder for each stage.
        tools (str): the folder of the tools.
        gpus (int): processes of trainings and predictions. It is part of what a training depends
            on: the samples of a step multiply with it.
        workers (int): processes of tools that have --workers.
        options (Sequence[str]): KEY=VALUE for all configs.

    Returns:
        list[Stage]: one for each of `specs`.

    Raises:
        PipelineError: a tool or a stage that there is not; a config that does not fit its tool; an
            option that no config knows; a work_dir whose name cannot go through ``--cfg-options``;
            lists of weak images that are there, but faulty.
    """
    work_dir = osp.abspath(work_dir)
    if set(work_dir) & set(' ,\'"'):
        raise PipelineError(
            f'--work-dir {work_dir}: the folders of masks go to the trainings through '
            '--cfg-options, which cannot hold spaces, commas or quotes; use another folder.')
    planner = _Planner(work_dir, tools, gpus, workers, list(options))
    for number, spec in enumerate(specs):
        planner.add(spec, later=[other['name'] for other in specs[number:]])
    for option in options:
        if option.partition('=')[0].split('.')[0] not in planner.known_keys:
            raise PipelineError(f'--cfg-options {option}: neither a variable of the pipeline nor a '
                                'key of the configs of its stages.')
    return [stage for _, stage in planner.planned.values()]


class _Planner:
    """Puts the stages together, one after the other."""

    def __init__(self, work_dir, tools, gpus, workers, options):
        self.work_dir, self.tools, self.options = work_dir, tools, options
        self.gpus, self.workers = gpus, workers
        self.planned = {}  # name -> (spec, Stage)
        self.known_keys = set()
        self._weak_images = {}  # digest of sources -> digest of their images, which takes time

    def add(self, spec, later):
        name, kind = spec['name'], TOOL_KINDS.get(spec['tool'], ToolKind())
        folder = osp.join(self.work_dir, name)
        if not osp.isfile(osp.join(self.tools, spec['tool'])):
            raise PipelineError(f'the stage {name}: there is no tool {spec["tool"]} in '
                                f'{self.tools}.')
        spec = self._with_network(spec, later)
        inputs = [self._stage(spec, other, later) for other in _references(spec)]
        network = self._network(spec)
        images = Network(spec['images'], []) if 'images' in spec else network
        command = [*self._program(spec, kind, network), *spec.get('args', ()),
                   *(['--images-of', spec['images']] if 'images' in spec else []),
                   *flags(spec.get('options', {})), *kind.fixed,
                   *(['--workers', str(self.workers)] if kind.takes_workers else []),
                   *(part for option in kind.out for part in (option, folder)),
                   *(['--cfg-options', *network.options] if network and network.options else [])]
        depends, data = self._depends(spec, kind, network, images, folder)
        stage = Stage(name, spec['tool'], folder, tuple(map(self._filled, command)), depends,
                      tuple(inputs), data, follows_data=kind.makes_masks,
                      waits=spec.get('waits', ''), note=spec.get('note', ''))
        self.planned[name] = spec, stage

    def _with_network(self, spec, later):
        """With the network of its checkpoint's training, unless it has a config of its own."""
        if 'checkpoint' not in spec or 'config' in spec:
            return spec
        self._stage(spec, spec['checkpoint'], later)
        training = self.planned[spec['checkpoint']][0]
        inherited = {key: training[key] for key in ('config', 'masks') if key in training}
        options = {**training.get('cfg_options', {}), **spec.get('cfg_options', {})}
        return {**inherited, **spec, 'cfg_options': options}

    def _stage(self, spec, name, later):
        """A stage that another one reads."""
        if name not in self.planned:
            remedy = ('comes later: write the stages in the order in which they run'
                      if name in later else
                      f'is not there; before it are {", ".join(self.planned) or "none"}')
            raise PipelineError(f'the stage {spec["name"]} reads {name}, which {remedy}.')
        return self.planned[name][1]

    def _network(self, spec):
        if 'config' not in spec:
            return None
        masks = spec.get('masks')
        if masks is not None:
            masks = f'{{{masks}}}' if isinstance(masks, str) else [f'{{{name}}}' for name in masks]
        own = [f'{key}={_text(value)}' for key, value in spec.get('cfg_options', {}).items()]
        network = Network(spec['config'], [*own, *self.options], masks)
        self.known_keys |= network.keys
        if spec.get('options', {}).get('tta'):
            network.check_tta()
        return network

    def _program(self, spec, kind, network):
        """The start of a command: of the script for several processes where there is one."""
        several = kind.several and self.gpus > 1
        return [*(['bash'] if several else [sys.executable]),
                osp.join(self.tools, kind.several if several else spec['tool']),
                *([network.path] if network else []),
                *([f'{{{spec["checkpoint"]}.checkpoint}}'] if 'checkpoint' in spec else []),
                *([str(self.gpus)] if several else [])]

    def _depends(self, spec, kind, network, images, folder):
        """What the result depends on besides other stages, and digests of the data it reads."""
        options, args = spec.get('options', {}), spec.get('args', [])
        depends = dict(options=plain(options), args=plain(args), version=__version__)
        files = [text for text in [*args, *options.values()]
                 if isinstance(text, str) and osp.isfile(text)]
        data = dict(files={path: file_digest(path) for path in files})
        if network and kind.needs_network:
            depends['config'] = network.content()
        if network and kind.split:
            data['lists'] = network.lists(kind.split)
        if kind.split == 'train':
            depends['gpus'] = self.gpus
        if network and (kind.makes_masks or kind.split == 'train' and network.reads_annotations()):
            sources = images.weak_sources()
            if images is not network or not kind.needs_network:
                depends['weak_sources'] = sources
            key = digest(sources)
            if key not in self._weak_images:
                self._weak_images[key] = images.weak_images(folder)
            data['weak_images'] = self._weak_images[key]
        return depends, data

    def _filled(self, text):
        """An argument with the folders and checkpoints that it names."""
        text = str(text)
        before, brace, name = text.rpartition('{')
        if name.endswith('.checkpoint}'):
            stage = self.planned[name.partition('.')[0]][1]
            return LastCheckpoint(stage.folder, self._filled(before))
        return _REFERENCE.sub(lambda match: self.planned[match[1]][1].folder, text)


def _references(spec):
    """Names of the stages that a stage reads, the one of its checkpoint first."""
    masks = spec.get('masks', [])
    names = [spec[key] for key in ('checkpoint', ) if key in spec]
    names += [masks] if isinstance(masks, str) else masks
    for key in ('args', 'options', 'cfg_options'):
        names += [match[1] for match in _REFERENCE.finditer(str(spec.get(key, '')))]
    return list(dict.fromkeys(names))


def _text(value):
    """A value for --cfg-options: lists without spaces, as its reader wants them."""
    return str(value).replace(' ', '') if isinstance(value, (list, tuple)) else str(value)


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
