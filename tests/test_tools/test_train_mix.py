"""All kinds of labels in one training of either two-branch head."""
import json

import numpy as np
import pytest
from devkit import read_mask, write_mask
from tiny_run import NO_WORKERS, ROOT, records, same, train, weights

from mmseg_wss.simulation.partial_labels import (
    background_region,
    draw_points,
    draw_scribbles,
    object_regions,
)
from mmseg_wss.simulation.shapes import make_shapes

KINDS = 'pixel', 'box', 'image', 'point', 'scribble', 'none'
CONFIG = """
_base_ = [{base!r}]
custom_imports = dict(imports=['tiny_run'])
data = dict(type='mmseg_wss.VOCWeakSegDataset', data_root={data!r})
folder = dict(type='folder', path='Masks')
model = dict(decode_head=dict({head}))
train_dataloader = dict(
    batch_size=8, sampler=dict(batch_size=8, source_ratio=[3, 1, 1, 1, 1, 1]),
    dataset=dict(datasets=[
        dict(_base_.strong, **data),
        dict(_base_.weak, **data, ann_file='box.txt'),
        dict(_base_.weak, **data, ann_file='image.txt', supervision='image', masks=folder),
        dict(_base_.weak, **data, ann_file='point.txt', supervision='point'),
        dict(_base_.weak, **data, ann_file='scribble.txt', supervision='scribble'),
        dict(_base_.weak, **data, ann_file='none.txt', supervision='none', masks=folder)]))
val_dataloader = dict(dataset=data)
test_dataloader = val_dataloader
train_cfg = dict(max_iters=4, val_interval=4)
default_hooks = dict(checkpoint=dict(interval=2, max_keep_ckpts=2), logger=dict(interval=1))
custom_hooks = [*_base_.custom_hooks, dict(type='Recorder'),
                dict(type='mmseg_wss.LabelShareHook', first=2, interval=1)]
"""
HEADS = dict(
    mixed="type='mmseg_wss.MixedDualHead'",
    dual="type='mmseg_wss.DualBranchHead', mix_ratio=None, channels=16, num_convs=2, "
         'num_shared_convs=1, dilation=1')


@pytest.fixture(scope='module')
def shapes(tmp_path_factory):
    root = tmp_path_factory.mktemp('mix') / 'shapes'
    make_shapes(root, num_images=(8, 20, 2), size=(64, 64))
    weak = (root / 'ImageSets/Segmentation/train_weak.txt').read_text().split()
    rng = np.random.default_rng(0)
    for name in ('Masks', 'PointLabels', 'ScribbleLabels'):
        (root / name).mkdir()
    for number, kind in enumerate(KINDS[1:]):
        images = weak[number::5]
        (root / f'{kind}.txt').write_text('\n'.join(images))
        for image in images:
            path = root / f'SegmentationClass/{image}.png'
            mask = read_mask(path)
            regions = [*object_regions(mask), *background_region(mask)]
            write_mask(root / f'Masks/{image}.png', np.roll(mask, 2))
            write_mask(root / f'PointLabels/{image}.png', draw_points(regions, mask.shape, rng))
            write_mask(root / f'ScribbleLabels/{image}.png',
                       draw_scribbles(regions, mask.shape, rng))
            path.unlink()  # of a weak image nothing may open it
    return root


@pytest.mark.parametrize('head', HEADS)
def test_a_mix_has_its_ratio_in_each_batch_and_resumes_with_the_same_bits(shapes, tmp_path, head):
    config = tmp_path / 'mix.py'
    config.write_text(CONFIG.format(
        base=str(ROOT / 'configs/quickstart/mixed_dual_shapes.py'), data=str(shapes),
        head=HEADS[head]))
    whole, resumed = tmp_path / 'whole', tmp_path / 'resumed'
    train(config, whole, '--cfg-options', *NO_WORKERS)
    train(config, resumed, '--resume', whole / 'iter_2.pth', '--cfg-options', *NO_WORKERS)

    steps, = records(whole)
    assert len(steps) == 4
    for step in steps:
        assert step['supervisions'] == [*['pixel'] * 3, *KINDS[1:]]
        assert len(set(step['paths'])) == 8
    assert records(resumed) == [steps[2:]]
    assert same(weights(resumed, 4), weights(whole, 4))

    log = [json.loads(line) for line in next(whole.glob('*/vis_data/scalars.json'))
           .read_text().splitlines()]
    values = [entry for entry in log if 'loss' in entry]
    assert len(values) == 4
    for entry in values:
        shares = [entry[f'decode.weak.share.{kind}'] for kind in KINDS[1:]]
        assert sum(shares) == pytest.approx(100, abs=0.01) and min(shares) > 0
        assert all(0 <= entry[f'decode.weak.agree.{kind}'] <= 100 for kind in KINDS[1:])
        assert entry['loss'] == pytest.approx(
            entry['decode.strong.loss_ce'] + entry['decode.weak.loss_ce'], rel=1e-3)
