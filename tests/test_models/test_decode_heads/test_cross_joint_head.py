"""Groups are what their members' probabilities add up to; each image trains with its own labels."""
import pytest
import torch
import torch.nn.functional as F
from dataset_bench import make_root
from head_bench import FEATURE_HEADS, backward, make_features, make_samples
from mmengine.dataset import pseudo_collate
from mmseg.models.decode_heads.decode_head import BaseDecodeHead

from mmseg_wss.models.decode_heads.channel_groups import group_channels
from mmseg_wss.registry import DATASETS, MODELS

GROUPS = [[0, 3, 4], [2], [1]]  # 5 classes of the head, 3 groups
OWN, GROUPED = 'abcde', 'xyz'


def build(**options):
    torch.manual_seed(0)
    inner = dict(FEATURE_HEADS['fcn'], num_classes=5, dropout_ratio=0., norm_cfg=None,
                 loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))
    return MODELS.build(dict(
        dict(type='mmseg_wss.CrossJointHead', head=inner, groups=GROUPS), **options)).train()


def make_batch(classes):
    samples = make_samples(['pixel'] * len(classes))
    for sample, names in zip(samples, classes):
        sample.set_metainfo(dict(classes=tuple(names)))
        if names == OWN:
            sample.gt_sem_seg.data[:, :5, :5] = 4  # a class that no group is numbered by
    return make_features(len(classes)), samples


def cross_entropy(logits, samples):
    labels = torch.cat([sample.gt_sem_seg.data for sample in samples])
    return F.cross_entropy(F.interpolate(logits, (16, 16), mode='bilinear'), labels,
                           ignore_index=255)


def test_probabilities_of_groups_are_sums():
    logits = 5 * torch.randn(2, 5, 4, 3, generator=torch.Generator().manual_seed(0))
    probs = logits.softmax(1)
    expected = torch.stack([sum(probs[:, i] for i in group) for group in GROUPS], 1)
    torch.testing.assert_close(group_channels(logits, GROUPS).softmax(1), expected)


def test_the_gradient_of_a_group_is_shared_by_probability():
    logits = torch.randn(1, 5, 1, 1, dtype=torch.float64,
                         generator=torch.Generator().manual_seed(0)).requires_grad_()
    group_channels(logits, GROUPS)[0, 0].sum().backward()
    shares = logits.detach()[0, [0, 3, 4], 0, 0].softmax(0)
    torch.testing.assert_close(logits.grad[0, :, 0, 0], torch.stack(
        [shares[0], *shares.new_zeros(2), *shares[1:]]))


def test_losses_by_formula():
    head = build(loss_weights=(0.5, 2.))
    features, samples = make_batch([GROUPED, OWN, OWN, GROUPED])
    losses = head.loss(features, samples, None)
    logits = head.head(features)
    probs = logits[[0, 3]].softmax(1)
    grouped = torch.stack([sum(probs[:, i] for i in group) for group in GROUPS], 1).log()
    torch.testing.assert_close(
        losses['own.loss_ce'], 0.5 * cross_entropy(logits[[1, 2]], samples[1:3]))
    # the logarithm of probabilities and the logits of groups differ by a number per pixel, which
    # interpolation keeps and a softmax does not see
    torch.testing.assert_close(
        losses['grouped.loss_ce'], 2. * cross_entropy(grouped, [samples[0], samples[3]]))
    assert all(grad is not None and grad.isfinite().all()
               for grad in backward(head, losses).values())


def test_it_predicts_groups():
    head = build().eval()
    features = make_features(2)
    assert (head.num_classes, head.out_channels) == (3, 3)
    assert torch.equal(head(features), group_channels(head.head(features), GROUPS))
    predicted = head.predict(features, [dict(img_shape=(16, 16))] * 2, {})
    torch.testing.assert_close(predicted, F.interpolate(
        head(features), (16, 16), mode='bilinear', align_corners=False))


