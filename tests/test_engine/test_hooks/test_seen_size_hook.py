from types import SimpleNamespace

import pytest
from devkit import make_devkit
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmseg_wss.engine.hooks import SeenSizeHook
from mmseg_wss.registry import DATASETS


def saved(cfg):
    """The facts of a checkpoint of a run with this config."""
    init_default_scope('mmseg')
    hook, checkpoint = SeenSizeHook(), dict(meta={})
    loader = SimpleNamespace(dataset=DATASETS.build(cfg.train_dataloader.dataset))
    hook.before_train(SimpleNamespace(cfg=cfg, train_dataloader=loader))
    hook.before_save_checkpoint(None, checkpoint)
    return checkpoint['meta']


@pytest.mark.parametrize('ratios, expected', [((1, 1), 12), ((0.5, 2), 12), ((2, 2), 24)])
def test_images_of_12_times_12_pixels(tmp_path, ratios, expected):
    make_devkit(tmp_path, size=(12, 12))
    source = dict(
        type='mmseg_wss.VOCWeakSegDataset', data_root=str(tmp_path),
        ann_file='ImageSets/Segmentation/strong.txt', pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='mmseg_wss.RandomScale', ratio_range=ratios)])
    weak = dict(source, supervision='box', ann_file='ImageSets/Segmentation/weak.txt', pipeline=[])
    for dataset in source, dict(type='ConcatDataset', datasets=[source, weak]):
        assert saved(Config(dict(train_dataloader=dict(dataset=dataset)))) == dict(
            seen_images=expected)
