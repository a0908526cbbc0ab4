"""Labels from probabilities against a loop over pixels, and what the writer leaves on disk."""
import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from PIL import Image

from mmseg_wss.evaluation.pseudo_mask_writer import (
    PseudoMaskWriter,
    threshold_labels,
)
from mmseg_wss.evaluation.refine import class_probabilities
from mmseg_wss.labels.stores.mask_folder import MaskFolder, read_records
from mmseg_wss.labels.stores.mask_target import MaskTarget, confidence_path

# ---- threshold

@pytest.mark.parametrize('tau', [0., 0.25, 0.5, 0.75, 1.])
def test_threshold_by_brute_force(tau):
    """Probabilities in eighths, so that many are exactly tau."""
    rng = np.random.default_rng(0)
    probs = rng.multinomial(8, [0.6, 0.3, 0.1], (20, 30)).transpose(2, 0, 1) / 8
    expected = np.zeros((20, 30), np.uint8)
    for y in range(20):
        for x in range(30):
            values = list(probs[:, y, x])
            expected[y, x] = values.index(max(values)) if max(values) > tau else 255
    labels = threshold_labels(torch.from_numpy(probs), tau)
    assert labels.dtype == torch.uint8
    np.testing.assert_array_equal(labels, expected)
    assert (expected == 255).any() or tau < 0.375  # three eighths: the lowest possible maximum


def test_thresholds_of_classes():
    probs = torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(0)).softmax(0)
    plain = threshold_labels(probs, 0.)
    expected = np.where(probs.max(0).values.numpy() > np.array([0.4, 0.5, 0.36])[plain], plain, 255)
    np.testing.assert_array_equal(threshold_labels(probs, 0.4, {1: 0.5, 2: 0.36}), expected)
    with pytest.raises(ValueError, match='got 1.5'):
        threshold_labels(probs, 0.4, {1: 1.5})


def test_exactly_tau_is_ignored_in_single_precision():
    probs = torch.tensor([0.9, np.nextafter(np.float32(0.9), np.float32(1))])
    probs = torch.stack([1 - probs, probs])[:, None]
    assert threshold_labels(probs, 0.9).tolist() == [[255, 1]]


def test_more_classes_than_a_mask_can_hold():
    assert threshold_labels(torch.eye(255)[:, :, None], 0.5)[254, 0] == 254
    with pytest.raises(ValueError, match='256'):
        threshold_labels(torch.eye(256)[:, :, None], 0.5)


@pytest.mark.parametrize('tau', [-0.1, 1.1, float('nan')])
def test_tau_is_a_probability(tau, tmp_path):
    with pytest.raises(ValueError, match=f'tau is a probability, 0 to 1; got {tau}'):
        threshold_labels(torch.eye(3)[:, :, None], tau)
    with pytest.raises(ValueError, match=f'tau is a probability, 0 to 1; got {tau}'):
        make_writer(tmp_path / 'masks', tau=tau)
    assert not (tmp_path / 'masks').exists()


# ---- probabilities

def test_softmax_of_logits_but_not_of_probabilities():
    logits = torch.randn(3, 4, 5, dtype=torch.half)
    exp = np.exp(logits.numpy().astype(np.float64))
    probs = class_probabilities(dict(seg_logits=dict(data=logits)))
    assert probs.dtype == torch.float32
    np.testing.assert_allclose(probs, exp / exp.sum(0), rtol=1e-5)
    sample = dict(seg_logits=dict(data=logits), seg_probs=dict(data=probs))
    assert torch.equal(class_probabilities(sample), probs)


def test_a_single_channel_is_refused():
    with pytest.raises(ValueError, match='one channel'):
        class_probabilities(dict(seg_logits=dict(data=torch.zeros(1, 2, 2))))


# ---- writer

IMAGES = {'/x/a.jpg': MaskTarget('a', 'boxes of a'), '/x/sub/b.jpg': MaskTarget('sub/b')}


def make_writer(folder, **options):
    return PseudoMaskWriter(
        **{**dict(out_dir=str(folder), recipe=dict(tau=0.5), targets=IMAGES, tau=0.5), **options})


def predictions():
    probs = torch.tensor([[0.1, 0.7, 0.3], [0.3, 0.1, 0.5], [0.6, 0.2, 0.2]])  # (K, W)
    return [dict(img_path=path, seg_probs=dict(data=probs.roll(i, 1)[:, None]))
            for i, path in enumerate(IMAGES)]


def test_masks_confidence_and_counts(tmp_path):
    folder = tmp_path / 'masks'
    evaluator = Evaluator(make_writer(folder, soft=True))
    evaluator.process(predictions())
    assert evaluator.evaluate(2) == {'pseudo_masks/images': 2, 'pseudo_masks/coverage': 4 / 6}
    for name, mask, confidence in (('a', [2, 0, 255], [153, 178, 128]),
                                   ('sub/b', [255, 2, 0], [128, 153, 178])):
        assert np.array(Image.open(folder / f'{name}.png')).tolist() == [mask]
        assert np.array(Image.open(confidence_path(folder, name))).tolist() == [confidence]
    assert read_records(folder) == {
        name: dict(recipe=dict(tau=0.5), inputs=inputs, kept=2, pixels=3)
        for name, inputs in (('a', 'boxes of a'), ('sub/b', ''))}


