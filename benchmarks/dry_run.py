"""Take two training steps, an evaluation and a mask with every config, on drawn images.

    python benchmarks/dry_run.py [CONFIG ...] [--work-dir DIR]

Without CONFIG, all of configs/wss. Images of 96x72 pixels are drawn as a VOC devkit (21 classes)
and as COCO 2017 (81), with the lists, the masks and the seeds that the configs name. Each config
trains two steps from random weights, with few images a batch and crops of at most 96 pixels. Then
its network is evaluated, once more with the views of --tta, and makes the mask of a weak image. A
table says what failed; the exit code is 1 if anything did.
"""
import argparse
import copy
import json
import os
import time
import traceback
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from PIL import Image
from prettytable import PrettyTable

from mmseg_wss.engine.config_sources import leaf_datasets
from mmseg_wss.engine.inference_options import enable_tta
from mmseg_wss.engine.pseudo_masks import PseudoMasks
from mmseg_wss.labels.converters.coco_semantic import make_coco_semantic
from mmseg_wss.labels.formats.class_names import VOC_CLASSES
from mmseg_wss.labels.formats.coco_json import VOC_SPELLING
from mmseg_wss.labels.formats.mask_file import write_mask
from mmseg_wss.labels.formats.voc_xml import voc_xml
from mmseg_wss.labels.kinds import is_weak
from mmseg_wss.labels.stores.mask_folder import MaskFolder
from mmseg_wss.utils.cli import run_tool

ROOT = Path(__file__).resolve().parents[1]
HEIGHT, WIDTH = 72, 96
CROP = 96  # a larger crop is lowered to it
STRONG, WEAK, VAL = ([f'{kind}{i:02}' for i in range(number)]
                     for kind, number in (('s', 12), ('w', 12), ('v', 2)))


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('configs', nargs='*', metavar='CONFIG',
                        help='default: all of configs/wss')
    parser.add_argument('--work-dir', default='./work_dirs/dry_run')
    args = parser.parse_args()
    args.configs = args.configs or sorted(map(str, (ROOT / 'configs/wss').glob('*.py')))
    return args


# ---- data

def draw(number):
    """An image with two rectangles: image, class mask, labels (1..20) and boxes (half-open)."""
    rng = np.random.default_rng(number)
    image = rng.integers(60, 120, (HEIGHT, WIDTH, 3), np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels = rng.choice(np.arange(1, 21), 2, replace=False).tolist()
    boxes = [(6 + 45 * k, 10 + 5 * k, 44 + 45 * k, 50 + 5 * k) for k in range(2)]
    for label, (x1, y1, x2, y2) in zip(labels, boxes):
        mask[y1:y2, x1:x2] = label
        image[y1:y2, x1:x2] = (40 + 10 * label, 250 - 10 * label, 30 * (label % 8))
    return image, mask, labels, boxes


def members(name):
    """The images of a list, by its name."""
    if name == 'val.txt':
        return VAL
    if name == 'trainaug.txt':
        return [*STRONG, *WEAK]
    return WEAK if 'aug' in name or 'weak' in name else STRONG


def make_voc(root):
    for folder in ('JPEGImages', 'SegmentationClass', 'SegmentationClassAug',
                   'SegmentationObject', 'Annotations', 'ImageSets/Segmentation'):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for number, name in enumerate([*STRONG, *WEAK, *VAL]):
        image, mask, labels, boxes = draw(number)
        Image.fromarray(image).save(root / f'JPEGImages/{name}.jpg', quality=95)
        for folder in ('SegmentationClass', 'SegmentationClassAug'):
            write_mask(str(root / folder / f'{name}.png'), mask)
        instances = np.zeros_like(mask)
        for i, (x1, y1, x2, y2) in enumerate(boxes, 1):
            instances[y1:y2, x1:x2] = i
        write_mask(str(root / f'SegmentationObject/{name}.png'), instances)
        (root / f'Annotations/{name}.xml').write_text(voc_xml(
            f'{name}.jpg', mask.shape, [VOC_CLASSES[label] for label in labels], boxes))


def make_coco(root):
    spelling = {voc: coco for coco, voc in VOC_SPELLING.items()}
    names = [spelling.get(name, name) for name in VOC_CLASSES[1:]]
    names += [f'thing {i}' for i in range(len(names) + 1, 81)]
    categories = [dict(id=i, name=name) for i, name in enumerate(names, 1)]
    for split, members_of in (('train2017', [*STRONG, *WEAK]), ('val2017', VAL)):
        images, annotations = [], []
        (root / split).mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(members_of):
            image, _, labels, boxes = draw(100 + number)
            Image.fromarray(image).save(root / split / f'{name}.jpg', quality=95)
            images.append(dict(id=number, file_name=f'{name}.jpg', width=WIDTH, height=HEIGHT))
            for label, (x1, y1, x2, y2) in zip(labels, boxes):
                annotations.append(dict(
                    id=len(annotations), image_id=number, category_id=label, iscrowd=0,
                    bbox=[x1, y1, x2 - x1, y2 - y1], area=(x2 - x1) * (y2 - y1),
                    segmentation=[[x1, y1, x2, y1, x2, y2, x1, y2]]))
        path = root / f'annotations/instances_{split}.json'
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(dict(
            images=images, annotations=annotations, categories=categories)))
        make_coco_semantic(str(path), str(root / f'semantic_{split}'), None, 'ignore', 1)


