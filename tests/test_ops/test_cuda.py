"""On a GPU, the operators and what is made of them give what they give on a CPU."""
import pytest
import torch
import torch.nn.functional as F

from mmseg_wss.models.losses import DenseEnergyLoss
from mmseg_wss.ops import bilateral_filter, dense_crf
from mmseg_wss.pseudo_labels import mine_labels

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')


@pytest.fixture
def batch():
    """Images, probabilities."""
    generator = torch.Generator().manual_seed(0)

    def smooth(channels):
        maps = torch.randn(2, channels, 5, 6, generator=generator)
        return F.interpolate(maps, size=(60, 80), mode='bicubic')

    return (128 + 50 * smooth(3)).clamp(0, 255), (2 * smooth(4)).softmax(1)


def test_filter_and_its_gradient(batch):
    images, values = batch
    results = []
    for device in ('cpu', 'cuda'):
        x = values.to(device, copy=True).requires_grad_()
        out = bilateral_filter(x, images.to(device), 15, 20)
        out.square().sum().backward()
        results.append((out.detach().cpu(), x.grad.cpu()))
    for found, expected in zip(results[1], results[0]):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-2)


def test_crf(batch):
    images, probs = batch
    expected, found = (dense_crf(probs.to(device), images.to(device)).cpu()
                       for device in ('cpu', 'cuda'))
    assert (found.argmax(1) == expected.argmax(1)).float().mean() > 0.999
    assert (found - expected).abs().mean() < 1e-4


@pytest.mark.parametrize('formulation', ['released', 'paper'])
def test_energy(batch, formulation):
    images, probs = batch
    labels = torch.where(probs.amax(1) > 0.8, probs.argmax(1), 255)
    loss, valid = DenseEnergyLoss(formulation=formulation, loss_weight=1.), torch.ones(2, 60, 80)
    results = []
    for device in ('cpu', 'cuda'):
        x = probs.to(device, copy=True).requires_grad_()
        value = loss(*(maps.to(device) for maps in (images, x, labels, valid)))
        value.backward()
        results.append((value.item(), x.grad.cpu()))
    assert results[1][0] == pytest.approx(results[0][0], rel=1e-4)
    difference = (results[1][1] - results[0][1]).norm()
    assert difference < 1e-3 * results[0][1].norm()


@pytest.mark.parametrize('rule', ['released', 'paper', 'cam'])
def test_mining(batch, rule):
    images, cams = batch[0], batch[1][:, 1:]
    cams = cams / cams.amax((2, 3), keepdim=True)
    tags = torch.tensor([[1, 0, 1], [0, 1, 1]])
    expected, found = (mine_labels(*(maps.to(device) for maps in (images, cams, tags)),
                                   rule=rule).cpu() for device in ('cpu', 'cuda'))
    assert (found == expected).float().mean() > 0.99 and (expected != 255).any()
