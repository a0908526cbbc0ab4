"""Seeds grow by the CRF's probabilities; the losses know p, the grown seeds, and no padding."""
import pytest
import torch
import torch.nn.functional as F
from head_bench import FEATURE_HEADS, backward, make_features
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmseg_wss.models.losses.seeding import (
    balanced_seeding_loss,
    boundary_loss,
    floored_softmax,
)
from mmseg_wss.ops import dense_crf
from mmseg_wss.pseudo_labels import grow_seeds
from mmseg_wss.registry import MODELS

pytest.importorskip('scipy')


def build(classes=3, inner=dict(), **options):
    torch.manual_seed(0)
    inner = {**FEATURE_HEADS['fcn'], 'num_classes': classes, 'dropout_ratio': 0., **inner}
    return MODELS.build(dict(type='mmseg_wss.DSRGHead', head=inner, **options)).train()


def make_batch(classes=3, number=2):
    """Features of 8x8, images and seeds of 16x16: a quarter of the pixels are seeds."""
    generator = torch.Generator().manual_seed(0)
    image = F.interpolate(torch.randint(256, (number, 3, 4, 4), generator=generator).float(),
                          size=16)
    seeds = torch.randint(classes, (number, 1, 16, 16), generator=generator)
    seeds[torch.rand(seeds.shape, generator=generator) > 0.25] = 255
    return make_features(number), [make_sample(one, i) for i, one in enumerate(seeds)], image


def make_sample(seeds, i=0):
    sample = SegDataSample(metainfo=dict(img_path=f'img_{i}.jpg', supervision='pseudo'))
    sample.gt_sem_seg = PixelData(data=seeds)
    sample.valid = PixelData(data=torch.ones_like(seeds, dtype=torch.bool))
    return sample


def by_hand(start, image):
    """The release's CRF and what it does with the result, at every second pixel of the image."""
    refined = dense_crf(start, image[:, :, ::2, ::2], iterations=10, sxy_gaussian=0.25,
                        compat_gaussian=3, sxy_bilateral=80 / 12, srgb=13, compat_bilateral=10)
    refined = refined.clamp(min=1e-4)
    return refined / refined.sum(1, keepdim=True)


def seeds_of(samples):
    return torch.cat([sample.gt_sem_seg.data for sample in samples])[:, ::2, ::2]


@pytest.mark.parametrize('classes', [2, 3, 21])
@pytest.mark.parametrize('unary', ['log', 'prob'])
def test_losses_by_formula(classes, unary):
    thresholds = 1.2 / classes, 1.3 / classes
    head = build(classes, unary=unary, fg_threshold=thresholds[0], bg_threshold=thresholds[1],
                 loss_weights=(2., 3.))
    features, samples, image = make_batch(classes)
    before = seeds_of(samples).clone()
    losses = head.loss(features, samples, None, image=image)
    probs = floored_softmax(head(features)).detach()
    # energy -p is that of probabilities in proportion to exp(p)
    refined = by_hand(probs.exp() if unary == 'prob' else probs, image)
    grown = grow_seeds(refined, before, torch.ones(2, classes), *thresholds)
    torch.testing.assert_close(losses['loss_seed'], 2 * balanced_seeding_loss(probs, grown))
    torch.testing.assert_close(losses['loss_boundary'], 3 * boundary_loss(probs, refined))
    torch.testing.assert_close(losses['seeded'], (grown != 255).float().mean())
    assert (grown != before).any() and torch.equal(seeds_of(samples), before)
    assert set(losses) == {'loss_seed', 'loss_boundary', 'seeded'}


@pytest.mark.parametrize('tags', [None, [1, 1, 1], [1, 1, 0], [1, 0, 1], [1, 0, 0]])
def test_the_classes_of_an_image_are_its_tags_and_those_of_its_seeds(tags):
    """Seeds of class 1 alone, which is the image's even if no tag; class 2, the best of all
    everywhere, hides it if it is a tag, though it has no seed."""
    head = build(fg_threshold=0.2, bg_threshold=1., crf=dict(iterations=0))
    head.head.conv_seg.weight.data.zero_()
    head.head.conv_seg.bias.data = torch.tensor([0., 1., 1.2])
    features, samples, image = make_batch(number=1)
    seeds = samples[0].gt_sem_seg.data
    seeds[seeds != 255] = 1
    if tags is not None:
        samples[0].gt_tags = torch.tensor(tags, dtype=torch.uint8)
    losses = head.loss(features, samples, None, image=image)
    sown = (seeds_of(samples) != 255).float().mean()
    torch.testing.assert_close(losses['seeded'],
                               sown if tags and tags[2] else torch.tensor(1.))


