"""What runs of the configs really have, as configs/papers.yml states it: rates, sizes, images.

``python tests/paper_runs.py`` prints all of it.
"""
from collections import Counter
from math import ceil
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import yaml
from mmengine.config import Config
from mmengine.registry import DATA_SAMPLERS, PARAM_SCHEDULERS, TRANSFORMS, init_default_scope
from paper_settings import build, merge, number
from torch.utils.data import ConcatDataset

from mmseg_wss.datasets.samplers import strong_weak_sampler
from mmseg_wss.engine.config_sources import leaf_datasets

# Images of the lists, by the names of their files; "94k" are those of COCO with a class of VOC.
LENGTHS = dict(
    train=1464, aug=9118, trainaug=10582, instances_train2017=94000,
    train_strong83_v1_seed0=83, train_weak83_v1_seed0=10499,
    train_strong166_v1_seed0=166, train_weak166_v1_seed0=10416,
    train_strong374_v1_seed0=374, train_weak374_v1_seed0=10208,
    train_strong20000_random_v1_seed0=20000, train_weak20000_random_v1_seed0=98287)
FILES = dict(voc=(375, 500), coco=(480, 640), msrc=(213, 320))  # usual heights and widths


# ---- learning rates

def steps_of(cfg):
    """Steps of the training, and of an epoch (1 where it does not count in epochs)."""
    if 'max_epochs' not in cfg.train_cfg:
        return cfg.train_cfg.max_iters, 1
    images, batch = cfg.train_dataloader.sampler.epoch_images, cfg.auto_scale_lr.base_batch_size
    return cfg.train_cfg.max_epochs * ceil(images / batch), ceil(images / batch)


def groups_of(model, optimizer):
    """Initial rate -> what has it: 'backbone weights', 'head biases', ..."""
    names = {id(p): (name, p) for name, p in model.named_parameters() if p.requires_grad}
    groups = {}
    for group in optimizer.param_groups:
        for parameter in group['params']:
            if id(parameter) in names:
                name = names[id(parameter)][0]
                part = 'backbone' if name.startswith('backbone') else 'head'
                kind = 'biases' if name.endswith('bias') else 'weights'
                groups.setdefault(round(group['lr'], 12), set()).add(f'{part} {kind}')
    def text(names):
        for part in 'backbone', 'head':
            if {f'{part} weights', f'{part} biases'} <= names:
                names = names - {f'{part} weights', f'{part} biases'} | {part}
        return ', '.join(sorted(names, reverse=True))
    return {rate: text(groups[rate]) for rate in sorted(groups)}


def rates_of(config):
    """Group, such as 'head biases, x20' -> its rates in four steps.

    They are the first step, the last one of the first half, the one behind it, and the last.
    """
    cfg = Config.fromfile(config)
    steps, epoch = steps_of(cfg)
    groups = groups_of(*build(cfg))
    optimizer = torch.optim.SGD(
        [dict(params=[torch.zeros(1, requires_grad=True)], lr=rate) for rate in groups], lr=1.)
    length = cfg.train_cfg.get('max_epochs') or steps
    schedulers = [PARAM_SCHEDULERS.build(
        dict(dict(end=length), **one), default_args=dict(optimizer=optimizer, epoch_length=epoch))
        for one in cfg.param_scheduler]
    shown = 0, steps // 2 - 1, steps // 2, steps - 1
    found = []
    for step in range(steps):  # rates do not depend on steps of the optimiser
        if step in shown:
            found.append([group['lr'] for group in optimizer.param_groups])
        for scheduler in schedulers:
            if not scheduler.by_epoch or (step + 1) % epoch == 0:
                scheduler.step()
    return {group: ' | '.join(f'{rate:.3g}' for rate in rates)
            for group, rates in zip(
                (f'{group}, x{number(rate / cfg.optim_wrapper.optimizer.lr)}'
                 for rate, group in groups.items()), zip(*found))}


