"""The judge of mask sources, on images that are written here and a network that is made up."""
import json

import numpy as np
import pytest
import torch
from devkit import write_mask
from PIL import Image

from mmseg_wss.datasets.transforms import rect_mask
from mmseg_wss.errors import DataError
from mmseg_wss.evaluation.judgement import read_judgement, write_judgement
from mmseg_wss.evaluation.mask_judge import (
    Candidate,
    JudgedImage,
    MaskJudge,
    best_of,
    candidates_of,
    judge_rows,
    simulated_labels,
)
from mmseg_wss.evaluation.mask_worth import worth_counts
from mmseg_wss.evaluation.pseudo_mask_writer import threshold_labels
from mmseg_wss.evaluation.refine import gated
from mmseg_wss.proposals import propose
from mmseg_wss.pseudo_labels.gates import label_gates

CLASSES = ['background', 'red', 'green', 'blue']
SHAPE = (20, 30)


@pytest.fixture
def image(tmp_path):
    """Two objects, one of them no rectangle, and void around it."""
    truth = np.zeros(SHAPE, np.uint8)
    truth[3:9, 4:12] = 1
    y, x = np.mgrid[:20, :30]
    truth[(y - 12) ** 2 + (x - 20) ** 2 < 42] = 255
    truth[(y - 12) ** 2 + (x - 20) ** 2 < 30] = 2
    write_mask(tmp_path / 'a.png', truth)
    Image.fromarray(np.zeros((*SHAPE, 3), np.uint8)).save(tmp_path / 'a.jpg')
    return JudgedImage('a', str(tmp_path / 'a.jpg'), str(tmp_path / 'a.png'))


def read(image):
    return np.array(Image.open(image.mask_path))


def network(image, seed=0):
    """Probabilities of half of the objects, faint ones of the rest, a class that is not there."""
    truth = read(image)
    scores = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(seed))
    right = torch.from_numpy(np.where(truth == 255, 0, truth)).long()
    labels = right.clone()
    labels[:, 20:] = 0
    labels[15:, :8] = 3
    sure, faint = (torch.nn.functional.one_hot(one, 4).permute(2, 0, 1) for one in (labels, right))
    return (scores + 4 * sure + 2 * faint).softmax(0)


def test_the_labels_of_each_kind_follow_from_the_mask(image):
    truth, files = read(image), vars(image)
    assert simulated_labels('none', CLASSES, **files) == {}
    assert simulated_labels('image', CLASSES, **files)['tags'].tolist() == [1, 1, 1, 0]
    boxes = simulated_labels('box', CLASSES, **files)
    assert boxes['box_labels'].tolist() == [1, 2]
    y, x = np.nonzero(truth == 2)
    assert boxes['boxes'].tolist() == [
        [4, 3, 12, 9], [x.min(), y.min(), x.max() + 1, y.max() + 1]]
    for kind in 'point', 'scribble':
        labels = simulated_labels(kind, CLASSES, **files)
        drawn = labels['clicks'] != 255
        assert labels['tags'].tolist() == [1, 1, 1, 0]
        assert np.array_equal(labels['clicks'][drawn], truth[drawn])
        assert {0, 1, 2} <= set(labels['clicks'][drawn]) and drawn.mean() < 0.3


def test_each_candidate_makes_its_mask(image):
    """Counted by hand: boxes as they are painted, and labels above tau of what is possible."""
    probs, truth = network(image), read(image)
    candidates = candidates_of(['none', 'image', 'box'], (0., 0.9))
    assert [c.source for c in candidates].count('rect') == 1 and len(candidates) == 8
    found, _ = MaskJudge({}, CLASSES, candidates).judge(probs, image)

    def kept(p, tau):
        return np.where(p.max(0) > tau, p.argmax(0), 255).astype(np.uint8)

    tagged = probs.numpy().copy()
    tagged[3] = 0
    labels = simulated_labels('box', CLASSES, **vars(image))
    boxed = tagged * 0
    boxed[0] = 1
    for (x1, y1, x2, y2), label in zip(labels['boxes'].astype(int), labels['box_labels']):
        boxed[[0, label], y1:y2, x1:x2] = tagged[[0, label], y1:y2, x1:x2]
    for p, share in (tagged, 0.2), (boxed, 0.5):  # both classes are there
        for label in (1, 2):
            values = np.sort(p[label][p[label] > 0])
            p[label] /= values[-int(share * len(values)):].mean()
    masks = [kept(p / p.sum(0), tau) for p in (probs.numpy(), tagged, boxed) for tau in (0, 0.9)]
    painted = rect_mask(labels['boxes'], labels['box_labels'], SHAPE)
    masks.insert(4, painted)
    masks.append(np.where(masks[-1] == 255, painted, masks[-1]))
    own = probs.argmax(0).numpy()
    for candidate, counts, mask in zip(candidates, found.counts, masks):
        assert np.array_equal(counts, worth_counts(mask, own, truth, 4)), candidate