def test_no_gradient_goes_through_the_crf():
    """The gradient with respect to the logits is that of losses whose q and seeds are given."""
    head = build(fg_threshold=0.3, bg_threshold=0.4)
    features, samples, image = make_batch()
    kept = []

    def keep(module, inputs, output):
        output.retain_grad()
        kept.append(output)
    head.head.register_forward_hook(keep)
    losses = head.loss(features, samples, None, image=image)
    (losses['loss_seed'] + losses['loss_boundary']).backward()
    logits = kept[0].detach().requires_grad_()
    probs = floored_softmax(logits)
    refined = by_hand(probs.detach(), image)
    grown = grow_seeds(refined, seeds_of(samples), torch.ones(2, 3), 0.3, 0.4)
    (balanced_seeding_loss(probs, grown) + boundary_loss(probs, refined)).backward()
    torch.testing.assert_close(kept[0].grad, logits.grad)
    assert logits.grad.abs().sum() > 0


@pytest.mark.parametrize('filling', [255, 1])
def test_padding_takes_no_part(filling):
    """Whatever colour or label it has; beside an image of full size or alone."""
    head = build(fg_threshold=0.3, bg_threshold=0.4).eval()
    features, samples, image = make_batch(number=1)
    expected = head.loss(features, samples, None, image=image)
    padding = 0, 8, 0, 4
    features = [F.pad(one, (0, 4, 0, 2)) for one in features[:1]]  # zeros, as a convolution pads
    sample = make_sample(F.pad(samples[0].gt_sem_seg.data, padding, value=filling))
    sample.valid.data[:, 16:] = sample.valid.data[:, :, 16:] = False
    image = F.pad(image, padding, value=77.)
    losses = head.loss(features, [sample], None, image=image)
    torch.testing.assert_close(losses, expected)


def test_images_without_seeds_still_learn_from_their_edges():
    head = build()
    features, samples, image = make_batch()
    for sample in samples:
        sample.gt_sem_seg.data.fill_(255)
    losses = head.loss(features, samples, None, image=image)
    assert losses['loss_seed'] == 0 and losses['seeded'] == 0 and losses['loss_boundary'] > 0
    assert all(grad.isfinite().all() for grad in backward(head, losses).values())


def test_a_network_that_sees_colours_learns_an_object_from_two_seeds():
    """A bright square on dark ground: the seeds grow until they label all of it, rightly."""
    truth = torch.zeros(1, 1, 16, 16, dtype=torch.long)
    truth[..., 4:12, 6:14] = 1
    image = 40 + 180. * truth.expand(1, 3, 16, 16).float()
    features = [torch.cat((image / 128 - 1, torch.ones(1, 1, 16, 16)), 1)]
    seeds = torch.full_like(truth[0], 255)
    seeds[0, 0, 0], seeds[0, 8, 8] = 0, 1
    head = build(2, dict(num_convs=0, channels=4, kernel_size=1))
    torch.nn.init.zeros_(head.head.conv_seg.weight)
    torch.nn.init.zeros_(head.head.conv_seg.bias)
    optimizer = torch.optim.SGD(head.parameters(), lr=1.)
    seeded = []
    for _ in range(30):
        losses = head.loss(features, [make_sample(seeds)], None, image=image)
        seeded.append(float(losses['seeded']))
        optimizer.zero_grad()
        (losses['loss_seed'] + losses['loss_boundary']).backward()
        optimizer.step()
    assert seeded[0] < 0.5 and seeded[-1] == 1
    assert torch.equal(head(features).argmax(1), truth[0])


@pytest.mark.parametrize('options, message', [
    (dict(unary='probs'), "'log' or 'prob', got 'probs'"),
    (dict(classes=2, inner=dict(out_channels=1, threshold=0.5)), 'one channel')])
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_a_sample_without_seeds():
    features, samples, image = make_batch()
    del samples[1].gt_sem_seg
    with pytest.raises(ValueError, match="img_1.jpg: it has no seeds.*supervision='pseudo'"):
        build().loss(features, samples, None, image=image)


def test_an_option_of_the_crf_replaces_the_papers():
    head = build(crf=dict(sxy_bilateral=7.))
    assert head.crf['sxy_bilateral'] == 7. and head.crf['compat_bilateral'] == 10
