"""generate_pseudo_masks.py --seeds: the seeds of a classifier's activation maps, by hand."""
import importlib.util

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from devkit import make_devkit
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image
from tiny_run import ROOT

from mmseg_wss.labels.stores.mask_folder import read_records
from mmseg_wss.registry import MODELS

SIZE = (36, 48)
WEAK = ['w0', 'w1', 'w2']
HEAD = """dict(_delete_=True, type='mmseg_wss.RRMHead', in_channels=16, channels=8, num_classes=3,
               in_index=3, scales=(1., 2.), loss_energy=None)"""
CONFIG = """
_base_ = [{base!r}]
method = 'cam'
pipeline = [dict(type='LoadImageFromFile'), dict(type='mmseg_wss.PackWeakSegInputs')]
data = dict(type='mmseg_wss.VOCWeakSegDataset', data_root={root!r}, pipeline=pipeline)
lists = 'ImageSets/Segmentation/'
train_dataloader = dict(dataset=dict(_delete_=True, **dict(
    data, ann_file=lists + 'weak.txt', supervision='image')))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(
    data, ann_file=lists + 'val.txt', test_mode=True))
test_dataloader = val_dataloader
model = dict(data_preprocessor=dict(test_cfg=dict(size_divisor=16)), decode_head={head})
"""


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location(
        'generate_pseudo_masks', ROOT / 'tools/generate_pseudo_masks.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make(tool, arguments):
    tool.run(tool.parse_args(arguments))


class Setting:
    """A devkit whose images have one object each, a config for it, and a random network."""

    def __init__(self, folder, head=HEAD):
        self.root, self.config = folder / 'kit', folder / 'tiny.py'
        make_devkit(self.root, weak=len(WEAK), size=SIZE)
        self.config.write_text(CONFIG.format(
            base=str(ROOT / 'configs/quickstart/mixed_dual_shapes.py'), root=str(self.root),
            head=head))
        init_default_scope('mmseg')
        torch.manual_seed(0)
        self.model = MODELS.build(Config.fromfile(self.config).model).eval()
        self.checkpoint = folder / 'net.pth'
        torch.save(dict(state_dict=self.model.state_dict(), meta={}), self.checkpoint)

    def arguments(self, out, *options):
        return [str(text) for text in (self.config, self.checkpoint, '--out', out, '--work-dir',
                                       self.root / 'work', *options)]


@pytest.fixture(scope='module')
def setting(tmp_path_factory):
    return Setting(tmp_path_factory.mktemp('setting'))


@torch.no_grad()
def maps_by_hand(model, path):
    """The mean of the maps at full and double size, cut to the image, (2, H, W)."""
    image = np.array(Image.open(path), np.float32).transpose(2, 0, 1) / 127.5 - 1
    padded = F.pad(torch.from_numpy(image)[None], (0, 0, 0, 48 - SIZE[0]))
    cams = []
    for scale in (1., 2.):
        scaled = F.interpolate(padded, scale_factor=scale, mode='bilinear')
        features = model.backbone(scaled)[3]
        cam = F.conv2d(features, model.decode_head.classifier.weight).relu()
        cams.append(F.interpolate(cam, padded.shape[-2:], mode='bilinear'))
    return (sum(cams) / 2)[0, :, :SIZE[0], :SIZE[1]].numpy()


def test_seeds_are_those_of_the_images_own_classes(tool, setting, tmp_path, capsys):
    arguments = setting.arguments(tmp_path / 'seeds', '--seeds', 0.7, 0.4)
    make(tool, arguments)
    found = set()
    for i, name in enumerate(WEAK):
        label = 1 + i % 2
        share = maps_by_hand(setting.model, setting.root / f'JPEGImages/{name}.jpg')[label - 1]
        share = share / share.max()
        expected = np.where(share > 0.7, label, np.where(share < 0.4, 0, 255))
        mask = np.array(Image.open(tmp_path / f'seeds/{name}.png'))
        assert mask.shape == SIZE
        assert (mask == expected).mean() > 0.98  # two decoders of JPEG may differ by a level
        record = read_records(tmp_path / 'seeds')[name]
        assert record['kept'] == (mask != 255).sum() and record['recipe']['method'] == 'cam'
        found |= set(mask.ravel().tolist())
    assert found == {0, 1, 2, 255}
    assert '3 of them written now' in capsys.readouterr().out
    make(tool, arguments)
    assert 'nothing to do' in capsys.readouterr().out


@pytest.mark.parametrize('options, message', [
    (['0.2', '0.3'], 'bg_threshold <= fg_threshold'), (['0.2', '0.06', '--tta'], '--tta is for'),
    (['0.2', '0.06', '--tau', '0'], '--tau is for'),
    (['0.2', '0.06', '--box-gate'], '--box-gate is for')])
def test_impossible_options(tool, setting, tmp_path, capsys, options, message):
    with pytest.raises(SystemExit):
        make(tool, setting.arguments(tmp_path / 'seeds', '--seeds', *options))
    assert message in capsys.readouterr().err and not (tmp_path / 'seeds').exists()


def test_a_head_without_classifier_is_named(setting):
    model = Config.fromfile(ROOT / 'configs/_base_/models/unet_tiny.py').model
    with pytest.raises(ValueError, match='RRMHead; got FCNHead'):
        MODELS.build(dict(model, type='mmseg_wss.CAMEncoderDecoder'))
