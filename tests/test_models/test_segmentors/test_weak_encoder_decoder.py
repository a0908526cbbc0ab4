"""One backbone pass for all heads, the image for those that ask, and mmseg's numbers elsewhere."""
import copy

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData, PixelData
from mmseg.models import FCNHead
from mmseg.structures import SegDataSample
from mmseg.utils import register_all_modules

from mmseg_wss.errors import ConfigError, DataError
from mmseg_wss.models.segmentors.network_checks import check_segmentor
from mmseg_wss.registry import MODELS

register_all_modules()
BACKBONE = dict(
    type='UNet', in_channels=3, base_channels=4, num_stages=2, strides=(1, 1), enc_num_convs=(1, 1),
    dec_num_convs=(1, ), downsamples=(True, ), enc_dilations=(1, 1), dec_dilations=(1, ))
HEAD = dict(
    type='FCNHead', in_channels=4, in_index=1, channels=4, num_convs=1, concat_input=False,
    dropout_ratio=0., num_classes=3, loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))
COARSE = dict(HEAD, in_channels=8, in_index=0)
TWO_BRANCHES = dict(type='mmseg_wss.MixedDualHead', num_classes=3, feature_head=HEAD)


@MODELS.register_module()
class HeadThatSeesTheImage(FCNHead):
    takes_image = True

    def loss(self, inputs, batch_data_samples, train_cfg, image):
        self.image = image
        return super().loss(inputs, batch_data_samples, train_cfg)


SEES = dict(HEAD, type='mmseg_wss.HeadThatSeesTheImage')


def build(type_='mmseg_wss.WeakEncoderDecoder', head=HEAD, test_cfg=dict(mode='whole'), **options):
    torch.manual_seed(0)
    return MODELS.build(ConfigDict(copy.deepcopy({**dict(
        type=type_, backbone=BACKBONE, decode_head=head, train_cfg=dict(), test_cfg=test_cfg,
        data_preprocessor=dict(
            type='mmseg_wss.WeakSegDataPreprocessor', mean=[120., 110., 100.],
            std=[50., 60., 70.], size_divisor=8)), **options})))


def make_batch(sizes=((16, 24), (16, 24)), kinds=('pixel', 'box')):
    generator = torch.Generator().manual_seed(0)
    batch = dict(inputs=[], data_samples=[])
    for size, kind in zip(sizes, kinds):
        batch['inputs'].append(
            torch.randint(256, (3, *size), dtype=torch.uint8, generator=generator))
        sample = SegDataSample(metainfo=dict(
            supervision=kind, img_path='img.jpg', ori_shape=size, img_shape=size))
        sample.gt_sem_seg = PixelData(data=torch.randint(3, (1, *size), generator=generator))
        batch['data_samples'].append(sample)
    return batch


def losses_of(model, batch=None):
    data = model.data_preprocessor(batch or make_batch(), True)
    return model.loss(data['inputs'], data['data_samples'])


# ---- losses

@pytest.mark.parametrize('auxiliary', [None, COARSE, [COARSE, HEAD]], ids=['none', 'one', 'two'])
def test_losses_equal_those_of_mmseg_bit_for_bit(auxiliary):
    theirs, ours = (losses_of(build(name, auxiliary_head=auxiliary))
                    for name in ('EncoderDecoder', 'mmseg_wss.WeakEncoderDecoder'))
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_one_backbone_pass_serves_a_two_branch_head_and_two_auxiliary_heads():
    model, calls = build(head=TWO_BRANCHES, auxiliary_head=[COARSE, HEAD]), []
    model.backbone.register_forward_hook(lambda *args: calls.append(1))
    assert {name for name in losses_of(model) if 'loss' in name} == {
        'decode.strong.loss_ce', 'decode.weak.loss_ce', 'aux_0.loss_ce', 'aux_1.loss_ce'}
    assert calls == [1]


# ---- what does not fit

TAGS_ALONE = dict(type='mmseg_wss.EMHead', head=HEAD, e_step=dict(type='fixed'))


def batch_with_tags():
    """The second image has tags alone."""
    batch = make_batch(kinds=('pixel', 'image'))
    batch['data_samples'][1].gt_tags = torch.tensor([1, 0, 1])
    del batch['data_samples'][1].gt_sem_seg
    return batch


