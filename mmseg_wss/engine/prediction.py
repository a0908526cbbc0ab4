"""The predictions of images without labels: which are to be made, and the runner that does it."""
import os
import os.path as osp
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Optional

import torch

from mmseg_wss.engine.config_sources import leaf_datasets
from mmseg_wss.engine.hooks import ProgressHook
from mmseg_wss.engine.image_runner import image_runner, network_recipe
from mmseg_wss.engine.inference_options import enable_crf
from mmseg_wss.engine.scale_check import image_size_warning, seen_sizes
from mmseg_wss.engine.weak_sources import WeakImages, image_pipeline, mask_target
from mmseg_wss.errors import ConfigError, DataError, abridged
from mmseg_wss.labels.converters.coco_predictions import write_coco
from mmseg_wss.labels.facts import LabelFacts
from mmseg_wss.labels.formats.image_file import check_image_file, image_shape
from mmseg_wss.labels.formats.image_list import find_images
from mmseg_wss.labels.stores.mask_folder import MaskFolder
from mmseg_wss.utils.fileio import remove_temporaries

VOC_RESULTS = 'results/VOC2012/Segmentation/comp6_test_cls'  # in what VOC's server takes


class Plan(NamedTuple):
    """What is to be done; the same in all processes."""
    recipe: dict
    targets: dict  # path of an image -> MaskTarget, of all images that can be read
    todo: list  # paths of the images without an up-to-date prediction
    faults: list  # a sentence for each image that cannot be read
    passed_over: list  # files of the folder that are no images
    size_warning: str | None  # the network sees the images at another size than in training


