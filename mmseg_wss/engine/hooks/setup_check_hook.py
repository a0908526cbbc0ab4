"""Checks of a run's set-up that no single part of it can make."""
import re

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, EpochBasedTrainLoop

from mmseg_wss.datasets.samplers import StrongWeakSampler, split_batch
from mmseg_wss.engine.config_check import class_order_fault, find_overlaps
from mmseg_wss.engine.model_check import check_network
from mmseg_wss.errors import ConfigError, DataError
from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.labels.checks.share_check import unlabelled_fault
from mmseg_wss.labels.facts import label_pixels
from mmseg_wss.labels.kinds import is_truth, read_label
from mmseg_wss.models.checkpoint_fit import check_checkpoint
from mmseg_wss.models.decode_heads.head_conventions import conventions_of
from mmseg_wss.registry import HOOKS

_HEAD = re.compile(r'(decode|auxiliary)_head(\.\d+)?')


def check_num_classes(model, dataset, training=False):
    """Every head must have as many classes as the data set has names; a wrapped one may have more.

    In training, a head that also learns other labels than it predicts (`CrossJointHead`) names the
    numbers of both as its `label_counts`; a data set has one of them.

    Raises:
        ConfigError: they differ; names the numbers.
    """
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes')
    if classes is None:
        return
    model = model.module if is_model_wrapper(model) else model
    for name, module in model.named_modules():
        if _HEAD.fullmatch(name) and hasattr(module, 'num_classes'):
            counts = training and conventions_of(module).label_counts or (module.num_classes, )
            if len(classes) not in counts:
                source = getattr(dataset, 'ann_file', '')
                raise ConfigError(
                    f'{name} ({type(module).__name__}) has num_classes='
                    f'{" or ".join(map(str, counts))}, but the data set{source and f" {source}"} '
                    f'has {len(classes)} classes ({", ".join(classes)}; background included): set '
                    f'num_classes={len(classes)} in the head, or correct the class names '
                    '(metainfo, or classes.txt of the devkit).')


def check_class_order(known, dataset):
    """Data sets with as many classes must have the same ones, in one order.

    Args:
        known (dict[int, tuple]): number of classes -> (who has them, their names); the data set's
            are added where they are the first of their number.
        dataset (BaseDataset): its metainfo has them.

    Raises:
        DataError: they contradict; with both lists.
    """
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes')
    if classes is None:
        return
    name = getattr(dataset, 'ann_file', '') or 'a data set'
    fault = class_order_fault(*known.setdefault(len(classes), (name, classes)), name, classes)
    if fault:
        raise DataError(fault)


def leaves(dataset):
    """Yield the data sets inside wrappers and concatenations of a built data set."""
    inner = getattr(dataset, 'datasets', None) or [
        part for part in [getattr(dataset, 'dataset', None)] if part is not None]
    for part in inner:
        yield from leaves(part)
    if not inner:
        yield dataset


def image_lists(sources, val=None):
    """Paths of the images of each training source and of the evaluation list, by list file."""
    def paths(dataset):
        return [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]

    lists = {f'training source {i} ({source.ann_file})': paths(source)
             for i, source in enumerate(sources) if hasattr(source, 'get_data_info')}
    if hasattr(val, 'get_data_info'):
        lists[f'evaluation ({val.ann_file})'] = paths(val)
    return lists


def check_val_labels(dataset):
    """See that an image of a validation has a labelled pixel; the first one ends the search.

    Raises:
        DataError: there is none; nothing is raised where a label has faults, as loading names them.
    """
    sets = [*leaves(dataset)]
    if not all(hasattr(leaf, 'get_data_info') for leaf in sets):
        return
    for leaf in sets:
        classes = leaf.metainfo.get('classes') or ()
        for i in range(len(leaf)):
            info = leaf.get_data_info(i)
            label = read_label(info, classes, backend_args=leaf.backend_args)
            if label.faults or label_pixels(label, info).keys() - {IGNORE}:
                return
    raise DataError(unlabelled_fault([leaf.ann_file for leaf in sets]))


def _accumulation(base, batch, max_iters):
    """How gradients of smaller batches make a step of the recipe, as the end of a sentence."""
    if base <= batch or base % batch:
        return ''
    times = base // batch
    longer = f' train_cfg.max_iters={times * max_iters}' if max_iters else ''
    return (f', or with --cfg-options optim_wrapper.accumulative_counts={times} '
            f'auto_scale_lr.base_batch_size={batch}{longer}')