def test_auxiliary_heads_learn_from_the_images_that_have_masks():
    model = build(head=TAGS_ALONE, auxiliary_head=[COARSE, HEAD]).eval()  # no batch statistics
    losses = losses_of(model, batch_with_tags())
    only = losses_of(model, make_batch(((16, 24), ), ('pixel', )))
    for key in 'aux_0.loss_ce', 'aux_1.loss_ce':
        assert only[key] > 0
        torch.testing.assert_close(losses[key], only[key])


@MODELS.register_module()
class HeadThatNeedsNoLabel(FCNHead):
    needs_masks = False

    def loss(self, inputs, batch_data_samples, train_cfg):
        return dict(loss_ce=self(inputs).mean())


NO_LABEL = dict(HEAD, type='mmseg_wss.HeadThatNeedsNoLabel')
MASKS, TAGS, NOTHING = ('pixel', ), ('image', ), ('none', )


def batch_of(*kinds):
    """Masks for true ones, tags and boxes for others, nothing for 'none'."""
    batch = make_batch(((16, 24), ) * len(kinds), kinds)
    for kind, sample in zip(kinds, batch['data_samples']):
        if kind not in MASKS:
            del sample.gt_sem_seg
        if kind in TAGS:
            sample.gt_tags = torch.tensor([1, 0, 1])
            sample.gt_boxes = InstanceData(
                bboxes=torch.tensor([[2., 3., 9., 9.]]), labels=torch.tensor([2]))
    return batch


def em(e_step, head=HEAD, **options):
    return dict(type='mmseg_wss.EMHead', head=head, e_step=e_step, **options)


def energy(head):
    return dict(type='mmseg_wss.DenseEnergyHead', head=head)


ATTENTION = dict(type='DAHead', pam_channels=4, in_channels=4, in_index=1, channels=4,
                 num_classes=3, loss_decode=HEAD['loss_decode'])
OF_TAGS = dict(type='mmseg_wss.RRMHead', in_channels=4, in_index=1, channels=4, num_classes=3,
               scales=(0.5, 1.), labels=dict(rule='cam'))
AUXILIARY = dict(  # the head, and which images it learns from
    bare=(COARSE, MASKS), two_branches=(dict(TWO_BRANCHES, kl_weight=1.), MASKS),
    mixed=(dict(TWO_BRANCHES, mix_ratio=(2, 1)), MASKS),
    energy=(energy(COARSE), MASKS), energy_of_branches=(energy(TWO_BRANCHES), MASKS),
    energy_of_em=(energy(em('fixed')), MASKS + TAGS),
    em_mask=(em('mask'), MASKS), em_box=(em('box'), MASKS), em_adapt=(em('adapt'), MASKS + TAGS),
    em_crop=(em('fixed', labels_from='crop'), MASKS + TAGS),
    em_of_branches=(em('fixed', TWO_BRANCHES), MASKS + TAGS),
    seeds=(dict(type='mmseg_wss.DSRGHead', head=HEAD), MASKS), tags=(OF_TAGS, TAGS),
    further_outputs=(ATTENTION, MASKS))


@pytest.mark.parametrize('name', AUXILIARY)
def test_auxiliary_heads_learn_from_what_they_can_and_rest_otherwise(name):
    """The keys of each step are the same, and each parameter has a gradient: all ranks agree."""
    head, learns = AUXILIARY[name]
    keys = set()
    for kinds in (MASKS, TAGS, NOTHING, MASKS + TAGS + NOTHING, NOTHING + MASKS, TAGS + TAGS):
        model = build(head=NO_LABEL, auxiliary_head=head)
        model.train()
        losses = losses_of(model, batch_of(*kinds, *kinds[-1:]))  # batch normalisation wants two
        keys.add(frozenset(losses))
        assert all(value.isfinite().all() for value in losses.values())
        own = {key: value for key, value in losses.items() if key.startswith('aux')}
        total = sum(value for key, value in own.items() if 'loss' in key)
        total.backward()
        gradients = [p.grad for p in model.auxiliary_head.parameters()]
        assert all(gradient is not None for gradient in gradients)
        rests = not set(kinds) & set(learns)
        assert all((gradient == 0).all() for gradient in gradients) == rests == (total == 0)
        if rests:
            assert all((value == 0).all() for value in own.values())
    assert len(keys) == 1