def test_weak_images_of_the_larger_data_set_are_labelled_by_em():
    inner = dict(FEATURE_HEADS['fcn'], num_classes=5, norm_cfg=None,
                 loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))
    head = build(head=dict(type='mmseg_wss.EMHead', head=inner, e_step=dict(type='fixed')))
    assert isinstance(head.head.head, BaseDecodeHead) and head.num_classes == 3
    features, samples = make_batch([OWN, OWN, GROUPED])
    samples[1].set_metainfo(dict(supervision='image'))
    samples[1].gt_tags = torch.tensor([1, 0, 0, 1, 0], dtype=torch.uint8)
    del samples[1].gt_sem_seg
    losses = head.loss(features, samples, None)
    assert {'own.strong.loss_ce', 'own.weak.loss_ce', 'grouped.loss_ce'} < set(losses)
    assert all(losses[key] > 0 for key in losses if 'loss' in key)


@pytest.mark.parametrize('groups', [
    [[0, 3], [2], [1]], [[0, 3, 4, 1], [2], [1]], [[0, 3, 5], [2], [1]], []])
def test_groups_that_are_no_partition_are_named(groups):
    with pytest.raises(ValueError, match='each of the 5 classes'):
        build(groups=groups)


def test_groups_of_one_class_each_are_refused():
    with pytest.raises(ValueError, match='as many groups as classes, 5'):
        build(groups=[[4], [1], [2], [3], [0]])


@pytest.mark.parametrize('classes, match', [
    ([OWN, OWN], 'no image with labels of 3 classes'),
    ([GROUPED, GROUPED], 'no image with labels of 5 classes'),
    ([OWN, 'abcd', GROUPED], 'img_1.jpg.*has 4 classes.*5 or 3'),
    ([OWN, '', GROUPED], 'img_1.jpg.*has unknown classes')])
def test_a_batch_of_other_data_is_refused(classes, match):
    with pytest.raises(ValueError, match=match):
        build().loss(*make_batch(classes), None)


def test_data_sets_with_different_classes_in_one_batch(tmp_path):
    """From the files to the losses: three classes of one devkit, of which another knows two."""
    make_root(tmp_path)
    pipeline = [dict(type='LoadImageFromFile'), dict(type='mmseg_wss.LoadWeakLabels'),
                dict(type='mmseg_wss.PackWeakSegInputs')]
    source = dict(type='mmseg_wss.VOCWeakSegDataset', data_root=str(tmp_path), pipeline=pipeline,
                  ann_file='ImageSets/Segmentation/strong.txt')
    both = DATASETS.build(dict(
        type='ConcatDataset', ignore_keys=['classes', 'palette'], datasets=[
            dict(source, metainfo=dict(classes=['background', *names]))
            for names in (['red', 'green', 'x', 'y'], ['red', 'green'])]))
    model = MODELS.build(dict(
        type='mmseg_wss.WeakEncoderDecoder',
        data_preprocessor=dict(type='mmseg_wss.WeakSegDataPreprocessor', mean=[127.5] * 3,
                               std=[127.5] * 3, size=(24, 32)),
        backbone=dict(type='mmseg.UNet', base_channels=4, num_stages=2, strides=(1, 1),
                      enc_num_convs=(1, 1), dec_num_convs=(1, ), downsamples=(True, ),
                      enc_dilations=(1, 1), dec_dilations=(1, )),
        decode_head=dict(
            type='mmseg_wss.CrossJointHead', groups=[[0, 3, 4], [1], [2]],
            head=dict(type='FCNHead', in_channels=4, channels=4, num_convs=0, in_index=1,
                      concat_input=False, num_classes=5, loss_decode=dict(
                          type='CrossEntropyLoss', avg_non_ignore=True)))))
    half = len(both) // 2
    batch = model.data_preprocessor(pseudo_collate([both[0], both[half]]), training=True)
    losses = model(**batch, mode='loss')
    assert all(losses[f'decode.{part}.loss_ce'] > 0 for part in ('own', 'grouped'))
