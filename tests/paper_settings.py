"""The settings of configs as configs/papers.yml states them, from what is built of them.

``python tests/paper_settings.py configs/wss/em_adapt_vgg16_voc.py ...`` prints them for that file.
"""
import argparse
import inspect
import json
import sys
from math import ceil
from pathlib import Path

import torch
import yaml
from mmengine.config import Config, DictAction
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, MODELS, init_default_scope

from mmseg_wss.datasets.samplers.strong_weak_sampler import split_batch
from mmseg_wss.engine.config_sources import leaf_datasets
from mmseg_wss.pseudo_labels.reliable_labels import check_options

# what of a head is stated, by the names of its options; what is None, 0 or False is left out
METHODS = dict(
    DualBranchHead=('num_shared_convs', 'num_convs', 'strong_in_weak_branch', 'kl_weight'),
    MixedDualHead=('mix_ratio', ),
    RRMHead=('rule', 'ratio', 'loss_energy.sigma_rgb', 'loss_energy.sigma_xy',
             'loss_energy.formulation', 'loss_energy.loss_weight', 'share'),
    EMHead=('e_step', 'bias_bg', 'bias_fg', 'rho_bg', 'rho_fg', 'sweeps', 'labels_from',
            'loss_weights'),
    DSRGHead=('fg_threshold', 'bg_threshold', 'unary', 'crf', 'loss_weights'),
    CrossJointHead=('loss_weights', ),
)


def build(cfg):
    """A model without weights, and its optimiser."""
    cfg.model.pop('pretrained', None)
    cfg.model.backbone.pop('init_cfg', None)
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
        return model, build_optim_wrapper(model, cfg.optim_wrapper).optimizer


def build_once(cfg, cache):
    """A model without weights, and its learning rates by part."""
    key = json.dumps([cfg.model.to_dict(), cfg.optim_wrapper.to_dict()], default=str)
    if key not in cache:
        model, optimizer = build(cfg)
        rate = {id(p): group['lr'] for group in optimizer.param_groups for p in group['params']}
        cache[key] = model, {
            part: sorted({round(rate[id(p)], 12) for p in getattr(model, part).parameters()
                          if p.requires_grad})
            for part in ('backbone', 'decode_head')}
    return cache[key]


def look_up(cfg, key):
    for name in key.split('.'):
        cfg = cfg[int(name) if name.isdigit() else name]
    return cfg


def merge(cfg, options):
    """As the tools merge --cfg-options; a key that nothing would read is an error."""
    for key in (option.split('=')[0] for option in options):
        if key.startswith('model.'):  # what a model does not know, its building refuses
            continue
        parent, _, name = key.rpartition('.')
        owner = look_up(cfg, parent) if parent else cfg
        assert name in owner or name in inspect.signature(DATASETS.get(owner.type)).parameters, key
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='*', action=DictAction)
    cfg.merge_from_dict(parser.parse_args(['--cfg-options', *options]).cfg_options)
    return cfg


def number(value):
    if isinstance(value, dict):
        return ', '.join(f'{key} {number(one)}' for key, one in value.items())
    if isinstance(value, (tuple, list)):
        return ':'.join(map(number, value))
    return f'{value:g}' if isinstance(value, (int, float)) and not isinstance(value, bool) \
        else str(value)


def describe_data(cfg):
    """Sources: what is known of their images, the list, and where masks that a tool made lie."""
    def one(source):
        stem = Path(source.get('image_list') or source.ann_file).stem
        masks = f' ({source.pseudo_mask})' if source.get('supervision') == 'pseudo' else ''
        return f'{source.get("supervision", "pixel")} {stem}{masks}'
    return ' + '.join(' and '.join(map(one, leaf_datasets(source)))
                      for source in cfg.train_dataloader.dataset.datasets)


def check_val(cfg):
    """Images that a network trains on do not evaluate it: SetupCheckHook would stop it."""
    lists = [Path(source.ann_file).stem for source in leaf_datasets(cfg.train_dataloader.dataset)]
    trains_on_val = any('val' in name for name in lists)
    settings = cfg.val_cfg, cfg.val_dataloader, cfg.val_evaluator
    assert trains_on_val == (settings == (None, None, None)), f'{lists}, evaluation: {settings[0]}'


def describe_batch(cfg):
    """Images of each source in a step, as the sampler divides them."""
    loader = cfg.train_dataloader
    batch = ' + '.join(map(str, split_batch(loader.batch_size, loader.sampler.source_ratio)))
    gpus = cfg.get('auto_scale_lr', {}).get('base_batch_size', 0) // loader.batch_size
    return f'{batch} on {gpus} GPUs' if gpus > 1 else batch