def test_a_resting_head_of_two_branches_owes_its_strong_branch_as_much_as_before():
    model = build(head=NO_LABEL, auxiliary_head=dict(TWO_BRANCHES, mix_ratio=(2, 1)))
    losses_of(model, batch_of(*MASKS))
    before = model.auxiliary_head.mix_carry.item()
    losses_of(model, batch_of(*NOTHING))
    assert before == model.auxiliary_head.mix_carry.item() == 1


def test_a_head_that_needs_masks_names_the_image_without_one():
    with pytest.raises(DataError, match="img.jpg: it has no mask .supervision='image'"):
        losses_of(build(), batch_with_tags())


def test_a_head_of_a_cascade_is_refused_when_the_model_is_built():
    head = dict(type='OCRHead', in_channels=4, channels=4, ocr_channels=4, num_classes=3,
                in_index=1, loss_decode=HEAD['loss_decode'])
    with pytest.raises(ConfigError, match='OCRHead needs prev_output as well. .*Cascade'):
        build(head=head)


ENERGY = dict(type='mmseg_wss.DenseEnergyHead', head=HEAD)
THEIR_PREPROCESSOR = dict(type='SegDataPreProcessor', mean=[120.] * 3, std=[50.] * 3, size=(16, 24))


@pytest.mark.parametrize('head', [ENERGY, TAGS_ALONE])
@pytest.mark.parametrize('place', ['head', 'auxiliary_head'])
def test_the_preprocessor_of_mmseg_is_refused_where_it_gives_too_little(head, place):
    with pytest.raises(ConfigError, match="Head .*type='mmseg_wss.WeakSegDataPreprocessor'"):
        build(data_preprocessor=THEIR_PREPROCESSOR, **{place: head})
    build(data_preprocessor=THEIR_PREPROCESSOR, head=TWO_BRANCHES)  # it reads masks alone


def test_the_segmentor_of_mmseg_is_refused_where_it_gives_too_little():
    with pytest.raises(ConfigError, match="DenseEnergyHead .*type='mmseg_wss.WeakEncoderDecoder'"):
        check_segmentor(build('EncoderDecoder', ENERGY))
    with pytest.raises(ConfigError, match="EMHead .*type='mmseg_wss.WeakSegDataPreprocessor'"):
        check_segmentor(build('EncoderDecoder', TAGS_ALONE, data_preprocessor=THEIR_PREPROCESSOR))
    check_segmentor(build('EncoderDecoder', TWO_BRANCHES))


def test_class_weights_that_fail_in_the_segmentor_of_mmseg_are_refused():
    loss = dict(HEAD['loss_decode'], class_weight=[1., 2., 5.])
    model = build('EncoderDecoder', dict(HEAD, loss_decode=loss))
    with pytest.raises(ConfigError, match="FCNHead has class_weight .*WeakEncoderDecoder"):
        check_segmentor(model)
    check_segmentor(build('EncoderDecoder', dict(HEAD, loss_decode=dict(
        loss, avg_non_ignore=False))))
    check_segmentor(build('EncoderDecoder', dict(TWO_BRANCHES, loss_decode=loss)))


def test_the_total_counts_every_head_even_if_their_losses_have_one_name():
    losses = losses_of(build(head=TWO_BRANCHES, auxiliary_head=[COARSE, COARSE]))
    total, _ = build().parse_losses(losses)
    names = ('decode.strong.loss_ce', 'decode.weak.loss_ce', 'aux_0.loss_ce', 'aux_1.loss_ce')
    assert total.item() == pytest.approx(sum(losses[name].item() for name in names), rel=1e-6)
    assert all(losses[name] > 0 for name in names)


def test_a_training_step_trains_the_backbone_through_the_auxiliary_head_too():
    def gradient(weight):
        model = build(auxiliary_head=dict(COARSE, loss_decode=dict(
            type='CrossEntropyLoss', loss_weight=weight, avg_non_ignore=True)))
        model.parse_losses(losses_of(model))[0].backward()
        return next(model.backbone.parameters()).grad

    assert not torch.allclose(gradient(0.), gradient(1.))


@pytest.mark.parametrize('head', [
    HEAD, dict(type='mmseg_wss.DenseEnergyHead', head=HEAD), TAGS_ALONE], ids=lambda h: h['type'])
