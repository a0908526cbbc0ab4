from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmseg_wss.engine.trained_network import prepare_network
from mmseg_wss.errors import ConfigError

CONFIGS = Path(__file__).parents[2] / 'configs/msrc'


@pytest.mark.parametrize('config', sorted(CONFIGS.glob('*.py')), ids=lambda path: path.stem)
def test_names_come_with_the_checkpoint(tmp_path, config):
    """Of every head, wrapped or not: the devkit, whose names would be read else, is not there."""
    names = tuple(f'class {number}' for number in range(16))
    torch.save(dict(state_dict={}, meta=dict(dataset_meta=dict(classes=names))), tmp_path / 'a.pth')
    network = prepare_network(Config.fromfile(config), str(tmp_path / 'a.pth'))
    assert network.classes == names and len(set(network.palette)) == 16
    assert network.seen_images is None


def test_a_checkpoint_of_another_training(tmp_path):
    """Other names of the data would not help, since those of the checkpoint count."""
    torch.save(dict(state_dict={}, meta=dict(dataset_meta=dict(classes=('a', 'b')))),
               tmp_path / 'a.pth')
    config = Config.fromfile(CONFIGS / 'single_full_efflite0_msrc.py')
    with pytest.raises(ConfigError, match='2 names .* 16 classes. Give the config of its training'):
        prepare_network(config, str(tmp_path / 'a.pth'))
