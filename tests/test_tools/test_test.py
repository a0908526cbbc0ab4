"""tools/test.py: predictions of one run of the tiny network, refined by a CRF, or averaged."""
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image
from tiny_run import NO_WORKERS, ROOT, finish, train, write_config

from mmseg_wss.evaluation import confusion_counts, mask_scores
from mmseg_wss.ops.crf_presets import CRF_PRESETS


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp('trained')
    config = write_config(folder, iterations=2)
    train(config, folder / 'work', '--cfg-options', *NO_WORKERS)
    return config, folder / 'work/iter_2.pth'


def evaluate(trained, out, *options, fails=False):
    """Metrics, predictions by name, and what was printed."""
    printed = finish(sys.executable, ROOT / 'tools/test.py', *trained, '--work-dir', out / 'work',
                     '--out', out / 'masks', *options, '--cfg-options', *NO_WORKERS, fails=fails)
    if fails:
        return printed
    metrics, = (json.loads(path.read_text()) for path in (out / 'work').glob('*/*.json'))
    return metrics['mIoU'], {path.name: np.array(Image.open(path))
                             for path in sorted((out / 'masks').glob('*.png'))}


def same_results(one, other):
    (miou, masks), (other_miou, other_masks) = one, other
    return miou == other_miou and masks.keys() == other_masks.keys() and all(
        (masks[name] == other_masks[name]).all() for name in masks)


def miou_of_written(masks, config):
    truth = Path(Config.fromfile(config).val_dataloader.dataset.data_root, 'SegmentationClass')
    counts = sum(confusion_counts(np.array(Image.open(truth / name)), mask, 5)
                 for name, mask in masks.items())
    return 100 * mask_scores(counts)['miou']


@pytest.fixture(scope='module')
def alone(trained, tmp_path_factory):
    return evaluate(trained, tmp_path_factory.mktemp('alone'))


@pytest.fixture(scope='module')
def other(trained, tmp_path_factory):
    """The network with the scores of its classes negated, as another run of the same config."""
    checkpoint = torch.load(trained[1], weights_only=False, map_location='cpu')
    for name, weight in checkpoint['state_dict'].items():
        if 'conv_seg' in name:
            weight.neg_()
    del checkpoint['meta']['checksum']
    path = tmp_path_factory.mktemp('other') / 'other.pth'
    torch.save(checkpoint, path)
    return trained[0], path


def test_a_list_without_masks_gets_predictions_alone(trained, alone, tmp_path):
    """As VOC's server takes them: index PNGs with VOC's palette, named like the images."""
    cfg = Config.fromfile(trained[0])
    voc = tmp_path / 'voc'
    shutil.copytree(cfg.test_dataloader.dataset.data_root, voc)
    shutil.rmtree(voc / 'SegmentationClass')
    printed = finish(
        sys.executable, ROOT / 'tools/test.py', *trained, '--work-dir', tmp_path / 'work',
        '--out', tmp_path / 'masks', '--cfg-options', *NO_WORKERS,
        f'test_dataloader.dataset.data_root={voc}', 'test_dataloader.dataset.supervision=none')
    assert f'{len(alone[1])} predictions are in {tmp_path / "masks"}' in printed
    for name, mask in alone[1].items():
        with Image.open(tmp_path / 'masks' / name) as picture:
            assert picture.mode == 'P' and picture.getpalette()[:6] == [0, 0, 0, 128, 0, 0]
            assert (np.array(picture) == mask).all()


def test_crf_changes_what_is_measured_and_written(trained, alone, tmp_path):
    _, plain = alone
    here, refined = evaluate(trained, tmp_path / 'here', '--crf', '--crf-workers', '0')
    beside, same = evaluate(trained, tmp_path / 'beside', '--crf', 'rrm', '--crf-workers', '1')
    assert plain.keys() == refined.keys() == same.keys() and len(plain) == 5
    assert any((plain[name] != refined[name]).any() for name in plain)
    assert all((refined[name] == same[name]).all() for name in plain)
    assert here == beside == pytest.approx(miou_of_written(refined, trained[0]), abs=0.01)


def test_an_unknown_preset_names_those_there_are(trained, tmp_path):
    printed = evaluate(trained, tmp_path, '--crf', 'psa', fails=True)
    assert all(name in printed for name in CRF_PRESETS)


def test_an_ensemble_with_itself_is_the_network(trained, alone, tmp_path):
    both = evaluate(trained, tmp_path, '--ensemble', *trained, '0.4')
    assert same_results(both, alone)


def test_lambda_is_the_weight_of_the_second_network(trained, alone, other, tmp_path):
    second = evaluate(other, tmp_path / 'second')
    assert not same_results(alone, second)
    same = evaluate(trained, tmp_path / 'max', '--ensemble', *trained, 'max')
    assert same_results(same, alone)
    for weight, expected in ('0', alone), ('1', second):
        found = evaluate(trained, tmp_path / weight, '--ensemble', *other, weight)
        assert same_results(found, expected)


@pytest.mark.parametrize('weight', ['1.4', 'half'])
def test_an_impossible_weight(trained, tmp_path, weight):
    assert f'0 to 1, or max; got {weight}' in evaluate(
        trained, tmp_path, '--ensemble', *trained, weight, fails=True)
