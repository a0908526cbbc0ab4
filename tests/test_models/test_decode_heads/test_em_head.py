"""The E-step labels weak images; the loss knows the labels, and nothing of the biases."""
import pytest
import torch
import torch.nn.functional as F
from head_bench import CLASSES, FEATURE_HEADS, backward, make_features, make_samples
from mmengine.structures import InstanceData, PixelData

from mmseg_wss.pseudo_labels import adaptive_bias_labels, box_bias_labels, fixed_bias_labels
from mmseg_wss.registry import MODELS

KINDS = ['pixel', 'image', 'pixel', 'image', 'image']
WEAK, STRONG = [1, 3, 4], [0, 2]
TAGS = torch.tensor([[1, 1, 0], [1, 0, 1], [1, 1, 1]])


def build(inner=dict(), **options):
    torch.manual_seed(0)
    inner = {**FEATURE_HEADS['fcn'], 'num_classes': CLASSES, 'dropout_ratio': 0., 'norm_cfg': None,
             'loss_decode': dict(type='CrossEntropyLoss', avg_non_ignore=True), **inner}
    return MODELS.build(dict(type='mmseg_wss.EMHead', head=inner, **options)).train()


def make_batch(kinds=KINDS, weak_masks=False):
    samples, tags = make_samples(kinds), iter(TAGS.tolist() * 2)
    for sample in samples:
        sample.valid = PixelData(data=torch.ones(1, 16, 16, dtype=torch.bool))
        if sample.supervision != 'pixel':
            sample.gt_tags = torch.tensor(next(tags), dtype=torch.uint8)
            if not weak_masks:
                del sample.gt_sem_seg
    return make_features(len(kinds)), samples


def cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels, ignore_index=255)


@pytest.mark.parametrize('e_step, estimate', [
    (dict(type='fixed', bias_fg=2.), lambda f: fixed_bias_labels(f, TAGS, bias_fg=2.)),
    (dict(type='adapt'), lambda f: adaptive_bias_labels(f, TAGS))])
def test_losses_by_formula(e_step, estimate):
    head = build(e_step=e_step)
    features, samples = make_batch()
    torch.manual_seed(1)
    losses = head.loss(features, samples, None)
    logits = head(features)
    masks = torch.cat([samples[i].gt_sem_seg.data for i in STRONG])[:, ::2, ::2]
    torch.manual_seed(1)  # the order of EM-Adapt
    labels = estimate(logits[WEAK].detach())
    torch.testing.assert_close(losses['strong.loss_ce'], 0.7 * cross_entropy(logits[STRONG], masks))
    torch.testing.assert_close(losses['weak.loss_ce'], 0.3 * cross_entropy(logits[WEAK], labels))
    assert {'strong.acc_seg', 'weak.acc_seg'} < set(losses)


@pytest.mark.parametrize('e_step', [
    dict(type='fixed', bias_bg=0., bias_fg=0.), dict(type='adapt', suppress=False),
    dict(type='box', bias_bg=0., bias_fg=0.), dict(type='mask')])
def test_an_image_that_is_known_to_be_empty_is_background(e_step):
    """Whatever the scores: they favour the last class here. Padding has no label."""
    head = build(e_step=e_step, loss_weights=(0., 1.))
    features, samples = make_batch(['image'], weak_masks=True)
    samples[0].gt_tags = torch.tensor([1, 0, 0], dtype=torch.uint8)
    samples[0].gt_sem_seg.data.zero_()
    samples[0].valid.data[:, 8:] = False
    torch.nn.init.constant_(head.head.conv_seg.bias, 0)
    head.head.conv_seg.bias.data[2] = 50
    labels = torch.zeros(1, 8, 8, dtype=torch.long)
    labels[:, 4:] = 255
    losses = head.loss(features, samples, None)
    torch.testing.assert_close(losses['weak.loss_ce'], cross_entropy(head(features), labels))
    assert losses['weak.loss_ce'] > 20


def test_boxes_are_read_from_the_painted_mask():
    head = build(e_step=dict(type='box', bias_bg=1.), loss_weights=(0., 1.))
    features, samples = make_batch(weak_masks=True)
    logits = head(features)
    painted = torch.cat([samples[i].gt_sem_seg.data for i in WEAK])[:, ::2, ::2]
    losses = head.loss(features, samples, None)
    torch.testing.assert_close(losses['weak.loss_ce'], cross_entropy(
        logits[WEAK], box_bias_labels(logits[WEAK], painted, bias_bg=1.)))
    assert losses['strong.loss_ce'] == 0


@pytest.mark.parametrize('supervision', ['box', 'pseudo'])
def test_masks_of_weak_images_are_their_labels(supervision):
    """0.7 and 0.3 of the mean over the labelled pixels of each kind, not of the mean over all."""
    head = build(e_step=dict(type='mask'), loss_weights=(0.7, 0.3))
    samples = make_samples(['pixel', supervision, 'pixel', supervision, supervision])
    samples[3].gt_sem_seg.data[:, 4:] = 255
    samples[4].valid.data[:, 8:] = 0
    features = make_features(5)
    losses = head.loss(features, samples, None)
    nll = -head(features).log_softmax(1)
    for name, weight, members in ('strong', 0.7, STRONG), ('weak', 0.3, WEAK):
        pixels = [nll[i, label, y, x] for i in members
                  for y, row in enumerate(samples[i].gt_sem_seg.data[0, ::2, ::2].tolist())
                  for x, label in enumerate(row) if label != 255 and not (i == 4 and y >= 4)]
        torch.testing.assert_close(losses[f'{name}.loss_ce'], weight * sum(pixels) / len(pixels))


