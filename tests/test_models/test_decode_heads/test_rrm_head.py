"""RRM's head: what trains what, and when."""
import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from mmseg.utils import register_all_modules

from mmseg_wss.models.decode_heads import rrm_head
from mmseg_wss.registry import MODELS

register_all_modules()
SIDE = 32


def build(**options):
    torch.manual_seed(0)
    head = MODELS.build(dict(type='mmseg_wss.RRMHead', in_channels=6, channels=5, num_classes=4,
                             dilation=2, cls_dropout_ratio=0., scales=(1., 2.), **options))
    head.init_weights()
    return head


def make_batch(tags=((1, 1, 0, 0), (1, 0, 1, 1)), seed=0):
    """Features at stride 4, the same at twice the scale, samples and an image of patches."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.rand(len(tags), 6, SIDE // 4, SIDE // 4, generator=generator)
    samples = []
    for i, tag in enumerate(tags):
        sample = SegDataSample(metainfo=dict(supervision='image', img_path=f'{i}.jpg'))
        sample.gt_tags = torch.tensor(tag, dtype=torch.uint8)
        valid = torch.ones(1, SIDE, SIDE, dtype=torch.bool)
        valid[:, SIDE - 4:] = False
        sample.valid = PixelData(data=valid)
        samples.append(sample)
    image = F.interpolate(
        torch.randint(256, (len(tags), 3, 4, 4), generator=generator).float(), size=SIDE)
    return [features.requires_grad_()], samples, image, [[F.interpolate(features.detach(),
                                                                        scale_factor=2.)]]


def losses_of(head, **more):
    inputs, samples, image, scaled = make_batch(**more)
    return head.loss(inputs, samples, None, image=image, scaled_inputs=scaled), inputs[0]


def gradients(head, loss):
    head.zero_grad(set_to_none=True)
    loss.backward()
    return {name: p.grad for name, p in head.named_parameters()}


def test_scores_are_the_means_of_the_unrectified_activation_maps():
    head = build().eval()
    features = make_batch()[0]
    maps = torch.einsum('kc,nchw->nkhw', head.classifier.weight[:, :, 0, 0], features[0])
    torch.testing.assert_close(head.activation_maps(features), maps.clamp(min=0))
    torch.testing.assert_close(head.classify(features), maps.mean((2, 3)))


def test_classification_loss_is_that_of_independent_tags():
    head = build()
    losses, _ = losses_of(head)
    p = head.tag_scores(make_batch()[0])
    y = torch.tensor([[1., 0., 0.], [0., 1., 1.]])
    torch.testing.assert_close(
        losses['loss_cls'], -(y * p.log() + (1 - y) * (1 - p).log()).mean())


def test_each_loss_trains_its_own_branch():
    head = build()
    losses, features = losses_of(head)
    assert (losses['labelled'] > 0) and losses['loss_energy'] != 0
    trained = {name for name, grad in gradients(head, losses['loss_cls']).items()
               if grad is not None and grad.abs().sum() > 0}
    assert trained == {'classifier.weight'}
    losses, features = losses_of(head)
    trained = {name for name, grad in gradients(
        head, losses['loss_ce'] + losses['loss_energy']).items()
        if grad is not None and grad.abs().sum() > 0}
    assert trained == {'hidden.conv.weight', 'hidden.conv.bias', 'conv_seg.weight', 'conv_seg.bias'}
    assert features.grad.abs().sum() > 0


def test_labels_come_from_the_mean_of_the_scales_and_the_tags(monkeypatch):
    seen = {}

    def mine(image, cams, tags, valid, **options):
        seen.update(image=image, cams=cams, tags=tags, valid=valid, options=options)
        return torch.full(valid.shape, 255)

    monkeypatch.setattr(rrm_head, 'mine_labels', mine)
    head = build(labels=dict(ratio=0.2))
    losses, _ = losses_of(head)
    inputs, samples, image, scaled = make_batch()
    size = dict(size=(SIDE, SIDE), mode='bilinear', align_corners=False)
    maps = (F.interpolate(head.activation_maps(inputs), **size)
            + F.interpolate(head.activation_maps(scaled[0]), **size)).detach() / 2
    maps[:, :, SIDE - 4:] = 0
    expected = maps * seen['tags'][:, :, None, None]
    expected = expected / (expected.amax((2, 3), keepdim=True) + 1e-5)
    torch.testing.assert_close(seen['cams'], expected)
    assert not seen['cams'].requires_grad
    assert seen['options'] == dict(ratio=0.2) and torch.equal(seen['image'], image)
    assert seen['tags'].tolist() == [[1, 0, 0], [0, 1, 1]]
    assert not seen['valid'][:, SIDE - 4:].any() and seen['valid'][:, :SIDE - 4].all()
    assert losses['loss_ce'] == 0  # no pixel is labelled


def test_while_classifying_only_the_segmentation_branch_rests(monkeypatch):
    monkeypatch.setattr(rrm_head, 'mine_labels', lambda *a, **k: pytest.fail('labels were mined'))
    head = build()
    head.classify_only = True
    assert head.extra_scales == ()
    losses, _ = losses_of(head)
    assert losses['loss_ce'] == 0 and losses['loss_energy'] == 0 and losses['loss_cls'] > 0
    grads = gradients(head, sum(v for k, v in losses.items() if 'loss' in k))
    assert all(grad is not None for grad in grads.values())  # DDP waits for every parameter
    assert grads['conv_seg.weight'].abs().sum() == 0 < grads['classifier.weight'].abs().sum()
    head.classify_only = False
    assert head.extra_scales == (2., )


def test_both_phases_log_the_same_losses():
    head = build(loss_energy=None)
    everything = {k for k in losses_of(head)[0] if 'loss' in k}
    head.classify_only = True
    assert {k for k in losses_of(head)[0] if 'loss' in k} == everything == {'loss_cls', 'loss_ce'}


def test_images_without_any_object_teach_that_there_is_none():
    """No class of the classifier, and background all over for the other branch."""
    head = build(loss_energy=None)
    losses, _ = losses_of(head, tags=((1, 0, 0, 0), (1, 0, 0, 0)))
    inputs, *_ = make_batch()
    scores, logits = head.classify(inputs), head(inputs)
    torch.testing.assert_close(losses['loss_cls'], -F.logsigmoid(-scores).mean())
    logits = F.interpolate(logits, size=(SIDE, SIDE), mode='bilinear')[..., :SIDE - 4, :]
    labels = torch.zeros(2, SIDE - 4, SIDE, dtype=torch.long)
    torch.testing.assert_close(losses['loss_ce'], F.cross_entropy(logits, labels))
    assert losses['mAP'] == 0 and losses['labelled'] == 1 - 4 / SIDE


def test_a_sample_without_tags_is_named():
    inputs, samples, image, scaled = make_batch()
    del samples[1].gt_tags
    with pytest.raises(ValueError, match="1.jpg.*no tags.*supervision='image'"):
        build().loss(inputs, samples, None, image=image, scaled_inputs=scaled)


def test_the_trained_scale_must_be_there():
    with pytest.raises(ValueError, match='scales=.0.5, 2.*1, the scale'):
        MODELS.build(dict(type='mmseg_wss.RRMHead', in_channels=6, num_classes=4, scales=(0.5, 2)))


def test_prediction_reads_the_segmentation_branch_alone():
    head = build().eval()
    inputs = make_batch()[0]
    before = head(inputs)
    other = copy.deepcopy(head)
    torch.nn.init.zeros_(other.classifier.weight)
    assert before.shape == (2, 4, SIDE // 4, SIDE // 4) and torch.equal(other(inputs), before)