# ---- sizes of images

def sizes_of(config):
    """Widths and heights of images: of a file, and what the network gets of it."""
    name = Path(config).name
    cfg = Config.fromfile(config)
    file = FILES['msrc' if 'msrc' in name else 'coco' if 'coco' in name and '_ft' not in name
                 else 'voc']
    training = [resized(file, end_of(step, end))
                for step in changes_of(pipeline_of(cfg)) for end in (0, 1)] or [file]
    tests = [file]
    for step in changes_of(cfg.test_dataloader.dataset.pipeline):
        tests = [resized(file, step)]
    views = [resized(file, step) for steps in cfg.tta_pipeline[1].transforms
             for step in changes_of(steps)] or tests
    return dict(file=text_of([file]), training=text_of(training), crop=crop_of(cfg),
                test=text_of(tests), tta=text_of(views))


def pipeline_of(cfg):
    return next(leaf_datasets(cfg.train_dataloader.dataset)).pipeline


def changes_of(steps):
    return [step for step in steps if step.type.endswith(('RandomScale', 'RandomResize', 'Resize'))]


def end_of(step, end):
    """A random step, fixed at the smallest (0) or largest (1) of its scales."""
    if 'ratio_range' not in step:
        return step
    return dict(step, ratio_range=(step.ratio_range[end], ) * 2)


def resized(file, step):
    """The size that a step of a pipeline gives an image of that file."""
    image = np.zeros((*file, 3), np.uint8)
    return TRANSFORMS.build(step)(dict(
        img=image, img_shape=file, ori_shape=file, seg_fields=[]))['img'].shape[:2]


def text_of(sizes):
    low, high = min(sizes), max(sizes)
    texts = [f'{width}x{height}' for height, width in (low, high)]
    return texts[0] if low == high else ' to '.join(texts)


def crop_of(cfg):
    for step in pipeline_of(cfg):
        if step.type.endswith('RandomCrop'):
            return 'x'.join(map(str, step.crop_size[::-1]))
    return 'none'


# ---- images of an epoch

def epoch_of(config, options):
    """Steps of an epoch, and how often it draws an image of each source, on all GPUs together."""
    cfg = merge(Config.fromfile(config), options)
    sources = [[LENGTHS[Path(leaf.get('image_list') or leaf.ann_file).stem]
                for leaf in leaf_datasets(source)]
               for source in cfg.train_dataloader.dataset.datasets]
    dataset = ConcatDataset([ConcatDataset([range(one) for one in source]) for source in sources])
    gpus = cfg.auto_scale_lr.base_batch_size // cfg.train_dataloader.batch_size
    drawn = Counter()
    for rank in range(gpus):
        with mock.patch.multiple(  # seeds of augmentations are the slow part, and not asked for
                strong_weak_sampler, stream_seed=lambda *_: 0,
                get_dist_info=lambda place=(rank, gpus): place):
            indices = list(DATA_SAMPLERS.build(
                dict(cfg.train_dataloader.sampler, dataset=dataset, seed=0)))
        drawn.update(np.searchsorted(dataset.cumulative_sizes, indices, 'right').tolist())
    steps = sum(drawn.values()) / cfg.auto_scale_lr.base_batch_size
    return dict(steps=number(steps), images=' + '.join(
        f'{drawn[i]:,} of {sum(source):,}' for i, source in enumerate(sources)))


def main():
    from test_papers import FACTS, long_options, path_of
    init_default_scope('mmseg')
    print(yaml.safe_dump(dict(
        rates={name: rates_of(path_of(name)) for name in FACTS['rates']},
        sizes={name: sizes_of(path_of(name)) for name in FACTS['sizes']},
        epochs={cell: epoch_of(path_of(cell.split(', ')[0]), long_options(cell))
                for cell in FACTS['epochs']}), sort_keys=False, width=200))


if __name__ == '__main__':
    main()
