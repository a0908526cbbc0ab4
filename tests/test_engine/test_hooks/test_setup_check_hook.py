"""Every fault of a set-up stops the tiny quick start before its first step."""
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from devkit import read_mask, write_mask
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tiny_run import write_config

from mmseg_wss.engine.hooks.setup_check_hook import SetupCheckHook, check_class_order
from mmseg_wss.errors import ConfigError, DataError


class FirstStep(Exception):
    """A training that was not stopped before it."""


class Stop(Hook):
    def after_train_iter(self, *args, **kwargs):
        raise FirstStep


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp('data'), iterations=1)


@pytest.fixture
def runner(path, tmp_path):
    """Build the runner of the config with some settings changed."""

    def build(**changes):
        cfg = Config.fromfile(path)
        cfg.merge_from_dict({
            'work_dir': str(tmp_path), 'experiment_name': tmp_path.name,
            'train_dataloader.num_workers': 0, 'train_dataloader.persistent_workers': False,
            'val_dataloader.num_workers': 0, 'val_dataloader.persistent_workers': False,
            'default_hooks.checkpoint': None,
            'custom_hooks': [dict(type='mmseg_wss.SetupCheckHook')],
            **{key.replace('__', '.'): value for key, value in changes.items()}})
        return Runner.from_cfg(cfg)
    return build


@pytest.fixture
def train(runner, tmp_path):
    """Train one step with some settings changed; returns the log."""
    def log():
        return ''.join(file.read_text() for file in tmp_path.rglob('*.log'))

    def run(**changes):
        training = runner(**changes)
        training.register_hook(Stop(), 'LOWEST')
        with pytest.raises(FirstStep):
            training.train()
        assert 'Iter(train)' in log()
        return log()
    return run


@pytest.fixture
def lists(path):
    """The lists of the devkit, put back at the end."""
    files = {name: path.parent / f'shapes/ImageSets/Segmentation/{name}.txt'
             for name in ('train_strong', 'train_weak', 'val')}
    before = {name: file.read_text() for name, file in files.items()}
    yield files
    for name, text in before.items():
        files[name].write_text(text)


def add_line(lists, source, target):
    """Put the first image of one list into another, too."""
    image = lists[source].read_text().split()[0]
    lists[target].write_text(lists[target].read_text() + image + '\n')
    return image


def test_a_sound_set_up_trains_without_a_warning(train):
    assert 'strong images per step' not in train()


def test_heads_have_as_many_classes_as_there_are_names(train):
    with pytest.raises(ValueError, match=r'decode_head.*num_classes=21, but .* 5 classes .*disc'):
        train(model__decode_head__num_classes=21)


def test_auxiliary_heads_too(train):
    aux = dict(type='FCNHead', in_channels=16, in_index=3, channels=8, num_convs=1, num_classes=4,
               loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))
    with pytest.raises(ValueError, match='auxiliary_head.*num_classes=4'):
        train(model__auxiliary_head=aux)
    with pytest.raises(ValueError, match='auxiliary_head.1.*num_classes=4'):
        train(model__auxiliary_head=[dict(aux, num_classes=5), aux])


def own_classes(source, classes):
    """Settings that give a training source other classes than the rest has."""
    return {'train_dataloader__dataset__ignore_keys': ['classes', 'palette'],
            f'train_dataloader__dataset__datasets__{source}__metainfo': dict(classes=classes)}


@pytest.mark.parametrize('source', [0, 1])
def test_every_training_source_has_as_many_classes_as_the_head(train, source):
    with pytest.raises(ValueError, match='num_classes=5, but the data set .*txt has 6 classes'):
        train(**own_classes(source, ['background', *'abcde']))


def test_val_has_the_classes_in_the_order_of_the_training(train, path):
    names = (path.parent / 'shapes/classes.txt').read_text().split()
    other = [names[0], *names[:0:-1]]
    with pytest.raises(DataError, match=f'the same class names in another order.*'
                                        f'{", ".join(names)}; and {", ".join(other)}'):
        train(val_dataloader__dataset__metainfo=dict(classes=other))


@pytest.mark.parametrize('stage', ['before_test', 'before_train'])
def test_a_network_is_tested_and_resumed_with_the_classes_that_it_has_learned(
        runner, path, stage):
    names = (path.parent / 'shapes/classes.txt').read_text().split()
    built, hook = runner(), SetupCheckHook()
    run = SimpleNamespace(
        model=torch.nn.Identity(), iter=3, epoch=0, val_loop=None, _load_from='x.pth',
        _train_loop=None, _resume=False,
        train_dataloader=built.build_dataloader(built._train_dataloader),
        test_dataloader=built.build_dataloader(built._test_dataloader))
    hook.after_load_checkpoint(run, dict(meta=dict(dataset_meta=dict(
        classes=[names[0], names[2], names[1], *names[3:]]))))
    with pytest.raises(DataError, match='the checkpoint x.pth and .* in another order'):
        getattr(hook, stage)(run)
    hook.after_load_checkpoint(run, dict(meta=dict(dataset_meta=dict(classes=names))))
    check_class_order(hook._trained_with, run.test_dataloader.dataset)
    for foreign in {}, dict(meta=None), dict(meta=dict(dataset_meta=None)):
        SetupCheckHook().after_load_checkpoint(run, foreign)
    for foreign in [], dict(state_dict=[]):
        with pytest.raises(DataError, match='x.pth: expected the weights of a network'):
            SetupCheckHook().after_load_checkpoint(run, foreign)