def test_the_gradient_is_that_of_the_scores_without_biases():
    """d loss / d f = (softmax(f) - one-hot) / pixels, with biases that decide all labels."""
    head = build(e_step=dict(type='fixed', bias_bg=0., bias_fg=1000.), loss_weights=(1., 1.))
    features, samples = make_batch(['image'])
    logits = []

    def keep(module, inputs, output):
        output.retain_grad()
        logits.append(output)
    head.head.register_forward_hook(keep)
    head.loss(features, samples, None)['weak.loss_ce'].backward()
    logits, = logits
    expected = logits.detach().softmax(1)
    expected[:, 1] -= 1
    torch.testing.assert_close(logits.grad, expected / logits[0, 0].numel())


@pytest.mark.parametrize('e_step, estimate', [
    ('fixed', lambda f, valid: fixed_bias_labels(f, TAGS[:2])),
    ('adapt', lambda f, valid: adaptive_bias_labels(f, TAGS[:2], valid=valid))])
def test_padding_is_not_labelled(e_step, estimate):
    """Nor do its scores count: EM-Adapt's portions are of the image."""
    head = build(e_step=dict(type=e_step), loss_weights=(1., 1.))
    features, samples = make_batch(['image', 'image'])
    samples[1].valid.data[:, 8:] = False
    features[0][1, :, 4:] *= 5
    logits = head(features)
    valid = torch.ones(2, 8, 8)
    valid[1, 4:] = 0
    labels = estimate(logits, valid).masked_fill(valid == 0, 255)
    torch.testing.assert_close(head.loss(features, samples, None)['weak.loss_ce'],
                               cross_entropy(logits, labels))


@pytest.mark.parametrize('bias_bg, best', [(0., 1), (100., 0)])
def test_labels_of_the_crop(bias_bg, best):
    """Class 2 of the image has no box in the crop, so it has no advantage there; the background,
    which never has a box, keeps its own."""
    head = build(e_step=dict(type='fixed', bias_fg=50., bias_bg=bias_bg), labels_from='crop',
                 loss_weights=(1., 1.))
    features, samples = make_batch(['box'])
    samples[0].gt_tags = torch.ones(3, dtype=torch.uint8)
    samples[0].gt_boxes = InstanceData(
        bboxes=torch.tensor([[1., 1., 5., 5.]]), labels=torch.tensor([1]))
    logits = head(features)
    torch.testing.assert_close(
        head.loss(features, samples, None)['weak.loss_ce'],
        cross_entropy(logits, torch.full((1, 8, 8), best)))


@pytest.mark.parametrize('kinds, empty', [(['pixel'] * 2, 'weak'), (['image'] * 2, 'strong')])
def test_a_kind_that_the_batch_does_not_have(kinds, empty):
    head = build()
    features, samples = make_batch(kinds)
    losses = head.loss(features, samples, None)
    assert losses[f'{empty}.loss_ce'] == 0 and losses[f'{empty}.loss_ce'].requires_grad
    gradients = backward(head, losses)
    assert all(gradient is not None and gradient.isfinite().all()
               for gradient in gradients.values())
    assert all(value.isfinite().all() for value in losses.values())


def test_an_e_step_by_its_name():
    head, same = build(e_step='box'), build(e_step=dict(type='box'))
    assert (head.e_step, head.options) == (same.e_step, same.options) == ('box', {})


@pytest.mark.parametrize('options, error, message', [
    (dict(e_step='fix'), ValueError, "adapt, box, mask; got 'fix'"),
    (dict(e_step=dict(type='fix')), ValueError, "fixed, adapt, box, mask; got 'fix'"),
    (dict(e_step=dict(type='adapt', rho_bg=2)), ValueError, 'rho_bg'),
    (dict(e_step=dict(type='box', rho_bg=0.4)), TypeError, 'rho_bg'),
    (dict(e_step=dict(type='mask', bias_fg=1.)), TypeError, 'bias_fg'),
    (dict(labels_from='crops'), ValueError, "'image' or 'crop', got 'crops'"),
    (dict(labels_from='crop', e_step=dict(type='box')), ValueError, 'has the labels of the crop'),
    (dict(labels_from='crop', e_step=dict(type='mask')), ValueError, 'has the labels of the crop'),
    (dict(inner=dict(num_classes=2, out_channels=1, threshold=0.5)), ValueError,
     'FCNHead predicts one channel: set out_channels=num_classes'),
    (dict(inner=dict(loss_decode=dict(type='CrossEntropyLoss'))), ValueError,
     'CrossEntropyLoss of FCNHead .*: set avg_non_ignore=True'),
    (dict(inner=dict(loss_decode=[
        dict(type='CrossEntropyLoss', avg_non_ignore=True),
        dict(type='CrossEntropyLoss', loss_name='loss_2')])), ValueError, 'avg_non_ignore=True')])
