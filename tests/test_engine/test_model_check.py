"""A config's model is built and learns from each source, before a training and without weights."""
import re

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.models import UNet
from tiny_run import write_config

from mmseg_wss.engine.model_check import model_faults
from mmseg_wss.registry import MODELS

FCN = dict(type='FCNHead', in_channels=16, in_index=3, channels=8, num_convs=1, num_classes=5,
           loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))


@MODELS.register_module()
class BackboneThatDownloads(UNet):
    """It has an option as timm's backbones have it, which loads as the model is built."""

    def __init__(self, pretrained=False, **kwargs):
        super().__init__(**kwargs)
        assert not pretrained

    def init_weights(self):
        raise AssertionError('weights are not needed')


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp('data'))


@pytest.fixture
def faults(path):
    """A function that changes some settings of the tiny quick start and looks for faults."""
    def find(**changes):
        cfg = Config.fromfile(path)
        cfg.merge_from_dict({key.replace('__', '.'): value for key, value in changes.items()})
        init_default_scope('mmseg')
        return model_faults(cfg)
    return find


def test_a_sound_config(faults):
    assert faults() == []


def test_no_weights_are_loaded_and_syncbn_needs_no_gpu(faults):
    assert faults(model__backbone__type='mmseg_wss.BackboneThatDownloads',
                  model__backbone__pretrained=True,
                  model__backbone__norm_cfg=dict(type='SyncBN')) == []
    assert torch.is_grad_enabled()


@pytest.mark.parametrize('changes, said', [
    (dict(model__decode_head=dict(_delete_=True, type='mmseg_wss.EMHead', head=FCN,
                                  e_step=dict(type='box', bias=1))),
     'model: it cannot be built: TypeError: .*bias'),
    (dict(model__decode_head__feature_head__in_channels=17),
     'model: a batch .* fails in the loss: RuntimeError: .*17.*line [0-9]+'),
    (dict(train_dataloader__dataset__datasets__1__supervision='image'),
     'training source 1: its pipeline fails: .*jpg: PseudoMask.*EMHead'),
    (dict(model__type='EncoderDecoder', model__decode_head=dict(
        _delete_=True, type='mmseg_wss.DenseEnergyHead', head=FCN)),
     "loss: DenseEnergyHead needs the image.* type='mmseg_wss.WeakEncoderDecoder'"),
    (dict(model__data_preprocessor__std=[1., 2.], model__data_preprocessor__mean=[1., 2.]),
     'cannot be built: ValueError: mean and std')])
def test_what_a_training_would_stop_at(faults, changes, said):
    fault, = faults(**changes)
    assert re.search(said, fault, re.DOTALL), fault