def test_other_masks_of_boxes(image):
    """Each method as `propose` has it, alone and where the network is not sure."""
    probs, truth, methods = network(image), read(image), ('rect', 'grabcut', 'rect+grabcut')
    candidates = candidates_of(['box'], (0.9, ), box_methods=methods)
    assert [c.source for c in candidates] == [
        *methods, 'teacher', *(f'teacher+{method}' for method in methods)]
    found, _ = MaskJudge({}, CLASSES, candidates).judge(probs, image)
    labels = simulated_labels('box', CLASSES, **vars(image))
    photograph = np.array(Image.open(image.img_path))
    masks = [propose(photograph, labels['boxes'], labels['box_labels'], method)
             for method in methods]
    own, network_alone = probs.argmax(0).numpy(), found.counts[3]
    for counts, mask in zip(found.counts, masks):
        assert np.array_equal(counts, worth_counts(mask, own, truth, 4))
    gate, present = label_gates(SHAPE, 4, **{
        name: torch.from_numpy(label) for name, label in labels.items()})
    sure = threshold_labels(gated(probs, gate, '', None, present), 0.9).numpy()
    assert np.array_equal(network_alone, worth_counts(sure, own, truth, 4))
    for counts, mask in zip(found.counts[4:], masks):
        assert np.array_equal(counts, worth_counts(
            np.where(sure == 255, mask, sure), own, truth, 4))


def test_tags_and_boxes_are_worth_more_than_nothing(image):
    """Without a label, a network's masks say what it says itself: neither mended nor broken."""
    judge = MaskJudge({image.img_path: image}, CLASSES, candidates_of(
        ['none', 'image', 'box'], (0., )))
    judge.process(None, [dict(img_path=image.img_path, seg_probs=dict(data=network(image, seed)))
                         for seed in range(3)])
    assert judge.evaluate(3) == {'judge/images': 3}
    assert sum(one.counts[0, :, 0].sum() for one in judge.worth) == 3 * (read(image) != 255).sum()
    rows = judge_rows(judge.candidates, judge.worth, judge.quality, CLASSES)
    worth = {(row['kind'], row['source']): row['worth'] for row in rows}
    assert worth['none', 'teacher'] == 0
    for kind in ('image', 'box'):
        assert 0 < worth[kind, 'teacher'] < worth['box', 'rect']  # a box shows all of its object


def test_what_other_networks_know(image, tmp_path):
    """The masks are of the network at hand, what they mend and break that of the others."""
    candidates = candidates_of(['none'], (0., 0.9))
    first, second, truth = network(image), network(image, 1), read(image)
    folder = str(tmp_path / 'predictions')
    own, _ = MaskJudge({}, CLASSES, candidates, predictions=folder).judge(first, image)
    found, _ = MaskJudge({}, CLASSES, candidates, reference=folder).judge(second, image)
    for counts, tau in zip(found.counts, (0, 0.9)):
        mask = np.where(second.max(0)[0] > tau, second.argmax(0), 255).astype(np.uint8)
        assert np.array_equal(counts, worth_counts(mask, first.argmax(0).numpy(), truth, 4))
    assert found.counts[0, :, 2].sum() > own.counts[0, :, 2].sum() == 0
    write_mask(tmp_path / 'predictions/a.png', np.zeros((4, 5), np.uint8))
    with pytest.raises(DataError, match=r'predictions/a.png: a prediction of shape \(4, 5\)'):
        MaskJudge({}, CLASSES, candidates, reference=folder).judge(second, image)


