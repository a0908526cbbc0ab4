"""The pseudo masks of a config's weak images: which are to be made, and the runner that does it."""
import os.path as osp
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Optional

from mmseg_wss.engine.config_sources import leaf_datasets
from mmseg_wss.engine.data_lists import read_data_lists
from mmseg_wss.engine.image_runner import image_runner, network_recipe
from mmseg_wss.engine.weak_sources import (
    gate_targets,
    image_pipeline,
    image_tags,
    mask_target,
    weak_images,
)
from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.checks.label_check import IGNORE, label_values
from mmseg_wss.labels.checks.share_check import FEW_LABELLED
from mmseg_wss.labels.formats.mask_file import read_mask, read_record
from mmseg_wss.labels.stores.mask_folder import MaskFolder, label_path
from mmseg_wss.labels.stores.mask_target import confidence_path
from mmseg_wss.ops.crf_presets import CRF_PRESETS
from mmseg_wss.utils.fileio import file_sha256, remove_temporaries


class Plan(NamedTuple):
    """What is to be done; the same in all processes."""
    recipe: dict
    targets: dict  # path of an image -> MaskTarget, of all images
    todo: list  # indices of the images without an up-to-date mask


@dataclass(frozen=True)
class PseudoMasks:
    """Pseudo masks that a trained network makes for the weak images of a config.

    Args:
        cfg (mmengine.Config): the config of the network, with a test_dataloader; with `tta` as
            `enable_tta` leaves it.
        checkpoints (Sequence[str]): the network's file; of several trainings of the config, the
            probabilities are averaged (`EnsembleSegmentor`).
        out (str): folder of the masks.
        method (str): who makes the masks, for their records.
        tau (float, optional): see `threshold_labels`; None for seeds.
        tta (bool): the config predicts with test-time augmentation.
        crf (str, optional): one of `CRF_PRESETS`.
        gate (bool): each image's own labels exclude what they can (`gate_targets`).
        tag_gate, box_gate (bool): its tags or its boxes do, which each image must have.
        judgement (dict[str, Candidate], optional): what a judge found best for each kind of label
            (`read_judgement`), in place of `tau`, `crf` and the gates.
        soft (bool): see `PseudoMaskWriter`.
        seeds (tuple, optional): the thresholds of a `SeedWriter`.
        ann_file (str, optional): this list instead of those of the weak sources.
        allow_val (bool): make masks of val and test images too.
    """
    cfg: object
    checkpoints: tuple
    out: str
    method: str
    tau: Optional[float] = None
    tta: bool = False
    crf: Optional[str] = None
    gate: bool = False
    tag_gate: bool = False
    box_gate: bool = False
    judgement: Optional[dict] = None
    soft: bool = False
    seeds: Optional[tuple] = None
    ann_file: Optional[str] = None
    allow_val: bool = False

    def plan(self):
        """Look what is done already; boxes and tags are read where masks depend on them.

        Returns:
            Plan

        Raises:
            BlockingIOError: another process is writing to the folder.
            DataError: labels are missing or wrong, images are for evaluation
                (`refuse_evaluation_images`), or see `MaskFolder`.
            ValueError: see `weak_images`.
        """
        pipeline, with_boxes = self._pipeline()
        dataset = weak_images(self.cfg, self.out, with_boxes=with_boxes, ann_file=self.ann_file)
        images = [dataset.get_data_info(i) for i in range(len(dataset))]
        if not self.allow_val:
            refuse_evaluation_images(self.cfg, images)
        classes = dataset.metainfo['classes']
        with_tags = self.tag_gate or self.seeds is not None
        tags = image_tags(self.cfg, self.ann_file) if with_tags else {}
        if self.seeds is not None:
            _refuse_untagged(images, tags)
        self._refuse_outside(images)
        self._refuse_other_classes(classes)
        targets = self._gate_targets(images) if self._gated else {
            info['img_path']: mask_target(info, classes, with_boxes, tags.get(info['img_path']))
            for info in images}
        recipe = self._recipe(pipeline, classes)
        with MaskFolder(self.out, recipe) as folder:
            remove_temporaries(confidence_path(self.out, '').parent)
            todo = [i for i, target in enumerate(targets.values())
                    if not (folder.is_done(target.name, target.inputs, **target.facts)
                            and (not self.soft
                                 or confidence_path(self.out, target.name).is_file()))]
        return Plan(recipe, targets, todo)

    @property
    def _gated(self):
        """Whether each image's own labels exclude what they can."""
        return self.gate or self.judgement is not None

    def _gate_targets(self, images):
        choices = self.judgement and {
            kind: dict(source=best.source, tau=best.tau, crf=best.crf,
                       tau_classes=best.tau_classes or {})  # in each record: none is a choice, too
            for kind, best in self.judgement.items()}
        return gate_targets(self.cfg, images, self.ann_file, choices)

    def build_runner(self, plan):
        """A runner whose ``test()`` writes the masks of a plan (`image_runner`)."""
        dataset = weak_images(self.cfg, self.out, *self._pipeline(), self.ann_file)
        dataset.get_subset_(plan.todo)
        writer = dict(out_dir=self.out, recipe=plan.recipe, targets=plan.targets)
        if self.seeds is None:
            writer.update(type='mmseg_wss.PseudoMaskWriter', tau=self.tau,
                          crf=CRF_PRESETS.get(self.crf), box_gate=self.box_gate or self._gated,
                          soft=self.soft, present=self._gated)
        else:
            writer.update(type='mmseg_wss.SeedWriter', fg_threshold=self.seeds[0],
                          bg_threshold=self.seeds[1])
        if len(self.checkpoints) == 1:
            return image_runner(self.cfg, self.checkpoints[0], dataset, writer)
        return image_runner(self._averaged(), None, dataset, writer)

    def _averaged(self):
        """The config with the mean of its networks."""
        cfg = self.cfg.copy()
        network = cfg.model.module if self.tta else cfg.model
        members = [dict(model=network, checkpoint=path, weight=1 / len(self.checkpoints))
                   for path in self.checkpoints]
        ensemble = dict(type='mmseg_wss.EnsembleSegmentor', members=members)
        cfg.model = dict(cfg.model, module=ensemble) if self.tta else ensemble
        return cfg

    def coverage(self, plan):
        """The share of the pixels of all masks of a plan that are labelled, by their records."""
        records = [read_record(Path(self.out, f'{target.name}.png'))
                   for target in plan.targets.values()]
        return (sum(record['kept'] for record in records)
                / sum(record['pixels'] for record in records))

    def _refuse_other_classes(self, classes):
        """Raise a DataError where the judge's thresholds are of classes that there are not."""
        others = {name for best in (self.judgement or {}).values()
                  for name in best.tau_classes or {}} - set(classes)
        if others:
            raise DataError('the judge has thresholds of the classes '
                            f'{abridged(sorted(others))}, which the config does not have: judge '
                            'with the classes of these images.')

    def _refuse_outside(self, images):
        """Raise a DataError for images whose IDs, such as ``../ID``, lead out of the folder."""
        faults = []
        for info in images:
            try:
                label_path(Path(self.out), info['mask_name'], '.png')
            except ValueError as error:
                faults.append(str(error))
        if faults:
            raise DataError('\n'.join(faults))

    def shortage(self, plan):
        """Why the masks of a plan would teach nothing, as a sentence; '' where they would.

        Masks are opened until one has an object.
        """
        if self.coverage(plan) < FEW_LABELLED:
            return 'almost no pixel is labelled'
        paths = (Path(self.out, f'{target.name}.png') for target in plan.targets.values())
        if all(set(label_values(read_mask(path))) <= {0, IGNORE} for path in paths):
            return 'no pixel has a class other than the background'
        return ''

    def _pipeline(self):
        """The transforms of an image, and whether it needs boxes."""
        pipeline, takes_boxes = image_pipeline(
            next(leaf_datasets(self.cfg.test_dataloader.dataset))['pipeline'])
        return pipeline, takes_boxes or self.box_gate

    def _recipe(self, pipeline, classes):
        """All that a mask depends on besides its image, boxes and tags."""
        checkpoint, *others = self.checkpoints
        return dict(
            network_recipe(self.cfg, checkpoint, pipeline, self.tta, self.crf),
            tool='generate_pseudo_masks', method=self.method, classes=list(classes), tau=self.tau,
            tag_gate=self.tag_gate, box_gate=self.box_gate, soft=self.soft,
            **(dict(averaged_with=[*map(file_sha256, others)]) if others else {}),
            **(dict(gate='present') if self._gated else {}),
            **({} if self.seeds is None else dict(seeds=self.seeds)))


def _refuse_untagged(images, tags):
    untagged = [info['img_path'] for info in images if info['img_path'] not in tags]
    if untagged:
        raise DataError(f'seeds need tags, and {len(untagged)} image(s) have none: '
                        f'{abridged(untagged)}. Give their data set a tag_file.')


def refuse_evaluation_images(cfg, images):
    """Pseudo masks of evaluation images would let a training see them.

    Args:
        cfg (mmengine.Config): a config.
        images (Sequence[dict]): with an img_path each.

    Raises:
        DataError: an image is in a val or test list of the config, or such a list is faulty.
    """
    paths = {osp.realpath(info['img_path']): info['img_path'] for info in images}
    for entry in read_data_lists(cfg):
        if entry.for_training:
            continue
        if entry.faults:
            raise DataError('\n'.join(entry.faults))
        shared = paths.keys() & {osp.realpath(info['img_path']) for info in entry.images}
        if shared:
            raise DataError(
                f'{entry.name} has {len(shared)} of the images: '
                f'{abridged(sorted(paths[path] for path in shared))}. Pseudo masks of them must '
                'not be trained with: remove them from the weak list, or pass --allow-val.')