def test_the_confidence_is_there_before_the_mask(tmp_path, monkeypatch):
    def killed(*args, **kwargs):
        raise KeyboardInterrupt
    monkeypatch.setattr(MaskFolder, 'write', killed)
    with pytest.raises(KeyboardInterrupt):
        make_writer(tmp_path / 'masks', soft=True).process(None, predictions())
    assert confidence_path(tmp_path / 'masks', 'a').is_file()


@pytest.mark.parametrize('size', [1, 3])
def test_an_image_too_many_or_too_few(tmp_path, size):
    writer = make_writer(tmp_path)
    writer.process(None, predictions())
    with pytest.raises(RuntimeError, match=f'2 masks were written for {size} images'):
        writer.evaluate(size)


def test_crf_wants_the_whole_image(tmp_path):
    path = str(tmp_path / 'a.png')
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(path)
    writer = make_writer(tmp_path / 'masks', crf={}, targets={path: MaskTarget('a')})
    with pytest.raises(ValueError, match=r'\(4, 6\).*\(1, 3\)'):
        writer.process(None, [dict(predictions()[0], img_path=path)])


# ---- gates

def gated_mask(folder, probs, box_gate=True, crf=None, **labels):
    """The mask of an image of one row, without a threshold."""
    writer = make_writer(folder / 'masks', tau=0., box_gate=box_gate, crf=crf, targets={
        str(folder / 'a.png'): MaskTarget('a', **labels)})
    writer.process(None, [dict(img_path=str(folder / 'a.png'), seg_probs=dict(
        data=torch.tensor(probs)[:, None]))])
    return np.array(Image.open(folder / 'masks/a.png'))[0].tolist()


PROBS = [[0.1, 0.2, 0.2, 0.3, 0.1], [0.3, 0.2, 0.5, 0.1, 0.3], [0.6, 0.6, 0.3, 0.6, 0.6]]


def test_each_label_excludes_its_own(tmp_path):
    boxes = dict(boxes=np.array([[1, 0, 3, 1], [2, 0, 5, 1]], np.float32), box_labels=(2, 1))
    clicks = np.full((1, 5), 255, np.uint8)
    clicks[0, [0, 4]] = 1, 0
    Image.fromarray(clicks).save(tmp_path / 'clicks.png')
    clicks = dict(clicks=str(tmp_path / 'clicks.png'))
    for labels, expected in [
            (dict(), [2, 2, 1, 2, 2]), (dict(tags=(0, 1)), [1, 0, 1, 0, 1]),
            (boxes, [0, 2, 1, 0, 1]), (dict(box_gate=False, **boxes), [2, 2, 1, 2, 2]),
            (clicks, [1, 2, 1, 2, 0]), (dict(tags=(0, 2), **boxes, **clicks), [1, 2, 2, 0, 0])]:
        assert gated_mask(tmp_path, PROBS, **labels) == expected, labels


def test_a_crf_does_not_spread_what_is_impossible(tmp_path):
    """On a uniform image, where it makes all pixels the class of most of them."""
    Image.fromarray(np.full((1, 5, 3), 90, np.uint8)).save(tmp_path / 'a.png')
    boxes = dict(boxes=np.array([[1, 0, 5, 1]], np.float32), box_labels=(2, ))
    assert gated_mask(tmp_path, PROBS, crf={}) == [2] * 5
    assert gated_mask(tmp_path, PROBS, crf={}, **boxes) == [0, 2, 2, 2, 2]


def test_what_a_network_is_not_sure_of_is_painted(tmp_path):
    """In the box, background where the network is sure of it, else the box."""
    background = [0.99, 0.99, 0.99, 0.6, 0.6, 0.6]
    probs = [background, [1 - p for p in background], [0] * 6]
    choice = dict(source='teacher+rect', tau=0.9, crf=None)
    boxes = dict(boxes=np.array([[1, 0, 5, 1]], np.float32), box_labels=(1, ))
    assert gated_mask(tmp_path, probs, **boxes, choice=choice) == [0, 0, 0, 1, 1, 0]


def test_another_method_makes_masks_of_boxes(tmp_path):
    """GrabCut of a bright square on black, which the network does not see."""
    photograph = np.zeros((24, 32, 3), np.uint8)
    photograph[8:16, 10:20] = 250
    Image.fromarray(photograph).save(tmp_path / 'a.png')
    boxes = np.array([[7, 5, 23, 19]], np.float32)
    target = MaskTarget('a', boxes=boxes, box_labels=(1, ), choice=dict(source='grabcut'))
    writer = make_writer(tmp_path / 'masks', tau=0., targets={str(tmp_path / 'a.png'): target})
    probs = torch.full((3, 24, 32), 1 / 3)
    writer.process(None, [dict(img_path=str(tmp_path / 'a.png'), seg_probs=dict(data=probs))])
    mask = np.array(Image.open(tmp_path / 'masks/a.png'))
    assert np.array_equal(mask, (photograph[..., 0] > 0).astype(np.uint8))
    with pytest.raises(ValueError, match='must predict whole images'):
        writer.process(None, [dict(img_path=str(tmp_path / 'a.png'), seg_probs=dict(
            data=probs[:, 1:]))])