@HOOKS.register_module()
class SetupCheckHook(Hook):
    """Check a run before its first step, and warn where it departs from the config's recipe.

    Raises, before training:
        ConfigError: see `check_network`.
        ConfigError: the heads and a data set disagree on the number of classes; the dataloader and
            its `StrongWeakSampler` on the batch size; the training loop and the sampler on epochs
            or iterations.
        DataError: an image is in two training sources, or in training and evaluation; data sets,
            or the checkpoint that is resumed or tested, have the same number of classes and other
            names, or another order; no image of the validation has a labelled pixel.

    Raises, when a checkpoint is loaded, for a test too:
        DataError: it is of another network (`check_checkpoint`).

    Warns when the strong images per step, over all ranks, are not those of the recipe
    (``auto_scale_lr.base_batch_size`` split by the sampler's ratio), and when gradients are
    accumulated but ``auto_scale_lr`` has lowered the learning rate as if they were not.
    """

    priority = 'VERY_HIGH'

    def __init__(self):
        self._trained_with = {}  # classes of the checkpoint that was loaded, see check_class_order

    def after_load_checkpoint(self, runner, checkpoint):
        """Compare its weights with the network, and keep the classes that these have learned."""
        training = isinstance(runner._train_loop, BaseLoop)  # not that of the config
        purpose = 'predict' if not training else 'resume' if runner._resume else 'start'
        check_checkpoint(checkpoint, runner.model, runner._load_from or 'the checkpoint', purpose)
        meta = checkpoint.get('meta') if isinstance(checkpoint, dict) else None
        classes = ((meta or {}).get('dataset_meta') or {}).get('classes')
        if classes:
            self._trained_with = {len(classes): (f'the checkpoint {runner._load_from}', classes)}

    def before_train(self, runner):
        check_network(runner.model, leaves(runner.train_dataloader.dataset))
        loader = runner.train_dataloader
        val = runner.val_dataloader.dataset if runner.val_loop is not None else None
        resumes = runner.iter > 0 or runner.epoch > 0
        known = dict(self._trained_with) if resumes else {}  # a fine-tuning may have other classes
        for source in [*leaves(loader.dataset), *([val] if val is not None else [])]:
            check_class_order(known, source)
        for source in leaves(loader.dataset):
            check_num_classes(runner.model, source, training=True)
        for a, b, paths in find_overlaps(image_lists([*leaves(loader.dataset)], val)):
            raise DataError(
                f'{a} and {b} share {len(paths)} image(s), {paths[0]} among them: remove them from '
                'one of the lists (tools/check_data.py CONFIG reports every fault).')
        if val is not None:
            check_val_labels(val)
        if isinstance(loader.sampler, StrongWeakSampler):
            self._check_sampler(runner, loader)
            self._compare_with_recipe(runner, loader)

    @staticmethod
    def _check_sampler(runner, loader):
        sampler = loader.sampler
        if sampler.batch_size != loader.batch_size:
            raise ConfigError(
                f'train_dataloader.batch_size={loader.batch_size}, but its StrongWeakSampler has '
                f'batch_size={sampler.batch_size}: the shares would not be exact. Set both alike.')
        by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
        if sampler.by_epoch != by_epoch:
            raise ConfigError(
                f'{type(runner.train_loop).__name__} needs StrongWeakSampler(by_epoch={by_epoch}), '
                f'got by_epoch={sampler.by_epoch}: set train_dataloader.sampler.by_epoch.')

    @staticmethod
    def _compare_with_recipe(runner, loader):
        scale, sampler = runner.cfg.get('auto_scale_lr') or {}, loader.sampler
        base = scale.get('base_batch_size')
        if base is None:
            return
        batch = loader.batch_size * sampler.world_size
        steps = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        if steps > 1 and batch < base:
            if scale.get('enable'):
                runner.logger.warning(
                    f'optim_wrapper.accumulative_counts={steps} makes a step of {steps * batch} '
                    f'images, but auto_scale_lr has scaled the learning rate for {batch} instead '
                    f'of {base}. Set auto_scale_lr.base_batch_size={max(1, base // steps)}, the '
                    "recipe's images divided by accumulative_counts.")
            return
        sources = getattr(loader.dataset, 'datasets', [loader.dataset])
        strong = [i for i, source in enumerate(sources) if all(
            is_truth(getattr(leaf, 'supervision', 'pixel')) for leaf in leaves(source))]
        here = sum(sampler.counts[i] for i in strong) * sampler.world_size
        recipe = sum(split_batch(base, sampler.source_ratio)[i] for i in strong)
        if here != recipe:
            if isinstance(runner.train_loop, EpochBasedTrainLoop):
                follows, max_iters = 'does too, since the training counts epochs', None
            else:
                follows, max_iters = 'does not', runner.max_iters
            runner.logger.warning(
                f'{here} strong images per step, the recipe has {recipe} (in a batch of {base}). '
                'The learning rate follows the batch size where auto_scale_lr.enable is True; the '
                f'number of steps {follows}. To compare with its results, use its batch, on more '
                f'GPUs{_accumulation(base, batch, max_iters)}.')

    def before_val(self, runner):
        check_num_classes(runner.model, runner.val_dataloader.dataset)

    def before_test(self, runner):
        check_num_classes(runner.model, runner.test_dataloader.dataset)
        check_class_order(self._trained_with, runner.test_dataloader.dataset)