@pytest.mark.parametrize('share', [0.5, 0., 1.])
def test_class_weights_are_those_of_pytorch(head, share):
    """mmseg's mean with class weights fails; PyTorch's is over the labelled pixels."""
    weights = [1., 2., 5.]
    inner = dict(HEAD, loss_decode=dict(
        type='CrossEntropyLoss', avg_non_ignore=True, class_weight=weights))
    model = build(head=dict(head, head=inner) if 'head' in head else inner)
    batch = make_batch(kinds=('pixel', 'pixel'))
    for sample in batch['data_samples']:
        sample.gt_sem_seg.data[..., :round(24 * share)] = 255
    loss = next(value for key, value in losses_of(model, batch).items() if key.endswith('loss_ce'))
    loss.backward()
    data = build(head=inner).data_preprocessor(batch, True)
    bare = getattr(model.decode_head, 'head', model.decode_head)
    logits = bare(model.extract_feat(data['inputs']))
    labels = torch.stack([sample.gt_sem_seg.data[0] for sample in data['data_samples']])
    expected = torch.nn.functional.cross_entropy(
        logits, labels, torch.tensor(weights), ignore_index=255) if share < 1 else 0 * logits.sum()
    weight = model.decode_head.loss_weights[0] if head is TAGS_ALONE else 1
    torch.testing.assert_close(loss, weight * expected)


# ---- the image

@pytest.mark.parametrize('place', ['decode', 'aux', 'aux_list'])
def test_a_head_that_takes_the_image_gets_rgb_in_0_to_255(place):
    model = build(head=SEES if place == 'decode' else HEAD,
                  auxiliary_head=dict(decode=None, aux=SEES, aux_list=[COARSE, SEES])[place])
    batch = make_batch(sizes=((13, 24), (16, 18)))
    losses_of(model, batch)
    head = dict(decode=lambda: model.decode_head, aux=lambda: model.auxiliary_head,
                aux_list=lambda: model.auxiliary_head[1])[place]()
    assert head.image.shape == (2, 3, 16, 24) and head.image.dtype == torch.float
    for bgr, rgb in zip(batch['inputs'], head.image):
        blue, green, red = bgr.float()
        torch.testing.assert_close(rgb[:, :bgr.shape[1], :bgr.shape[2]],
                                   torch.stack((red, green, blue)), atol=1e-3, rtol=0)


# ---- prediction

@pytest.mark.parametrize('test_cfg', [
    dict(mode='whole'), dict(mode='slide', crop_size=(16, 16), stride=(8, 8))], ids=['whole',
                                                                                   'slide'])
@pytest.mark.parametrize('head', [
    HEAD, TWO_BRANCHES, dict(TWO_BRANCHES, predict_branch=0.5)], ids=['one', 'strong', 'mean'])
def test_predictions_have_the_shape_of_the_image(head, test_cfg):
    model = build(head=head, test_cfg=test_cfg).eval()
    with torch.no_grad():
        sample, = model.test_step(make_batch(sizes=[(20, 28)]))
    assert sample.pred_sem_seg.shape == (20, 28)
    assert sample.seg_logits.data.shape == (3, 20, 28)
    assert torch.equal(sample.pred_sem_seg.data[0], sample.seg_logits.data.argmax(0))


def test_a_window_as_large_as_the_image_predicts_what_the_whole_does():
    def logits(**test_cfg):
        with torch.no_grad():
            return build(head=TWO_BRANCHES, test_cfg=test_cfg).eval().test_step(
                make_batch(sizes=[(16, 24)]))[0].seg_logits.data

    torch.testing.assert_close(logits(mode='slide', crop_size=(16, 24), stride=(8, 8)),
                               logits(mode='whole'))


def test_test_time_padding_is_cut_off_the_prediction():
    model, batch = build(head=TWO_BRANCHES).eval(), make_batch(sizes=[(13, 21)])
    model.data_preprocessor.test_cfg = dict(size_divisor=16)
    with torch.no_grad():
        padded = model(model.data_preprocessor(copy.deepcopy(batch))['inputs'])
        sample, = model.test_step(batch)
    assert padded.shape == (1, 3, 16, 32) and sample.pred_sem_seg.shape == (13, 21)
    torch.testing.assert_close(sample.seg_logits.data, padded[0, :, :13, :21])


