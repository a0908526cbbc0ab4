"""mmseg's own head, fed with the pairs that mmseg's own transformer gives."""
import pytest
import torch
from mmseg.utils import register_all_modules

from mmseg_wss.registry import MODELS

register_all_modules()
HEAD = dict(in_channels=[8] * 4, in_index=[0, 1, 2, 3], input_transform='multiple_select',
            embed_dims=8, post_process_channels=[4, 8, 8, 8], channels=8, num_classes=3)


@pytest.mark.parametrize('readout', ['ignore', 'add', 'project'])
def test_it_is_dpt_with_the_mean_as_class_token(readout):
    config = dict(HEAD, readout_type=readout)
    ours = MODELS.build(dict(config, type='mmseg_wss.DPTMapsHead')).eval()
    theirs = MODELS.build(dict(config, type='mmseg.DPTHead')).eval()
    theirs.load_state_dict(ours.state_dict())
    generator = torch.Generator().manual_seed(0)
    maps = [torch.randn(2, 8, 4, 6, generator=generator) for _ in range(4)]
    with torch.no_grad():
        logits = ours(maps)
        assert torch.equal(logits, theirs([(x, x.flatten(2).mean(2)) for x in maps]))
    assert logits.shape == (2, 3, 32, 48)