@dataclass(frozen=True)
class Prediction:
    """Predictions that a trained network makes of images.

    Args:
        cfg (mmengine.Config): the config of the network (`prepare_network`), with a
            test_dataloader; with `tta` as `enable_tta` leaves it.
        checkpoint (str): the network's file.
        source, image_dir (str): the images, see `find_images`.
        out (str): folder of the predictions.
        classes, palette (Sequence): names and colours of the classes.
        tta (bool): the config predicts with test-time augmentation.
        crf (str, optional): one of `CRF_PRESETS`.
        soft, overlays (bool): write confidences, overlays.
        voc_results (bool): the masks go to `VOC_RESULTS`, else to ``masks``.
        boxes (str, optional): folder of the VOC XML files of a network that takes boxes.
        workers (int): threads that write; processes of the CRF where there is no GPU.
        seen_images (float, optional): size of the training's images (`TrainedNetwork`).
    """
    cfg: object
    checkpoint: str
    source: str
    out: str
    classes: tuple
    palette: tuple
    image_dir: Optional[str] = None
    tta: bool = False
    crf: Optional[str] = None
    soft: bool = False
    overlays: bool = True
    voc_results: bool = False
    boxes: Optional[str] = None
    workers: int = 1
    seen_images: Optional[float] = None

    @property
    def mask_dir(self):
        """Path: the folder of the masks."""
        return Path(self.out, VOC_RESULTS if self.voc_results else 'masks')

    @property
    def _side_files(self):
        """Folder and suffix of what is written beside the masks, by its name."""
        return {name: (Path(self.out, name), suffix) for name, suffix, wanted in (
            ('overlays', '.jpg', self.overlays), ('confidence', '.png', self.soft)) if wanted}

    def plan(self):
        """Find the images, see that they can be read, and look what is done already.

        Returns:
            Plan

        Raises:
            BlockingIOError: another process is writing to the folder.
            ConfigError: the network takes boxes and there are none, or the other way round.
            DataError: there is no image, boxes are missing or wrong, or the folder has predictions
                that were made in another way.
        """
        pipeline = self._pipeline()
        found = find_images(self.source, self.image_dir, without=[self.out])
        infos = [self._info(name, path) for name, path in found.images.items()]
        if self.boxes is not None:
            self._check_boxes(infos)
        targets, faults = {}, []
        for info in infos:
            try:
                check_image_file(info['img_path'])
            except DataError as error:
                faults.append(str(error))
                continue
            targets[info['img_path']] = mask_target(
                info, self.classes, with_boxes=self.boxes is not None)
        recipe = self._recipe(pipeline)
        with MaskFolder(self.mask_dir, recipe) as folder:
            self._refuse_others(folder.other_recipes(), recipe)
            for root, _ in self._side_files.values():
                for parent, _, _ in os.walk(root):
                    remove_temporaries(parent)
            todo = [path for path, target in targets.items()
                    if not (folder.is_done(target.name, target.inputs) and all(
                        Path(root, target.name + suffix).is_file()
                        for root, suffix in self._side_files.values()))]
        return Plan(recipe, targets, todo, faults, found.passed_over,
                    self._size_warning(pipeline, targets))

    def _size_warning(self, pipeline, paths):
        sizes = seen_sizes([LabelFacts(path, shape=image_shape(path)) for path in paths], pipeline)
        if sizes is None or self.seen_images is None:
            return None
        return image_size_warning(self.seen_images, sizes)

    def build_runner(self, plan):
        """A runner whose ``test()`` writes the predictions of a plan (`image_runner`)."""
        cfg = self.cfg
        dataset = WeakImages(
            [self._info(plan.targets[path].name, path) for path in plan.todo], check_files=False,
            ann_file=self.source, pipeline=self._pipeline(),
            metainfo=dict(classes=self.classes, palette=self.palette),
            supervision='none' if self.boxes is None else 'box')
        cfg.test_evaluator = dict(
            type='mmseg_wss.PredictionFiles', mask_dir=str(self.mask_dir), recipe=plan.recipe,
            targets=plan.targets, classes=self.classes, palette=self.palette, workers=self.workers,
            **{f'{name}_dir': str(root) for name, (root, _) in (
                (name.removesuffix('s'), files) for name, files in self._side_files.items())})
        if self.crf is not None:
            enable_crf(cfg, self.crf, None if torch.cuda.is_available() else self.workers)
        cfg.log_level = 'WARNING'  # a bar says how far it is
        runner = image_runner(
            cfg, self.checkpoint, dataset, cfg.test_evaluator, keep_config=False)
        runner.register_hook(ProgressHook())
        return runner

    def write_coco(self, plan):
        """Write the masks of a plan, which are there by now, as ``coco.json``; returns its path."""
        path = osp.join(self.out, 'coco.json')
        write_coco(path, {
            target.name + osp.splitext(image)[1]: self.mask_dir / f'{target.name}.png'
            for image, target in plan.targets.items()}, self.classes)
        return path

    def _pipeline(self):
        """The transforms of an image; the network takes boxes if and only if there are some."""
        pipeline, takes_boxes = image_pipeline(
            next(leaf_datasets(self.cfg.test_dataloader.dataset))['pipeline'])
        if takes_boxes and self.boxes is None:
            raise ConfigError('the network of this config sees the boxes of an image beside it '
                              '(BoxPriors): add --boxes DIR, a folder of VOC XML files, ID.xml.')
        if self.boxes is not None and not takes_boxes:
            raise ConfigError('--boxes: the network of this config sees no boxes (its pipeline has '
                              'no BoxPriors). Leave the option out.')
        return pipeline

    def _info(self, name, path):
        """An element of a data list."""
        info = dict(img_path=path, mask_name=name, seg_fields=[], label_map=None,
                    reduce_zero_label=False, supervision='none')
        if self.boxes is not None:
            info.update(supervision='box', box_path=osp.join(self.boxes, f'{name}.xml'))
        return info

    def _check_boxes(self, infos):
        missing = [info['box_path'] for info in infos if not osp.isfile(info['box_path'])]
        if missing:
            raise DataError(f'{self.boxes}: {len(missing)} of {len(infos)} images have no boxes: '
                            f'there is no {abridged(missing)}. Add them, or name a list of the '
                            'images that have some.')

    def _refuse_others(self, recipes, recipe):
        if recipes:
            keys = recipe.keys() | recipes[0].keys()
            changed = sorted(key for key in keys if recipes[0].get(key) != recipe.get(key))
            raise DataError(
                f'{self.mask_dir}: it has predictions that were made in another way; what differs: '
                f'{", ".join(changed)}. Use another --out, remove this one, or give the options of '
                'before.')

    def _recipe(self, pipeline):
        """All that the files of an image depend on besides the image and its boxes."""
        return dict(network_recipe(self.cfg, self.checkpoint, pipeline, self.tta, self.crf),
                    tool='predict', classes=list(self.classes), soft=self.soft,
                    overlays=self.overlays)
