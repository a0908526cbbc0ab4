"""ImageNet's weights without a network: the files that docs/full_size_data.md names, made up."""
import re
import socket
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

ROOT = Path(__file__).resolve().parents[1]
ROWS = re.findall(r'^\| `(\w+[-\w]*://\S+)` \| `(\S+\.pth)` \|',
                  (ROOT / 'docs/full_size_data.md').read_text(), re.M)
ADDRESS = re.compile(r"(?:open-mmlab|torchvision)://[\w/]+")


def test_the_page_names_the_weights_of_all_configs():
    used = {address for path in [*(ROOT / 'configs').rglob('*.py'), ROOT / 'configs/papers.yml']
            for address in ADDRESS.findall(path.read_text())}
    assert used == {address for address, _ in ROWS}


@pytest.mark.parametrize('address, file', ROWS)
def test_a_file_in_the_folder_is_taken_and_nothing_is_downloaded(
        address, file, tmp_path, monkeypatch):
    """A backbone of the configs, one of whose convolutions is in the made-up file."""
    init_default_scope('mmseg')
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(socket, 'getaddrinfo', lambda *_, **__: pytest.fail('it went online'))
    backbone = next(
        cfg.model.backbone for cfg in map(Config.fromfile, (ROOT / 'configs/wss').glob('*.py'))
        if cfg.model.get('pretrained') == address
        or (cfg.model.backbone.get('init_cfg') or {}).get('checkpoint') == address)
    if 'norm_cfg' in backbone:
        backbone.norm_cfg = dict(type='BN')
    model = MODELS.build(dict(backbone, init_cfg=dict(type='Pretrained', checkpoint=address)))
    name, weight = next((name, parameter) for name, parameter in model.named_parameters()
                        if parameter.dim() == 4)
    folder = tmp_path / 'hub/checkpoints'
    folder.mkdir(parents=True)
    made_up = torch.full_like(weight, 0.25)
    torch.save(dict(state_dict={name: made_up}), folder / file)
    model.init_weights()
    assert torch.equal(dict(model.named_parameters())[name], made_up)