def rows_of(se=0., precision=0.5, coverage=1., **worths):
    return [dict(Candidate(*name.split('_'), tau=tau)._asdict(), worth=worth, worth_se=se,
                 precision=precision, coverage=coverage)
            for name, values in worths.items() for tau, worth in values]


def test_a_threshold_that_many_images_agree_on(image):
    """Half of an object is found with little certainty and the other one wrongly: rows say so."""
    probs = torch.full((4, *SHAPE), 0.02)
    truth = torch.from_numpy(read(image))
    probs[0] = 0.94
    probs[:, truth == 1] = torch.tensor([0.3, 0.6, 0.05, 0.05])[:, None]
    known = torch.zeros_like(probs)
    known[0] = 1  # other networks see nothing
    candidates = candidates_of(['none'], (0., 0.9))
    judge = MaskJudge({}, CLASSES, candidates)
    judge._known = lambda *_: known.argmax(0).numpy().astype(np.uint8)
    for number, expected in ((4, {}), (6, dict(red=0.))):
        worth, quality = zip(*[judge.judge(probs, image)] * number)
        rows = judge_rows(candidates, worth, sum(quality), CLASSES)
        assert rows[1]['tau_classes'] == expected and rows[0]['tau_classes'] == {}
        assert rows[0]['worth'] == pytest.approx(1 / 3) and rows[0]['worth_se'] == 0


@pytest.mark.parametrize('worst, others, chosen', [
    ({}, [dict(precision=0.9)], 1),  # the same worth: the more precise one
    ({}, [dict(precision=0.9, coverage=0.7)], 0), (dict(coverage=0.7), [dict(coverage=0.6)], 0),
    ({}, [dict(worth=0.07, precision=0.9), dict(worth=0.09, precision=0.8)], 2),  # within 0.02
    ({}, [dict(precision=float('nan')), dict(worth=float('nan'), precision=1.)], 0),
    (dict(worth_se=float('nan')), [dict(worth=0.09, precision=1.)], 0),
    (dict(coverage=0.7), [dict(worth=0.09)], 1)])
def test_the_choice_among_those_that_are_worth_the_same(worst, others, chosen):
    row = dict(kind='box', worth=0.1, worth_se=0.02, precision=0.5, coverage=0.95)
    rows = [dict(row, **change) for change in (worst, *others)]
    assert best_of(rows)['box'] is rows[chosen]


def test_the_best_is_written_and_read(tmp_path):
    rows = rows_of(box_rect=[(None, 0.2)], box_teacher=[(0.5, 0.1), (0.9, 0.2)],
                   image_teacher=[(0.5, -0.1), (0.9, 0.1)])
    rows[0]['classes'] = dict(red=float('nan'))
    rows[-1]['tau_classes'] = dict(red=0.5)
    assert {kind: row['worth'] for kind, row in best_of(rows).items()} == dict(box=0.2, image=0.1)
    write_judgement(str(tmp_path / 'judge.json'), rows, folds=2)
    assert read_judgement(tmp_path / 'judge.json') == dict(
        box=Candidate('box', 'rect'), image=Candidate('image', 'teacher', 0.9, None, dict(red=0.5)))
    content = json.loads((tmp_path / 'judge.json').read_text())
    assert content['folds'] == 2 and content['rows'][0]['classes'] == dict(red=None)


@pytest.mark.parametrize('change', [
    dict(source='mcg'), dict(tau='0.9'), dict(tau=None), dict(tau=1.5), dict(crf='x'),
    dict(kind='image'), dict(kind='image', source='teacher+rect'), dict(source='teacher+sam'),
    dict(source='teacher+'), dict(tau_classes=dict(red=2)), dict(tau_classes=[1]), 5])
def test_other_files_are_refused(tmp_path, change):
    row = dict(kind='box', source='teacher', tau=0.9, crf=None)
    content = dict(best=dict(box=change if change == 5 else dict(row, **change)))
    for text in (json.dumps(content), '[]', '{}'):
        (tmp_path / 'judge.json').write_text(text)
        with pytest.raises(DataError, match='judge.json: not what tools/judge_masks.py writes'):
            read_judgement(str(tmp_path / 'judge.json'))
