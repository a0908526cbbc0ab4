"""What every two-branch head must do, as a class of tests to inherit.

A head's test names the head and, if it mixes, what its `mix_ratio` means for the bench's batch::

    class TestMyHead(HeadBench):
        head = dict(type='mmseg_wss.MyHead', mix_ratio=(2, 1))
        mixed = 1
"""
import copy
import pickle
import re

import pytest
import torch
import torch.nn.functional as F
from mmengine.runner.checkpoint import load_state_dict
from mmengine.structures import PixelData
from mmseg.models.decode_heads import FCNHead
from mmseg.structures import SegDataSample
from mmseg.utils import register_all_modules

from mmseg_wss.errors import ConfigError
from mmseg_wss.registry import MODELS

register_all_modules()
CLASSES = 3
COMPOSITIONS = {'strong': ['pixel'] * 4, 'weak': ['box'] * 4, 'both': ['pixel', 'box'] * 2}
# of one stage, three upsampled and concatenated stages, a pyramid, and a transformer's stages
FEATURE_HEADS = dict(
    fcn=dict(type='FCNHead', in_channels=4, in_index=0, channels=8, num_convs=1,
             concat_input=False),
    deeplabv3plus=dict(type='DepthwiseSeparableASPPHead', in_channels=4, in_index=3, channels=8,
                       dilations=(1, 2), c1_in_channels=4, c1_channels=4, norm_cfg=dict(type='BN')),
    hrnet=dict(type='FCNHead', in_channels=(4, ) * 4, in_index=(0, 1, 2, 3), channels=16,
               input_transform='resize_concat', kernel_size=1, num_convs=1, concat_input=False),
    upernet=dict(type='UPerHead', in_channels=[4] * 4, in_index=[0, 1, 2, 3], channels=8,
                 pool_scales=(1, 2), align_corners=True),
    segformer=dict(type='SegformerHead', in_channels=[4] * 4, in_index=[0, 1, 2, 3], channels=8))


class SeveralMapsHead(FCNHead):
    """A head of another package that gives a tuple or list of maps."""

    def __init__(self, container, **kwargs):
        super().__init__(**kwargs)
        self.container = container

    def forward(self, inputs):
        return self.container([super().forward(inputs)] * 2)


def make_features(number, seed=0):
    """Feature maps of four stages for `number` images of 16x16."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(number, 4, side, side, generator=generator) for side in (8, 8, 4, 4)]


def make_samples(kinds, seed=0, unlabelled=0.3):
    """A sample of each supervision, masks of 16x16 with a share of 255."""
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for i, kind in enumerate(kinds):
        mask = torch.randint(CLASSES, (1, 16, 16), generator=generator)
        mask[torch.rand(mask.shape, generator=generator) < unlabelled] = 255
        sample = SegDataSample(metainfo=dict(
            supervision=kind, img_path=f'img_{i}.jpg', ori_shape=(16, 16), img_shape=(16, 16)))
        sample.gt_sem_seg = PixelData(data=mask)
        sample.valid = PixelData(data=torch.ones(1, 16, 16))
        samples.append(sample)
    return samples


def losses_of(head, kinds, seed=0):
    return head.loss(make_features(len(kinds), seed), make_samples(kinds, seed), None)


def backward(head, losses):
    """Gradients of the sum of the losses, by parameter's name."""
    head.zero_grad(set_to_none=True)
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    return {name: parameter.grad for name, parameter in head.named_parameters()}


def branch_inputs(head, name):
    """A list that grows by the batch size of every call of a branch."""
    calls = []
    getattr(head, name).register_forward_hook(lambda _, args, output: calls.append(len(args[0])))
    return calls