OTHER_HEAD = dict(
    _delete_=True, type='FCNHead', in_channels=16, in_index=3, channels=8, num_convs=1,
    num_classes=5, loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))


@pytest.mark.parametrize('mode', ['test', 'val', 'resume', 'load_from'])
def test_a_checkpoint_of_another_network_is_refused(runner, tmp_path, mode):
    """But a training may start from another head; it then takes its first step."""
    other = runner(model__decode_head=OTHER_HEAD)
    torch.save(dict(state_dict=other.model.state_dict(), meta=dict(
        iter=1, epoch=0, experiment_name='other_20260102_030405'), message_hub={}),
        tmp_path / 'other.pth')
    run = runner(load_from=str(tmp_path / 'other.pth'), resume=mode == 'resume')
    run.register_hook(Stop(), 'LOWEST')
    if mode == 'load_from':
        with pytest.raises(FirstStep):
            run.train()
        return
    remedy = 'resumes with the config' if mode == 'resume' else 'the config of one training'
    fits = r'fit: (\d+) of the \1 of backbone, 0 of the'
    with pytest.raises(DataError, match=f"other.pth: .* training 'other'. .*{fits} .*{remedy}"):
        (run.train if mode == 'resume' else getattr(run, mode))()


def test_a_training_does_not_start_from_another_backbone(runner, tmp_path):
    other = runner(model__backbone__base_channels=8, model__decode_head=dict(
        OTHER_HEAD, in_channels=8))
    torch.save(other.model.state_dict(), tmp_path / 'other.pth')
    with pytest.raises(DataError, match='other.pth: .*none of the backbone fits'):
        runner(load_from=str(tmp_path / 'other.pth')).train()


def test_a_head_that_mmsegs_segmentor_does_not_serve_is_refused(train):
    inner = {key: value for key, value in OTHER_HEAD.items() if key != '_delete_'}
    energy = dict(_delete_=True, type='mmseg_wss.DenseEnergyHead', head=inner)
    with pytest.raises(ConfigError, match="type='mmseg_wss.WeakEncoderDecoder' in model"):
        train(model__type='EncoderDecoder', model__decode_head=energy)


def test_images_without_masks_and_auxiliary_heads_in_mmsegs_segmentor(train):
    inner = {key: value for key, value in OTHER_HEAD.items() if key != '_delete_'}
    head = dict(_delete_=True, type='mmseg_wss.EMHead', head=inner)
    changes = dict(model__decode_head=head, model__auxiliary_head=inner,
                   train_dataloader__dataset__datasets__1__supervision='image')
    with pytest.raises(ConfigError, match='train_weak.txt: its images have no masks, .*auxiliary'):
        train(model__type='EncoderDecoder', **changes)


@pytest.mark.parametrize('source', [0, 1])
def test_a_head_of_two_label_sets_trains_with_either_one_first(runner, path, source):
    """Cross-Joint: whether COCO or VOC is the first source says nothing of the classes."""
    names = (path.parent / 'shapes/classes.txt').read_text().split()
    head = dict(type='FCNHead', in_channels=16, in_index=3, channels=8, num_convs=1, num_classes=6,
                loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))
    training = runner(
        **own_classes(source, [*names, 'sixth']),
        model__decode_head=dict(_delete_=True, type='mmseg_wss.CrossJointHead', head=head,
                                groups=[[0, 5], [1], [2], [3], [4]]))
    training.register_hook(Stop(), 'LOWEST')
    with pytest.raises(FirstStep):
        training.train()


@pytest.mark.parametrize('mode', ['val', 'test'])
def test_evaluation_has_as_many_classes_as_the_head(runner, mode):
    meta = dict(classes=['background', 'other'])
    with pytest.raises(ValueError, match='num_classes=5, but .* 2 classes'):
        getattr(runner(**{f'{mode}_dataloader__dataset__metainfo': meta}), mode)()


def test_batch_sizes_of_loader_and_sampler_agree(train):
    with pytest.raises(ValueError, match=r'batch_size=6, but .* batch_size=4'):
        train(train_dataloader__batch_size=6)


def test_an_epoch_sampler_in_an_iteration_loop_is_refused(train):
    with pytest.raises(ValueError, match='IterBasedTrainLoop needs .*by_epoch=False'):
        train(train_dataloader__sampler__by_epoch=True)