def make_files_of(source):
    """The list and the masks that a data set of a config names."""
    root = Path(source.data_root)
    is_coco = 'COCO' in source.type
    name = source.get('image_list') if is_coco else source.ann_file
    if name is not None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('\n'.join(members(path.name)))
    folder = source.get('pseudo_mask')
    if folder and not (root / folder).exists():
        recipe = dict(tool='dry_run', method=source.get('made_by') or 'drawn')
        with MaskFolder(root / folder, recipe) as masks:
            for number, image in enumerate([*STRONG, *WEAK]):
                masks.write(image, draw(100 * is_coco + number)[1])


# ---- configs

def shorten(cfg, work_dir):
    """Two steps of a small batch, without weights from elsewhere; changes the config."""
    cfg.work_dir, cfg.load_from, cfg.resume, cfg.launcher = str(work_dir), None, False, 'none'
    cfg.experiment_name = work_dir.name
    cfg.model.pop('pretrained', None)
    cfg.model.pop('init_cfg', None)
    cfg.model.backbone.init_cfg = None
    loader = cfg.train_dataloader
    images = max(2, len(loader.sampler.source_ratio))
    loader.batch_size = loader.sampler.batch_size = images
    cfg.auto_scale_lr = None
    if 'max_epochs' in cfg.train_cfg:
        loader.sampler.epoch_images = 2 * images
        cfg.train_cfg.update(max_epochs=1, val_interval=1)
    else:
        cfg.train_cfg.update(max_iters=2, val_interval=2)
    cfg.param_scheduler = None  # its moments are those of the whole training
    for split in 'train', 'val', 'test':
        if cfg.get(f'{split}_dataloader'):
            cfg[f'{split}_dataloader'].update(num_workers=0, persistent_workers=False)
    cfg.default_hooks.pop('visualization')  # it draws nothing, and says so
    size = tuple(min(CROP, side) for side in cfg.model.data_preprocessor.size)
    cfg.model.data_preprocessor.size = size
    for values in walk(cfg._cfg_dict):
        if 'crop_size' in values:
            values.crop_size = size
        if values.get('type') == 'Resize' and values.get('keep_ratio') is False:
            values.scale = size


def walk(value):
    """Every dict inside a config."""
    if isinstance(value, dict):
        yield value
    for child in (value.values() if isinstance(value, dict) else
                  value if isinstance(value, (list, tuple)) else ()):
        yield from walk(child)


def checkpoint_of(work_dir):
    return (Path(work_dir) / 'last_checkpoint').read_text()


def steps_of(cfg, work_dir):
    """Name -> function of what a config can do, in this order."""
    def run(other, name):
        other.work_dir = str(work_dir / name)
        return Runner.from_cfg(other)

    def train():
        run(copy.deepcopy(cfg), 'train').train()

    def test(name, tta=False):
        other = copy.deepcopy(cfg)
        other.load_from = checkpoint_of(work_dir / 'train')
        if tta:
            enable_tta(other, keep_probs=False)
        run(other, name).test()

    def mask():
        weak = next(leaf for leaf in leaf_datasets(cfg.train_dataloader.dataset) if is_weak(leaf))
        path = Path(weak.data_root) / 'one.txt'
        path.write_text(WEAK[0])
        is_coco = 'COCO' in weak.type
        masks = PseudoMasks(
            copy.deepcopy(cfg), (checkpoint_of(work_dir / 'train'), ),
            str(work_dir / 'masks'), 'dry_run', tau=0., ann_file=None if is_coco else path.name)
        plan = masks.plan()
        del plan.todo[1:]
        masks.build_runner(plan).test()

    steps = dict(train=train)
    if cfg.get('test_dataloader'):
        steps['test'] = lambda: test('test')
        if 'tta_pipeline' in cfg:
            steps['tta'] = lambda: test('tta', tta=True)
        if any(leaf.get('supervision') == 'pseudo'
               for leaf in leaf_datasets(cfg.train_dataloader.dataset)):
            steps['mask'] = mask
    return steps


def run(args):
    """Returns the number of configs that failed."""
    work_dir = Path(args.work_dir).resolve()
    os.environ.update(VOC_ROOT=str(work_dir / 'VOC2012'), COCO_ROOT=str(work_dir / 'coco'))
    init_default_scope('mmseg')
    make_voc(work_dir / 'VOC2012')
    make_coco(work_dir / 'coco')
    configs = {Path(path).stem: Config.fromfile(path) for path in args.configs}
    sources = [leaf for cfg in configs.values() for split in ('train', 'val', 'test')
               if cfg.get(f'{split}_dataloader')
               for leaf in leaf_datasets(cfg[f'{split}_dataloader'].dataset)]
    for source in sorted(sources, key=lambda source: not source.get('made_by')):
        make_files_of(source)
    table, failed = PrettyTable(['config', 'steps', 'seconds', 'failed']), 0
    table.align = 'l'
    for number, (name, cfg) in enumerate(configs.items(), 1):
        begin, error = time.perf_counter(), ''
        shorten(cfg, work_dir / name)
        done = []
        for step, function in steps_of(cfg, work_dir / name).items():
            try:
                function()
                done.append(step)
            except Exception as problem:
                (work_dir / f'{name}.txt').write_text(traceback.format_exc())
                error = f'{step}: {type(problem).__name__}: {str(problem)[:120]}'
                break
        for checkpoint in (work_dir / name).rglob('*.pth'):  # up to 1 GB in all
            checkpoint.unlink()
        failed += bool(error)
        seconds = time.perf_counter() - begin
        table.add_row([name, ', '.join(done), f'{seconds:.0f}', error])
        print(f'[{number}/{len(configs)}] {name}: {", ".join(done)} ({seconds:.0f} s) {error}',
              flush=True)
    print(table)
    print(f'{len(configs)} configs tried, {len(configs) - failed} passed.')
    return failed


if __name__ == '__main__':
    run_tool(run, parse_args())
