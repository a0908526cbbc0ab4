"""Judging mask sources on the strong images of a config, by networks that never saw them."""
import os.path as osp
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mmengine.evaluator import Evaluator

from mmseg_wss.datasets import VOCWeakSegDataset
from mmseg_wss.engine.config_sources import walk_sources
from mmseg_wss.engine.image_runner import image_runner
from mmseg_wss.engine.side_by_side import Command, run_side_by_side
from mmseg_wss.engine.weak_sources import WeakImages, image_pipeline, listed
from mmseg_wss.engine.work_dir import latest_checkpoint
from mmseg_wss.errors import ConfigError
from mmseg_wss.evaluation.mask_judge import JudgedImage, MaskJudge, judge_rows
from mmseg_wss.labels.formats.id_list import read_id_list
from mmseg_wss.labels.formats.text_list import read_lines, write_lines
from mmseg_wss.labels.kinds import is_weak
from mmseg_wss.ops.crf_presets import CRF_PRESETS
from mmseg_wss.simulation.splits import class_balanced_order
from mmseg_wss.simulation.weak_label_jobs import MakeWeakLabel, find_instances

PREDICTIONS = 'predictions'
_NO_VALIDATION = 'val_dataloader=None', 'val_evaluator=None', 'val_cfg=None'


@dataclass(frozen=True)
class CrossFitting:
    """Networks that are each trained without a part of the strong images, the fold that it judges.

    Weak sources of the config stay in each training as they are. Masks of theirs from a folder were
    made by a network that saw all strong images, so a little of a fold's truth reaches its network
    that way: later rounds are flattered a little. The config's own ``load_from`` is left out, since
    a network that starts from weights of all strong images has seen each fold; one in `options` is
    used.

    Args:
        path (str): of the config of these networks.
        cfg (mmengine.Config): what it says, with `options`; one training source has true masks, in
            VOC layout.
        out (str): a folder for lists and trainings, and the predictions of the strong images, each
            by the network that did not see it: ``predictions/ID.png``.
        folds (int): K, at least 2; the images are dealt out so that each fold has its share of
            every class.
        options (tuple): of the trainings, 'KEY=VALUE'.
        reference (str, optional): `out` of another judge of the same images and folds. What masks
            are worth is counted against the predictions of its networks, in place of those of its
            own: so the figures of several rounds are of one scale.

    Raises:
        ConfigError: (when used) the config has no such source, or several.
    """
    path: str
    cfg: object
    out: str
    folds: int = 2
    options: tuple = ()
    reference: str = None

    @cached_property
    def source(self):
        """The dotted key of the strong source, and its data set."""
        strong = [(key, listed(leaf)) for key, leaf in walk_sources(self.cfg, 'train')
                  if not is_weak(leaf)]
        if len(strong) != 1 or not isinstance(strong[0][1], VOCWeakSegDataset):
            found = ', '.join(type(dataset).__name__ for _, dataset in strong) or 'none'
            raise ConfigError(
                f'{self.path}: expected one training source with true masks, a VOCWeakSegDataset, '
                f'whose images are dealt out to the folds; found {found}. Name another config, or '
                'put the images into one list.')
        return strong[0]

    @cached_property
    def images(self):
        """The strong images, list of `JudgedImage`."""
        _, dataset = self.source
        names, _ = read_id_list(dataset.ann_file, '')
        root = dataset.data_root or ''
        instances = find_instances(root)
        images = []
        for name, info in zip(names, map(dataset.get_data_info, range(len(dataset)))):
            path = instances and osp.join(root, instances, name + dataset.seg_map_suffix)
            images.append(JudgedImage(name, info['img_path'], info['seg_map_path'],
                                      path if path and osp.isfile(path) else None))
        return images

    @cached_property
    def parts(self):
        """The images of each fold, list of lists of `JudgedImage`.

        Raises:
            ConfigError: fewer images than folds.
        """
        if len(self.images) < self.folds:
            raise ConfigError(f'{self.path}: {self.folds} folds of {len(self.images)} strong '
                              'image(s): a fold needs one at least. Use fewer folds.')
        _, dataset = self.source
        tags = MakeWeakLabel('tags', dataset.metainfo['classes'])
        order = class_balanced_order({image.name: tags(**vars(image)) for image in self.images})
        by_name = {image.name: image for image in self.images}
        return [[by_name[name] for name in order[fold::self.folds]] for fold in range(self.folds)]

    def check_reference(self):
        """See that the reference has judged the same images in the same folds.

        Raises:
            ConfigError: it has not.
        """
        if self.reference is None:
            return
        fault = None
        if not osp.isfile(osp.join(self.reference, 'judge.json')):
            fault = 'has no judge.json, so no judge has come to its end there'
        elif not osp.isdir(osp.join(self.reference, PREDICTIONS)):
            fault = 'is of an older version, which kept no predictions'
        else:
            folds = {_trained_list(self.reference, fold): self._trained(fold)
                     for fold in range(self.folds)}
            one_more = _trained_list(self.reference, self.folds)
            if osp.isfile(one_more) or any(
                    not osp.isfile(path) or read_lines(path) != names
                    for path, names in folds.items()):
                fault = ('has judged other strong images, or dealt them out to other folds than '
                         f'the {self.folds} of {self.path} are now')
        if fault:
            raise ConfigError(f'--reference {self.reference} {fault}. Name the --out of a judge of '
                              'the same list with as many --folds, or leave --reference out.')

    def _trained(self, fold):
        """The images that the network of a fold is trained with, list of str."""
        return sorted(image.name for number, part in enumerate(self.parts) for image in part
                      if number != fold)

    @property
    def own_start(self):
        """The option that keeps a fold's training from the config's ``load_from``, if it has one.

        Returns:
            tuple[str]: none where `options` name a checkpoint.
        """
        named = any(option.startswith('load_from=') for option in self.options)
        return ('load_from=None', ) if self.cfg.get('load_from') and not named else ()

    def work_dir(self, fold):
        """The folder of the training without a fold."""
        return osp.join(self.out, f'fold{fold}')

    def train(self, script, at_a_time=1):
        """Train the networks, or go on with them; finished trainings stay as they are.

        Args:
            script (str): path of tools/train.py.
            at_a_time (int): networks that are trained side by side.

        Raises:
            ConfigError: a training failed.
        """
        key, _ = self.source
        commands = []
        for fold in range(self.folds):
            path = Path(_trained_list(self.out, fold)).resolve()
            write_lines(path, self._trained(fold))
            commands.append(Command(self.work_dir(fold), [
                sys.executable, script, self.path, '--work-dir', self.work_dir(fold), '--resume',
                'auto', '--cfg-options', *self.own_start, *self.options,
                f'{key}.ann_file={path}', *_NO_VALIDATION]))
        for ended in run_side_by_side(commands, at_a_time):
            if ended.code:
                raise ConfigError(f'{ended.name}: the training failed (exit code {ended.code}); '
                                  'its output is above. Mend the cause and start again.')

    def judge(self, candidates):
        """Judge candidates on all folds, each by the network that did not see it.

        Args:
            candidates (Sequence[Candidate]): see `MaskJudge`.

        Returns:
            list[dict]: see `judge_rows`.
        """
        classes, worth, quality = self.source[1].metainfo['classes'], [], 0
        for fold, part in enumerate(self.parts):
            judge = MaskJudge({image.img_path: image for image in part}, classes, candidates,
                              CRF_PRESETS, osp.join(self.out, PREDICTIONS),
                              self.reference and osp.join(self.reference, PREDICTIONS))
            cfg = self.cfg.copy()
            cfg.work_dir = osp.join(self.work_dir(fold), 'judge')
            image_runner(cfg, latest_checkpoint(self.work_dir(fold)), self._dataset(part),
                         Evaluator([judge]), keep_config=False).test()
            worth, quality = worth + judge.worth, quality + judge.quality
        return judge_rows(candidates, worth, quality, classes)

    def _dataset(self, part):
        """The images of a fold without their labels, through the pipeline of a test."""
        _, dataset = self.source
        _, test = next(walk_sources(self.cfg, 'test'))
        pipeline, takes_boxes = image_pipeline(test['pipeline'])
        if takes_boxes:
            raise ConfigError(f'{self.path}: its network sees boxes beside the image, which a '
                              'judge does not give it. Name the config of one that does not.')
        metainfo = {key: dataset.metainfo[key] for key in ('classes', 'palette')}
        return WeakImages([dict(img_path=image.img_path, supervision='none', label_map=None,
                                reduce_zero_label=False, seg_fields=[]) for image in part],
                          ann_file=dataset.ann_file, pipeline=pipeline, metainfo=metainfo,
                          supervision='none')


def _trained_list(out, fold):
    """The file that lists what a fold's network is trained with."""
    return osp.join(out, f'fold{fold}_train.txt')
