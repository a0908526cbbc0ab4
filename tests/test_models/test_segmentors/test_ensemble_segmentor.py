"""An ensemble predicts the mean of its networks' probabilities, whatever each makes of an image."""
import pytest
import torch
from mmengine.config import ConfigDict
from mmseg.utils import register_all_modules
from test_weak_encoder_decoder import BACKBONE, HEAD, make_batch

from mmseg_wss.registry import MODELS

register_all_modules()


def network(mean, std, classes=3):
    """Each network prepares the images in its own way."""
    return ConfigDict(
        type='mmseg_wss.WeakEncoderDecoder', backbone=BACKBONE,
        decode_head=dict(HEAD, num_classes=classes), train_cfg=dict(), test_cfg=dict(mode='whole'),
        data_preprocessor=dict(type='mmseg_wss.WeakSegDataPreprocessor', mean=[mean] * 3,
                               std=[std] * 3, test_cfg=dict(size_divisor=8)))


def trained(folder):
    """Two networks with large logits, as configs, modules and checkpoints."""
    made = []
    for seed, config in enumerate((network(120., 50.), network(0., 255.))):
        torch.manual_seed(seed)
        module = MODELS.build(config).eval()
        with torch.no_grad():
            module.decode_head.conv_seg.weight.mul_(500)
        path = str(folder / f'{seed}.pth')
        torch.save(dict(state_dict=module.state_dict(), meta={}), path)
        made.append((config, module, path))
    return made


def ensemble(made, *weights, **options):
    return MODELS.build(dict(type='mmseg_wss.EnsembleSegmentor', members=[
        dict(model=config, checkpoint=path, weight=weight)
        for (config, _, path), weight in zip(made, weights)], **options)).eval()


def predict(model):
    with torch.no_grad():
        return model.test_step(make_batch())


@pytest.mark.parametrize('weight', [0., 0.4, 1.])
def test_mean_of_the_probabilities(tmp_path, weight):
    made = trained(tmp_path)
    first, second = ([sample.seg_logits.data.softmax(0) for sample in predict(module)]
                     for _, module, _ in made)
    assert any((a.argmax(0) != b.argmax(0)).any() for a, b in zip(first, second))
    for a, b, sample in zip(first, second, predict(ensemble(made, 1 - weight, weight))):
        mean = (1 - weight) * a + weight * b
        torch.testing.assert_close(sample.seg_logits.data.softmax(0), mean)
        assert torch.equal(sample.pred_sem_seg.data[0], mean.argmax(0))
        assert 'gt_sem_seg' in sample


def test_the_largest_probability(tmp_path):
    made = trained(tmp_path)
    first, second = ([sample.seg_logits.data.softmax(0) for sample in predict(module)]
                     for _, module, _ in made)
    for a, b, sample in zip(first, second, predict(ensemble(made, 1., 0., reduce='max'))):
        largest = torch.where(a > b, a, b)
        torch.testing.assert_close(sample.seg_logits.data.softmax(0), largest / largest.sum(0))
        assert torch.equal(sample.pred_sem_seg.data[0], largest.argmax(0))
    with pytest.raises(ValueError, match="'mean' or 'max', got 'min'"):
        ensemble(made, 1., 0., reduce='min')


@pytest.mark.parametrize('weights', [(0.5, 0.6), (1.5, -0.5), (float('nan'), 0.5)])
def test_weights_that_are_no_mean(tmp_path, weights):
    with pytest.raises(ValueError, match='at least 0 and sum to 1'):
        ensemble(trained(tmp_path), *weights)


def test_networks_of_different_classes():
    with pytest.raises(ValueError, match='have 3, 4 channels'):
        MODELS.build(dict(type='mmseg_wss.EnsembleSegmentor', members=[
            dict(model=network(0., 1.), weight=0.5),
            dict(model=network(0., 1., classes=4), weight=0.5)]))


def test_a_checkpoint_of_another_network(tmp_path):
    made = trained(tmp_path)
    torch.save(dict(state_dict={'backbone.x': torch.zeros(1)}), made[1][2])
    with pytest.raises(ValueError, match=r'1\.pth: the checkpoint is not of the network'):
        ensemble(made, 0.5, 0.5)