@pytest.mark.parametrize('head', [HEAD, TWO_BRANCHES], ids=['one', 'strong'])
def test_test_time_augmentation_averages_and_keeps_the_shape(head):
    model = build(head=head).eval()
    batch = make_batch(sizes=[(16, 24)])
    flipped = dict(inputs=[batch['inputs'][0].flip(-1)],
                   data_samples=[copy.deepcopy(batch['data_samples'][0])])
    flipped['data_samples'][0].set_metainfo(dict(flip=True, flip_direction='horizontal'))
    both = {key: [copy.deepcopy(batch[key]), flipped[key]] for key in batch}
    tta = MODELS.build(dict(type='SegTTAModel', module=model))
    with torch.no_grad():
        merged, = tta.test_step(both)
        logits = [model(model.data_preprocessor(make_batch(sizes=[(16, 24)]))['inputs']),
                  model(model.data_preprocessor(flipped)['inputs']).flip(-1)]
    assert merged.pred_sem_seg.shape == (16, 24)
    mean = sum(one.softmax(1) for one in logits) / 2
    assert torch.equal(merged.pred_sem_seg.data.flatten(), mean.argmax(1).flatten())


def test_channels_last_gives_the_same_numbers():
    plain, last = build(), build(channels_last=True)
    assert any(p.is_contiguous(memory_format=torch.channels_last) and not p.is_contiguous()
               for p in last.parameters())
    last.load_state_dict(plain.state_dict())
    first, second = losses_of(plain), losses_of(last)
    for key in first:
        torch.testing.assert_close(first[key], second[key])
    for losses in (first, second):
        losses['decode.loss_ce'].backward()
    for a, b in zip(plain.parameters(), last.parameters()):
        torch.testing.assert_close(a.grad, b.grad)


# ---- scales, frozen normalisation, tags

@MODELS.register_module()
class HeadThatSeesScales(FCNHead):
    extra_scales = (0.5, 2.)

    def loss(self, inputs, batch_data_samples, train_cfg, scaled_inputs):
        self.scaled = scaled_inputs
        return super().loss(inputs, batch_data_samples, train_cfg)


SCALES = dict(HEAD, type='mmseg_wss.HeadThatSeesScales')


def test_a_head_gets_the_features_of_the_scales_it_names_without_gradient():
    model = build(head=SCALES)
    batch = model.data_preprocessor(make_batch(), True)
    model.loss(batch['inputs'], batch['data_samples'])
    assert [features[1].shape[-2:] for features in model.decode_head.scaled] == [(8, 12), (32, 48)]
    assert not any(f.requires_grad for features in model.decode_head.scaled for f in features)
    twice = torch.nn.functional.interpolate(
        batch['inputs'], scale_factor=2, mode='bilinear', align_corners=False)
    model = build(head=SCALES).eval()
    torch.testing.assert_close(model.loss(batch['inputs'], batch['data_samples']) and
                               model.decode_head.scaled[1][1], model.extract_feat(twice)[1])


def test_further_scales_do_not_touch_running_statistics_or_the_mode():
    def statistics(head):
        model = build(head=head).train()
        losses_of(model)
        assert all(module.training for module in model.modules())
        return model.state_dict()

    one, many = statistics(HEAD), statistics(SCALES)
    assert all(torch.equal(one[name], many[name]) for name in one if 'running' in name)


def test_frozen_normalisation_stays_what_it_was():
    model = build(frozen_norm=True).train()
    before = {name: value.clone() for name, value in model.backbone.state_dict().items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.parse_losses(losses_of(model))[0].backward()
    optimizer.step()
    after = model.backbone.state_dict()
    norms = {f'{name}.{key}' for name, module in model.backbone.named_modules()
             if isinstance(module, torch.nn.BatchNorm2d) for key in module.state_dict()}
    assert norms and {name for name in before if torch.equal(before[name], after[name])} == norms


def test_tag_scores_come_with_the_objects_of_the_mask():
    @MODELS.register_module(force=True)
    class HeadWithTags(FCNHead):
        predict_tags = True

        def tag_scores(self, inputs):
            return torch.tensor([[.25, .75]])

    model = build(head=dict(HEAD, type='mmseg_wss.HeadWithTags')).eval()
    batch = make_batch(sizes=[(16, 24)])
    batch['data_samples'][0].gt_sem_seg.data.fill_(255)
    batch['data_samples'][0].gt_sem_seg.data[0, :3] = torch.tensor([[0], [2], [2]])
    with torch.no_grad():
        sample, = model.test_step(batch)
    assert sample.pred_score.tolist() == [.25, .75] and sample.gt_score.tolist() == [0, 1]
    assert sample.pred_sem_seg.shape == (16, 24)