class HeadBench:
    head = None  # type and options, without feature_head, num_classes and predict_branch
    mixed = 0  # weak images that the strong branch gets of a first batch of 2 strong and 2 weak

    def build(self, feature_head='fcn', **options):
        torch.manual_seed(0)
        if isinstance(feature_head, str):
            feature_head = {'dropout_ratio': 0., **FEATURE_HEADS[feature_head]}
        return MODELS.build({'num_classes': CLASSES, 'feature_head': feature_head, **self.head,
                             **options})

    # ---- losses

    def test_the_keys_do_not_depend_on_the_composition(self):
        keys = {name: set(losses_of(self.build(), kinds)) for name, kinds in COMPOSITIONS.items()}
        assert keys['strong'] == keys['weak'] == keys['both']
        assert keys['both'] == {'strong.loss_ce', 'strong.acc_seg', 'weak.loss_ce', 'weak.acc_seg'}

    @pytest.mark.parametrize('absent', ['strong', 'weak'])
    def test_an_absent_branch_has_loss_zero_and_gradient_zero(self, absent):
        head = self.build()
        losses = losses_of(head, COMPOSITIONS['weak' if absent == 'strong' else 'strong'])
        assert losses[f'{absent}.loss_ce'] == 0
        grads = backward(head, losses)
        assert all((grad == 0).all() for name, grad in grads.items()
                   if name.startswith(f'{absent}_branch'))
        assert any((grad != 0).any() for grad in grads.values())

    @pytest.mark.parametrize('composition', COMPOSITIONS)
    def test_every_parameter_gets_a_gradient(self, composition):
        head = self.build()
        grads = backward(head, losses_of(head, COMPOSITIONS[composition]))
        assert not [name for name, grad in grads.items() if grad is None]

    @pytest.mark.parametrize('composition', COMPOSITIONS)
    def test_each_loss_is_the_cross_entropy_of_the_branch_on_its_own_samples(self, composition):
        head, kinds = self.build(), COMPOSITIONS[composition]
        masks = torch.cat([sample.gt_sem_seg.data for sample in make_samples(kinds)])
        weak = [i for i, kind in enumerate(kinds) if kind == 'box']
        strong = [i for i, kind in enumerate(kinds) if kind == 'pixel']
        if composition == 'both':
            strong += weak[:self.mixed]
        features = head.neck(head.feature_head(make_features(len(kinds))))
        losses = losses_of(head, kinds)
        for name, members in (('strong', strong), ('weak', weak)):
            if members:
                logits = F.interpolate(getattr(head, f'{name}_branch')(features[members]), (16, 16),
                                       mode='bilinear', align_corners=head.align_corners)
                torch.testing.assert_close(
                    losses[f'{name}.loss_ce'],
                    F.cross_entropy(logits, masks[members], ignore_index=255))

    def _gradients_with_other_labels_of(self, head, kind, branch):
        grads = []
        for seed in (0, 1):
            head = copy.deepcopy(head)
            samples = make_samples(COMPOSITIONS['both'])
            for sample, other in zip(samples, make_samples(COMPOSITIONS['both'], seed)):
                if sample.supervision == kind:
                    sample.gt_sem_seg = other.gt_sem_seg
            found = backward(head, head.loss(make_features(4), samples, None))
            grads.append(torch.cat([grad.flatten() for name, grad in found.items()
                                    if name.startswith(f'{branch}_branch')]))
        return grads

    def test_masks_of_strong_images_do_not_train_the_weak_branch(self):
        assert torch.equal(*self._gradients_with_other_labels_of(self.build(), 'pixel', 'weak'))
        assert not torch.equal(
            *self._gradients_with_other_labels_of(self.build(), 'pixel', 'strong'))

    def test_pseudo_masks_do_not_train_the_strong_branch_unless_mixed(self):
        apart = self.build(mix_ratio=None)
        assert torch.equal(*self._gradients_with_other_labels_of(apart, 'box', 'strong'))
        mixed = self.build(mix_ratio=(2, 1))
        assert not torch.equal(*self._gradients_with_other_labels_of(mixed, 'box', 'strong'))

    @pytest.mark.parametrize('composition', COMPOSITIONS)
    def test_a_batch_without_labelled_pixels_has_loss_zero_with_a_gradient_path(self, composition):
        head, kinds = self.build(), COMPOSITIONS[composition]
        losses = head.loss(make_features(4), make_samples(kinds, unlabelled=2), None)
        assert losses['strong.loss_ce'] == losses['weak.loss_ce'] == 0
        assert all((grad == 0).all() for grad in backward(head, losses).values())

    def test_an_image_without_labelled_pixels_changes_no_loss(self):
        head = self.build(mix_ratio=None).eval()  # eval: no batch statistics
        kinds = COMPOSITIONS['both'] + ['pixel', 'box']
        samples, features = make_samples(kinds), make_features(6)
        for sample in samples[4:]:
            sample.gt_sem_seg.data.fill_(255)
        more = head.loss(features, samples, None)
        fewer = head.loss([level[:4] for level in features], samples[:4], None)
        for name in ('strong.loss_ce', 'weak.loss_ce'):
            assert fewer[name] > 0
            torch.testing.assert_close(more[name], fewer[name])

    # ---- the log of the kinds of labels

    def test_the_log_of_several_kinds_changes_no_training(self):
        kinds = ['pixel', 'box', 'point', 'box']
        dropouts = dict(dropout_ratio=0.4)
        results = []
        for log_kinds in 0, 1:
            head = self.build(log_kinds=log_kinds, **dropouts)
            torch.manual_seed(1)
            losses = losses_of(head, kinds)
            gradients = backward(head, losses)
            results.append((losses, gradients, dict(head.named_buffers()), torch.rand(1)))
        (losses, *silent), (logged, *others) = results
        for one, other in zip(silent[:2], others[:2]):
            assert one.keys() == other.keys()
            assert all(torch.equal(value, other[key]) for key, value in one.items())
        assert torch.equal(silent[2], others[2])
        assert {key: value for key, value in logged.items() if key in losses} == losses
        assert logged.keys() - losses.keys() == {
            f'weak.{value}.{kind}' for value in ('share', 'agree') for kind in ('box', 'point')}
        assert all(module.training for module in head.modules())

    def test_the_log_says_what_each_kind_has_in_the_loss_and_where_the_strong_branch_agrees(self):
        kinds = ['point', 'pixel', 'box', 'point']
        head, features, samples = self.build(), make_features(4), make_samples(kinds)
        losses = head.loss(features, samples, None)
        head.eval()
        sums = {}
        for kind, n in ('point', 0), ('point', 3), ('box', 2):
            labels = samples[n].gt_sem_seg.data
            maps = []
            for head.predict_branch in 'weak', 'strong':
                logits = head([level[n:n + 1] for level in features])
                maps.append(F.interpolate(logits, size=(16, 16), mode='nearest'))
            own = torch.stack([
                F.cross_entropy(maps[0], labels, ignore_index=255, reduction='sum'),
                (maps[1].argmax(1) == labels).sum(), (labels < 255).sum()])
            sums[kind] = sums.get(kind, 0) + own
        total = sums['box'][0] + sums['point'][0]
        for kind, (loss, right, number) in sums.items():
            assert losses[f'weak.share.{kind}'].item() == pytest.approx((100 * loss / total).item())
            assert losses[f'weak.agree.{kind}'].item() == pytest.approx(
                (100 * right / number).item())

    def test_the_log_looks_every_so_many_steps_and_is_there_in_each(self):
        head = self.build(log_kinds=3)
        calls, keys = branch_inputs(head, 'weak_branch'), []
        for _ in range(5):
            keys.append(losses_of(head, ['pixel', 'box', 'point', 'box']).keys())
        assert all(key == keys[0] for key in keys)
        assert calls == [3, 3, 3, 3, 3, 3, 3]  # the first and the fourth step look once more
        assert set(losses_of(self.build(), ['pixel', 'box', 'box', 'box'])) == {
            'strong.loss_ce', 'strong.acc_seg', 'weak.loss_ce', 'weak.acc_seg'}

    def test_several_losses(self):
        cross_entropy = dict(type='CrossEntropyLoss', avg_non_ignore=True)
        one = losses_of(self.build(), COMPOSITIONS['both'])
        head = self.build(loss_decode=[
            cross_entropy, dict(cross_entropy, loss_name='loss_half', loss_weight=0.5)])
        two = losses_of(head, COMPOSITIONS['both'])
        for branch in ('strong', 'weak'):
            torch.testing.assert_close(two[f'{branch}.loss_ce'], one[f'{branch}.loss_ce'])
            torch.testing.assert_close(two[f'{branch}.loss_half'], one[f'{branch}.loss_ce'] / 2)
        assert set(losses_of(head, COMPOSITIONS['weak'])) == set(two)

    @pytest.mark.parametrize('composition', COMPOSITIONS)
    def test_half_precision_is_finite(self, composition):
        head = self.build()
        with torch.autocast('cpu', torch.bfloat16):
            losses = losses_of(head, COMPOSITIONS[composition])
        assert all(grad.isfinite().all() for grad in backward(head, losses).values())
        assert all(value.isfinite().all() for value in losses.values())

    def test_strong_images_may_train_the_weak_branch_too(self):
        apart, head = (self.build(mix_ratio=None, strong_in_weak_branch=both).eval()
                       for both in (False, True))
        kinds = COMPOSITIONS['both']
        masks = torch.cat([sample.gt_sem_seg.data for sample in make_samples(kinds)])
        losses = losses_of(head, kinds)
        torch.testing.assert_close(
            losses['strong.loss_ce'], losses_of(apart, kinds)['strong.loss_ce'])
        logits = F.interpolate(
            head.weak_branch(head.neck(head.feature_head(make_features(4)))), (16, 16),
            mode='bilinear', align_corners=head.align_corners)
        torch.testing.assert_close(
            losses['weak.loss_ce'], F.cross_entropy(logits, masks, ignore_index=255))

    @pytest.mark.parametrize('composition', COMPOSITIONS)
    def test_the_divergence_is_the_sum_of_its_definition(self, composition):
        head, kinds = self.build(mix_ratio=None, kl_weight=2.).eval(), COMPOSITIONS[composition]
        samples = make_samples(kinds)
        samples[1].valid.data[:, 10:] = 0  # of 8 rows of logits, 5 are image
        losses = head.loss(make_features(4), samples, None)
        features = head.neck(head.feature_head(make_features(4)))
        strong, weak = (branch(features).double().softmax(1).permute(0, 2, 3, 1)
                        for branch in (head.strong_branch, head.weak_branch))
        pixels = [(strong[i, y, x], weak[i, y, x])
                  for i in range(4) for y in range(5 if i == 1 else 8) for x in range(8)]
        expected = -2 * sum((s * (w / s).log()).sum() for s, w in pixels) / len(pixels)
        assert expected > 1e-4
        torch.testing.assert_close(losses['loss_kl'].double(), expected, rtol=1e-4, atol=1e-7)
        without = self.build(mix_ratio=None).eval().loss(make_features(4), samples, None)
        for key, value in without.items():
            torch.testing.assert_close(losses[key], value)

    def test_the_divergence_trains_both_branches(self):
        """Its gradient is that of its definition, on the side of the weak branch, too."""
        head = self.build(mix_ratio=None, kl_weight=2.).eval()
        found = losses_of(head, COMPOSITIONS['both'])['loss_kl']
        features = head.neck(head.feature_head(make_features(4)))
        strong, weak = (branch(features).softmax(1)
                        for branch in (head.strong_branch, head.weak_branch))
        defined = 2 * (strong * (strong / weak).log()).sum(1).mean()
        for branch in (head.strong_branch, head.weak_branch):
            gradient, expected = (torch.autograd.grad(value, branch.conv_seg.weight,
                                                      retain_graph=True, allow_unused=True)[0]
                                  for value in (found, defined))
            assert expected.abs().max() > 1e-4 and gradient is not None
            torch.testing.assert_close(gradient, expected, rtol=1e-3, atol=1e-6)

    def test_branches_that_agree_do_not_diverge(self):
        head = self.build(kl_weight=1.).eval()
        head.weak_branch.load_state_dict(head.strong_branch.state_dict())
        assert losses_of(head, COMPOSITIONS['both'])['loss_kl'].abs() < 1e-7

    # ---- prediction

    @pytest.mark.parametrize('branch, other', [('strong', 'weak'), ('weak', 'strong')])
    def test_prediction_computes_the_named_branch_alone(self, branch, other):
        head = self.build(predict_branch=branch).eval()
        named, unused = branch_inputs(head, f'{branch}_branch'), branch_inputs(
            head, f'{other}_branch')
        head(make_features(2))
        assert named == [2] and unused == []

    def _probabilities(self, branch):
        with torch.no_grad():
            return self.build(predict_branch=branch).eval()(make_features(2)).softmax(1)

    @pytest.mark.parametrize('lam', [0, 0.3, 1, 1.])
    def test_a_number_predicts_the_mean_of_the_probabilities(self, lam):
        strong, weak = self._probabilities('strong'), self._probabilities('weak')
        assert (strong - weak).abs().max() > 0.01
        torch.testing.assert_close(self._probabilities(lam), lam * weak + (1 - lam) * strong)

    @pytest.mark.parametrize('feature_head', FEATURE_HEADS)
    def test_any_feature_head_predicts_and_trains(self, feature_head):
        head = self.build(feature_head)
        assert head(make_features(4)).shape == (4, CLASSES, 8, 8)
        losses = losses_of(head, COMPOSITIONS['both'])
        grads = backward(head, losses)
        assert not [name for name, grad in grads.items() if grad is None]
        assert sum(grad.abs().sum() for name, grad in grads.items()
                   if name.startswith('feature_head')) > 0
        assert head.align_corners == head.feature_head.align_corners

    # ---- published heads

    def test_without_weak_branch_the_rest_loads_strictly_and_predicts_the_same(self):
        full, lean = self.build().eval(), self.build(weak_branch=False).eval()
        weights = {key: value + 1 if value.is_floating_point() else value
                   for key, value in full.state_dict().items()}
        full.load_state_dict(weights)
        assert not [key for key in lean.state_dict() if key.startswith(('weak_branch', 'mix'))]
        assert set(lean.state_dict()) == {
            key for key in weights if not key.startswith(('weak_branch', 'mix_carry'))}
        lean.load_state_dict({key: weights[key] for key in lean.state_dict()}, strict=True)
        assert torch.equal(lean(make_features(2)), full(make_features(2)))

    @pytest.mark.parametrize('composition', COMPOSITIONS)
    def test_without_weak_branch_all_images_train_the_rest(self, composition):
        head, kinds = self.build(weak_branch=False), COMPOSITIONS[composition]
        losses = losses_of(head, kinds)
        assert set(losses) == {'strong.loss_ce', 'strong.acc_seg'}
        logits = F.interpolate(head(make_features(4)), (16, 16), mode='bilinear',
                               align_corners=head.align_corners)
        masks = torch.cat([sample.gt_sem_seg.data for sample in make_samples(kinds)])
        torch.testing.assert_close(
            losses['strong.loss_ce'], F.cross_entropy(logits, masks, ignore_index=255))
        assert not [name for name, grad in backward(head, losses).items() if grad is None]

    @pytest.mark.parametrize('branch', ['weak', 0.5])
    def test_without_weak_branch_it_cannot_be_predicted_with(self, branch):
        with pytest.raises(ValueError, match=f'{branch!r}.*weak_branch=False'):
            self.build(weak_branch=False, predict_branch=branch)

    # ---- faults

    @pytest.mark.parametrize('name, value', [
        ('predict_branch', 'both'), ('predict_branch', 1.5), ('predict_branch', -0.1),
        ('predict_branch', float('nan')), ('predict_branch', True), ('predict_branch', None),
        ('kl_weight', -1.), ('mix_ratio', (7, )), ('mix_ratio', (7, 0)), ('mix_ratio', (-7, 1)),
        ('mix_ratio', (7.5, 1)), ('mix_ratio', (7, 1, 1)), ('mix_ratio', 7),
        ('mix_ratio', '7:1')])
    def test_a_bad_option_is_named(self, name, value):
        with pytest.raises(ValueError, match=f'{name}.*{re.escape(repr(value))}'):
            self.build(**{name: value})

    def test_a_head_without_classifier_is_refused(self):
        without = dict(type='SegmenterMaskTransformerHead', in_channels=4, channels=4,
                       num_layers=1, num_heads=1, embed_dims=4)
        with pytest.raises(ValueError, match='SegmenterMaskTransformerHead.*conv_seg'):
            self.build(without)

    @pytest.mark.parametrize('container', [tuple, list])
    def test_a_feature_head_of_several_maps_is_refused_in_a_sentence(self, container):
        head = self.build(dict(FEATURE_HEADS['fcn'], type=SeveralMapsHead, container=container))
        message = (f'feature_head of .*Head: expected .* one map .*, but SeveralMapsHead gives a '
                   f'{container.__name__}. Take another head')
        with pytest.raises(ValueError, match=message):
            losses_of(head, COMPOSITIONS['both'])
        with pytest.raises(ValueError, match=message):
            head.eval()(make_features(4))

    @pytest.mark.parametrize('feature_head', [
        dict(type='DAHead', in_channels=4, channels=8, pam_channels=4),
        dict(type='OCRHead', in_channels=4, channels=8, ocr_channels=4)], ids=['da', 'ocr'])
    def test_a_feature_head_of_more_than_one_map_is_refused_when_it_is_built(self, feature_head):
        with pytest.raises(ConfigError, match='feature_head of .* Take another head'):
            self.build(feature_head)

    def test_a_sample_without_supervision_is_named(self):
        samples = make_samples(COMPOSITIONS['both'])
        samples[2] = SegDataSample(metainfo=dict(img_path='img_2.jpg'),
                                   gt_sem_seg=samples[2].gt_sem_seg)
        with pytest.raises(ValueError, match='img_2.jpg.*supervision.*PackWeakSegInputs'):
            self.build().loss(make_features(4), samples, None)

    def test_a_weak_sample_without_mask_is_named_and_sent_to_pseudo_mask(self):
        samples = make_samples(COMPOSITIONS['both'])
        del samples[3].gt_sem_seg
        with pytest.raises(ValueError, match="img_3.jpg.*'box'.*PseudoMask"):
            self.build().loss(make_features(4), samples, None)

    # ---- the state of the mixing

    def _stepped(self):
        """A head with a carry: a step of 2 strong images was owed 4/3 weak ones, and got 1."""
        head = self.build(mix_ratio=(3, 2))
        losses_of(head, COMPOSITIONS['both'])
        assert head.mix_carry == 1
        return head

    @staticmethod
    def _served(head):
        calls = branch_inputs(head, 'strong_branch')
        for _ in range(6):
            losses_of(head, COMPOSITIONS['both'])
        return calls

    def test_a_fresh_head_serves_other_images_than_one_with_a_carry(self):
        # 2 strong images, and the whole part of 4, 8, 12, ... thirds less what was served
        assert self._served(self.build(mix_ratio=(3, 2))) == [3, 3, 4, 3, 3, 4]
        assert self._served(self._stepped()) == [3, 4, 3, 3, 4, 3]

    @pytest.mark.parametrize('copier', [
        copy.deepcopy, lambda head: pickle.loads(pickle.dumps(head))], ids=['deepcopy', 'pickle'])
    def test_a_copy_keeps_the_carry(self, copier):
        assert self._served(copier(self._stepped())) == [3, 4, 3, 3, 4, 3]

    @pytest.mark.parametrize('load', [
        lambda head, state: head.load_state_dict(state, strict=True),
        lambda head, state: load_state_dict(head, state, strict=True)], ids=['torch', 'mmengine'])
    def test_loading_restores_the_carry(self, load):
        head = self.build(mix_ratio=(3, 2))
        load(head, self._stepped().state_dict())
        assert self._served(head) == [3, 4, 3, 3, 4, 3]
        load(head, self.build(mix_ratio=(3, 2)).state_dict())  # back to the start
        assert self._served(head) == [3, 3, 4, 3, 3, 4]

    def test_predicting_does_not_move_the_carry(self):
        head = self._stepped().eval()
        head(make_features(4))
        assert head.mix_carry == 1 and self._served(head) == [3, 4, 3, 3, 4, 3]

    def test_the_classifiers_start_as_those_of_mmseg(self):
        head = self.build(channels=64)
        head.init_weights()
        for branch in (head.strong_branch, head.weak_branch):
            assert branch.conv_seg.weight.std().item() == pytest.approx(0.01, rel=0.25)
            assert (branch.conv_seg.bias == 0).all()
        assert not torch.equal(head.strong_branch.conv_seg.weight, head.weak_branch.conv_seg.weight)
