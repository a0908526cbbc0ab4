"""A metric must see what the CRF makes of the predictions, whoever computes it."""
import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from PIL import Image

from mmseg_wss.ops import dense_crf
from mmseg_wss.registry import EVALUATOR

CRF = dict(iterations=5, sxy_bilateral=20, srgb=10, compat_bilateral=8)


class Collect(BaseMetric):
    """Keeps the labels of each image and the order of the images."""
    default_prefix = 'collect'

    def process(self, data_batch, data_samples):
        for sample in data_samples:
            self.results.append((sample['img_path'], sample['pred_sem_seg']['data'].clone()))

    def compute_metrics(self, results):
        self.seen = results
        return dict(images=len(results))


def make_samples(folder, number=5):
    """Images of two colours, and noisy predictions of where they meet."""
    rng = np.random.default_rng(0)
    samples = []
    for i in range(number):
        image = np.full((12, 16 + i, 3), 40, np.uint8)
        image[:, 8:] = 200
        Image.fromarray(image).save(folder / f'{i}.png')
        logits = torch.from_numpy(rng.normal(size=(2, *image.shape[:2]))).float()
        logits[1, :, 8:] += 2
        sample = SegDataSample(metainfo=dict(img_path=str(folder / f'{i}.png')))
        sample.seg_logits = PixelData(data=logits)
        sample.pred_sem_seg = PixelData(data=logits.argmax(0, keepdim=True))
        samples.append(sample)
    return samples


def evaluate(samples, num_workers):
    metric = Collect()
    evaluator = EVALUATOR.build(dict(
        type='mmseg_wss.CRFEvaluator', metrics=[metric], crf=CRF, num_workers=num_workers))
    for sample in samples:
        evaluator.process([sample])
    assert evaluator.evaluate(len(samples)) == {'collect/images': len(samples)}
    return metric.seen


@pytest.mark.parametrize('num_workers', [0, 1])
def test_the_metrics_see_the_labels_of_the_crf_in_the_order_of_the_images(tmp_path, num_workers):
    seen = evaluate(make_samples(tmp_path), num_workers)
    assert [path for path, _ in seen] == [str(tmp_path / f'{i}.png') for i in range(5)]
    changed = 0
    for (path, labels), sample in zip(seen, make_samples(tmp_path)):
        image = torch.from_numpy(np.array(Image.open(path)).transpose(2, 0, 1).copy())
        probs = sample.seg_logits.data.softmax(0)
        expected = dense_crf(probs[None], image[None].float(), **CRF).argmax(1)
        assert labels.shape == expected.shape and labels.dtype == torch.int64
        assert torch.equal(labels, expected)
        changed += int((labels != sample.pred_sem_seg.data).sum())
    assert changed > 0


def test_without_workers_the_samples_themselves_are_refined(tmp_path):
    sample, = make_samples(tmp_path, 1)
    (_, labels), = evaluate([sample], 0)
    assert torch.equal(sample.pred_sem_seg.data, labels)


def test_what_fails_in_a_worker_is_raised_here(tmp_path):
    sample, = make_samples(tmp_path, 1)
    Image.fromarray(np.zeros((5, 5, 3), np.uint8)).save(sample.img_path)
    with pytest.raises(ValueError, match=r'0.png: the image has shape \(5, 5\)'):
        evaluate([sample], 1)


def test_a_negative_number_of_workers():
    with pytest.raises(ValueError, match='num_workers must be at least 0'):
        evaluate([], -1)


def test_the_confidence_is_the_refined_one(tmp_path):
    sample, = make_samples(tmp_path, 1)
    probs = sample.seg_logits.data.softmax(0)
    image = torch.from_numpy(np.array(Image.open(sample.img_path)).transpose(2, 0, 1).copy())
    evaluate([sample], 0)
    refined = dense_crf(probs[None], image[None].float(), **CRF)[0]
    torch.testing.assert_close(sample.confidence.data, refined.max(0, keepdim=True).values)
    assert (sample.confidence.data - probs.max(0).values).abs().max() > 0.1