def test_an_iteration_sampler_in_an_epoch_loop_is_refused(train):
    """It would never end."""
    with pytest.raises(ValueError, match='EpochBasedTrainLoop needs .*by_epoch=True'):
        train(train_cfg=dict(_delete_=True, type='EpochBasedTrainLoop', max_epochs=1))


@pytest.mark.parametrize('source, target', [
    ('train_strong', 'train_weak'), ('train_strong', 'val'), ('train_weak', 'val')])
def test_an_image_in_two_lists_is_named(train, lists, source, target):
    image = add_line(lists, source, target)
    with pytest.raises(DataError, match=rf'{source}.txt.*{target}.txt.*1 image.*{image}\.jpg'):
        train()


def test_sources_inside_a_source(runner, path, lists):
    """Two lists of weak images that are drawn from as one."""
    def concatenated():
        cfg = Config.fromfile(path)
        strong, weak = cfg.train_dataloader.dataset.datasets
        other = lists['train_weak'].with_name('other.txt')
        return [strong, dict(type='ConcatDataset', datasets=[
            weak, dict(weak, ann_file=str(other))])], other
    datasets, other = concatenated()
    names = lists['train_weak'].read_text().split()
    lists['train_weak'].write_text('\n'.join(names[1:]))
    for content, stops_with in ((names[0], FirstStep), (names[1], DataError)):
        other.write_text(content)
        training = runner(train_dataloader__dataset__datasets=datasets,
                          auto_scale_lr=dict(base_batch_size=4))
        training.register_hook(Stop(), 'LOWEST')
        with pytest.raises(stops_with, match=None if stops_with is FirstStep else 'other.txt'):
            training.train()


@pytest.mark.parametrize('base, warned', [(4, False), (5, True), (8, True)])
def test_other_strong_images_per_step_than_in_the_recipe_are_said(train, base, warned):
    """A batch of 4 holds 2 strong images; of 8 it would hold 4, and of 5 the odd one is strong."""
    log = train(auto_scale_lr=dict(base_batch_size=base))
    assert ('2 strong images per step' in log) == warned
    if warned:
        assert f'the recipe has {base // 2 + base % 2} (in a batch of {base})' in log


ADVICE = re.compile(r'--cfg-options ([^ ]+=[^ ]+) ([^ ]+=[^ ]+)( train_cfg[^ ]+=[^ .]+)?')


def first_rates(training):
    training.register_hook(Stop(), 'LOWEST')
    with pytest.raises(FirstStep):
        training.train()
    return [group['initial_lr'] for group in training.optim_wrapper.optimizer.param_groups]


def test_the_advice_gives_the_rates_of_the_recipe(runner, train):
    """A batch of 4 where the recipe has 8: two batches a step, at the recipe's rate."""
    recipe = first_rates(runner())
    scale = dict(auto_scale_lr=dict(enable=True, base_batch_size=8))
    advice = ADVICE.search(train(**scale))
    assert 'the number of steps does not' in advice.string
    assert advice[3].strip() == 'train_cfg.max_iters=2'  # of 1
    (count, two), (base, batch) = (advice[i].split('=') for i in (1, 2))
    training = runner(**{**scale, count: int(two), base: int(batch)})
    assert training.build_optim_wrapper(training.optim_wrapper)._accumulative_counts == 2
    assert first_rates(training) == recipe


def test_epochs_have_as_many_steps_as_the_batch_asks_for(train):
    log = train(train_cfg=dict(_delete_=True, type='EpochBasedTrainLoop', max_epochs=1),
                train_dataloader__sampler__by_epoch=True,
                auto_scale_lr=dict(enable=True, base_batch_size=8))
    assert 'the number of steps does too, since the training counts epochs' in log
    assert ADVICE.search(log)[3] is None  # nor is max_iters to be changed


def test_accumulation_without_the_rate_for_it_is_said(train):
    scale = dict(auto_scale_lr=dict(enable=True, base_batch_size=8))
    log = train(optim_wrapper__accumulative_counts=2, **scale)
    assert 'Set auto_scale_lr.base_batch_size=4' in log and 'strong images per step' not in log


@pytest.fixture
def masks(path):
    """The masks of the validation, put back at the end."""
    kit = path.parent / 'shapes'
    names = (kit / 'ImageSets/Segmentation/val.txt').read_text().split()
    files = [kit / f'SegmentationClass/{name}.png' for name in names]
    before = [file.read_bytes() for file in files]
    yield files
    for file, content in zip(files, before):
        file.write_bytes(content)


def test_a_validation_has_a_labelled_pixel(train, masks):
    """Else mIoU is NaN, and no checkpoint is the best."""
    last = read_mask(masks[-1])
    for file in masks:
        write_mask(file, np.full_like(read_mask(file), 255))
    with pytest.raises(DataError, match='val.txt: no image has a mask with a pixel other than 255'):
        train()
    last[:], last[0, 0] = 255, 1
    write_mask(masks[-1], last)
    train()


def test_a_faulty_mask_of_the_validation_is_named_by_loading(train, masks):
    for file in masks:
        file.write_bytes(b'no mask')
    train()