def test_wrong_options_are_found_when_the_head_is_built(options, error, message):
    with pytest.raises(error, match=message):
        build(**options)


@pytest.mark.parametrize('options, message', [
    (dict(), r'img_0.jpg: it has no tags'),
    (dict(e_step=dict(type='box')), r"img_0.jpg: it has no mask.*PseudoMask\(kind='rect'\)"),
    (dict(e_step=dict(type='mask')),
     r"img_0.jpg: it has no mask.*PseudoMask\(kind='rect'\).*supervision='pseudo'"),
    (dict(labels_from='crop'), 'img_0.jpg: it has no boxes')])
def test_labels_that_are_missing(options, message):
    head = build(**options)
    features, samples = make_batch(['box' if 'PseudoMask' in message else 'image'])
    if 'labels_from' not in options:
        del samples[0].gt_tags
    with pytest.raises(ValueError, match=message):
        head.loss(features, samples, None)


@pytest.mark.parametrize('e_step', ['fixed', 'adapt', 'box', 'mask'])
def test_clicks_keep_their_class_whatever_the_estimate(e_step):
    """Single pixels of a map that is twice as large, right and wrong ones."""
    head = build(e_step=dict(type=e_step), loss_weights=(1., 1.))
    features, samples = make_batch(['point'], weak_masks=True)
    logits = head(features).detach()
    samples[0].gt_tags = torch.ones(3, dtype=torch.uint8)

    def loss_with(classes):
        samples[0].gt_sem_seg.data.fill_(255)
        for (y, x), label in zip([(1, 1), (6, 9), (15, 15)], classes):
            samples[0].gt_sem_seg.data[0, y, x] = label
        torch.manual_seed(1)  # the order of EM-Adapt
        return head.loss(features, samples, None)['weak.loss_ce']

    torch.manual_seed(1)
    labels = dict(
        fixed=lambda: fixed_bias_labels(logits, samples[0].gt_tags[None]),
        adapt=lambda: adaptive_bias_labels(logits, samples[0].gt_tags[None]),
        box=lambda: box_bias_labels(logits, torch.full((1, 8, 8), 255)),
        mask=lambda: torch.full((1, 8, 8), 255))[e_step]()
    for (y, x), label in zip([(1, 1), (3, 5), (7, 7)], (1, 0, 2)):
        labels[0, y, x] = label
    torch.testing.assert_close(loss_with((1, 0, 2)), cross_entropy(logits, labels))
    assert loss_with((1, 0, 2)) != loss_with((0, 1, 1))


@pytest.mark.parametrize('tags', [None, [1, 0, 0]])
@pytest.mark.parametrize('e_step', ['fixed', 'adapt', 'box', 'mask'])
def test_scribbles_on_the_background_alone_do_not_say_that_an_image_is_empty(e_step, tags):
    """Its tags may. The scores favour class 2 by more than any bias."""
    head = build(e_step=dict(type=e_step), loss_weights=(1., 1.))
    head.head.conv_seg.bias.data[2] = 50
    features, samples = make_batch(['scribble'], weak_masks=True)
    samples[0].gt_sem_seg.data.fill_(255)[:, :2] = 0
    del samples[0].gt_tags
    if tags:
        samples[0].gt_tags = torch.tensor(tags, dtype=torch.uint8)
    labels = torch.full((1, 8, 8), 0 if tags else 255 if e_step == 'mask' else 2)
    labels[:, :2] = 0  # as wide as `shrink_clicks` makes it
    torch.testing.assert_close(head.loss(features, samples, None)['weak.loss_ce'],
                               cross_entropy(head(features), labels))


def test_two_branches_estimate_labels_from_their_own_scores():
    torch.manual_seed(0)
    inner = dict(type='mmseg_wss.MixedDualHead', num_classes=CLASSES, mix_ratio=(2, 1),
                 feature_head=dict(FEATURE_HEADS['fcn'], dropout_ratio=0.))
    head = MODELS.build(dict(type='mmseg_wss.EMHead', head=inner, e_step=dict(type='fixed'))).eval()
    features, samples = make_batch()
    shared = head.head.feature_head(features)
    strong, weak = head.head.strong_branch(shared), head.head.weak_branch(shared)
    masks = torch.cat([samples[i].gt_sem_seg.data for i in STRONG])[:, ::2, ::2]
    mixed = fixed_bias_labels(strong[WEAK[:1]], TAGS[:1])
    losses = head.loss(features, samples, None)
    torch.testing.assert_close(losses['weak.loss_ce'], 0.3 * cross_entropy(
        weak[WEAK], fixed_bias_labels(weak[WEAK], TAGS)))
    torch.testing.assert_close(losses['strong.loss_ce'], 0.7 * cross_entropy(
        strong[STRONG + WEAK[:1]], torch.cat((masks, mixed))))