def describe_rates(cfg, rates):
    optimizer = cfg.optim_wrapper.optimizer
    text = f'{optimizer.type}{" " + number(optimizer.momentum) if "momentum" in optimizer else ""}'
    parts = ', '.join(f'{name} {" ".join(map(number, rates[part]))}'
                      for part, name in (('backbone', 'backbone'), ('decode_head', 'head')))
    return f'{text}, decay {number(optimizer.weight_decay)}: {parts}'


def describe_schedule(cfg):
    def one(kind, **options):
        return dict(
            PolyLR=lambda: f'poly {number(options["power"])}',
            MultiStepLR=lambda: f'x{number(options["gamma"])} at '
                                f'{" and ".join(map(str, options["milestones"]))}',
            RestartLR=lambda: f'x{number(options["factor"])} from {options["begin"]} for all',
            StepLR=lambda: f'x{number(options["gamma"])} every {options["step_size"]}',
            LinearLR=lambda: f'warm-up of {options["end"]}')[kind]()
    loop = cfg.train_cfg
    length = f'{loop.get("max_iters")} steps'
    if 'max_epochs' in loop:
        steps = ceil(cfg.train_dataloader.sampler.epoch_images / cfg.auto_scale_lr.base_batch_size)
        length = f'{loop.max_epochs} epochs of {steps} steps'
    steps = (one(**{**step, 'kind': step.type.split('.')[-1]}) for step in cfg.param_scheduler)
    return ', '.join([length, *steps])


def describe_crop(cfg):
    sizes = set()  # of the crops; where images are warped and not cropped, of the images
    for source in leaf_datasets(cfg.train_dataloader.dataset):
        crops = [step.crop_size for step in source.pipeline if step.type.endswith('RandomCrop')]
        warps = [step.scale for step in source.pipeline if step.type.endswith('Resize')]
        sizes.add(tuple((crops or warps)[0]))
    assert len(sizes) == 1
    (height, width), = sizes
    text = str(height) if height == width else f'{height}x{width}'
    scales = {tuple(step.ratio_range) for source in leaf_datasets(cfg.train_dataloader.dataset)
              for step in source.pipeline if step.type.endswith(('RandomResize', 'RandomScale'))}
    assert len(scales) <= 1
    return ', '.join([text, *(f'scales {number(low)} to {number(high)}' for low, high in scales)])


def describe_method(cfg, head):
    """Values of `METHODS`, those of a head inside the head behind them."""
    kind = type(head).__name__
    values = dict(vars(head), **getattr(head, 'options', {}))
    if kind == 'RRMHead':  # what it leaves to the function that mines labels
        values.update({name: option.default for name, option in
                       inspect.signature(check_options).parameters.items()}, **head.labels)
        values['share'] = next((hook.share for hook in cfg.custom_hooks
                                if hook.type.endswith('ClassifyFirstHook')), None)
    if getattr(head, 'loss_energy', None):
        values.update({f'loss_energy.{name}': value for name, value in
                       vars(head.loss_energy).items()})
    own = ', '.join(f'{name} {number(values[name])}' for name in METHODS.get(kind, ())
                    if values.get(name))
    inner = describe_method(cfg, head.head) if hasattr(head, 'head') else ''
    return '; '.join(filter(None, [own, inner]))


def describe(config, options, cache):
    """The settings of a config, those without a value left out; of a pipeline its stages'."""
    cfg = merge(Config.fromfile(config), options)
    if 'ann_net' in cfg:
        for path in (cfg.ann_net, cfg.seg_net):
            assert Path(config).parent.joinpath(path).is_file(), path
        return dict(
            AnnNet=Path(cfg.ann_net).name, SegNet=Path(cfg.seg_net).name,
            proposals=number(cfg.stages[0].options.method), tau=number(cfg.tau),
            rounds=number(cfg.rounds))
    check_val(cfg)
    model, rates = build_once(cfg, cache)
    settings = dict(
        data=describe_data(cfg), images=describe_batch(cfg), optimiser=describe_rates(cfg, rates),
        schedule=describe_schedule(cfg), crop=describe_crop(cfg),
        method=describe_method(cfg, model.decode_head))
    return {name: value for name, value in settings.items() if value}


def main():
    init_default_scope('mmseg')
    settings = {Path(path).name: describe(path, [], {}) for path in sys.argv[1:]}
    print(yaml.safe_dump(settings, sort_keys=False, width=92))


if __name__ == '__main__':
    main()
