"""On a GPU: nothing is left on the CPU, and a training step waits for no value without a reason."""
import copy
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from mmengine.optim import OptimWrapper
from mmengine.structures import InstanceData, PixelData
from mmseg.evaluation import IoUMetric
from mmseg.models.decode_heads import FCNHead
from mmseg.structures import SegDataSample
from mmseg.utils import register_all_modules
from PIL import Image
from pretended_device import CUDA, pretended_device

from mmseg_wss.engine.checkpoint_contents import open_sealed, seal
from mmseg_wss.engine.hooks import NonFiniteLossHook
from mmseg_wss.evaluation import CRFEvaluator, PredictionWriter, PseudoMaskWriter, SeedWriter
from mmseg_wss.labels.stores.mask_target import MaskTarget
from mmseg_wss.models import decode_heads
from mmseg_wss.models.backbones.vgg16_large_fov import decimate
from mmseg_wss.ops import bilateral_filter, dense_crf
from mmseg_wss.registry import MODELS
from mmseg_wss.utils.random_state import get_random_state, set_random_state

register_all_modules()
CLASSES = 3
LOSS = dict(type='CrossEntropyLoss', avg_non_ignore=True)
WITH_DICE = [LOSS, dict(type='mmseg_wss.DiceLoss')]
FCN = dict(type='FCNHead', in_channels=4, in_index=1, channels=4, num_convs=1, concat_input=False,
           num_classes=CLASSES, loss_decode=LOSS)
BACKBONE = dict(
    type='UNet', in_channels=5, base_channels=4, num_stages=2, strides=(1, 1), enc_num_convs=(1, 1),
    dec_num_convs=(1, ), downsamples=(True, ), enc_dilations=(1, 1), dec_dilations=(1, ))


def ours(name, **options):
    return dict(type=f'mmseg_wss.{name}', **options)


def two_branches(name, feature_head=FCN, **options):
    return ours(name, feature_head=feature_head, num_classes=CLASSES, **options)


def em(kind, **options):
    return ours('EMHead', head=FCN, e_step=dict(type=kind), **options)


def rrm(**options):
    return ours('RRMHead', in_channels=4, in_index=1, channels=4, num_classes=CLASSES, dilation=2,
                scales=(0.5, 1.), **options)


HEADS = dict(
    dual=two_branches('DualBranchHead'),
    dual_kl=two_branches('DualBranchHead', kl_weight=1., strong_in_weak_branch=True),
    dual_filtered=two_branches('DualBranchHead', loss_decode=ours('FilteredCrossEntropyLoss')),
    mixed=two_branches('MixedDualHead', mix_ratio=(2, 1)),
    mixed_dice=two_branches('MixedDualHead', mix_ratio=(2, 1), loss_decode=WITH_DICE),
    mixed_apart=two_branches('MixedDualHead', mix_ratio=None, predict_branch=0.5),
    strong_alone=two_branches('MixedDualHead', weak_branch=False),
    deeplab=ours('DeepLabV2Head', in_channels=4, in_index=1, num_classes=CLASSES,
                 loss_decode=LOSS),
    deeplab_msc=ours('DeepLabMScHead', in_channels=(4, 8), in_index=(1, 0), early_strides=(2, ),
                     num_classes=CLASSES, loss_decode=LOSS),
    deeplab_dice=ours('DeepLabV2Head', in_channels=4, in_index=1, num_classes=CLASSES,
                      loss_decode=WITH_DICE),
    energy=ours('DenseEnergyHead', head=FCN),
    energy_dice=ours('DenseEnergyHead', head=dict(FCN, loss_decode=WITH_DICE)),
    energy_paper=ours('DenseEnergyHead', head=FCN, loss_energy=ours(
        'DenseEnergyLoss', formulation='paper', loss_weight=0.1, backend='exact')),
    dsrg=ours('DSRGHead', head=FCN),
    em_fixed=em('fixed'), em_adapt=em('adapt', labels_from='crop'), em_box=em('box'),
    em_mask=em('mask'), em_dice=ours(
        'EMHead', head=dict(FCN, loss_decode=WITH_DICE), e_step=dict(type='fixed')),
    em_dual=dict(em('fixed'), head=two_branches('DualBranchHead', strong_in_weak_branch=True)),
    energy_em_mixed=ours('DenseEnergyHead', head=dict(
        em('fixed'), head=two_branches('MixedDualHead', mix_ratio=(2, 1)))),
    cross_joint=ours('CrossJointHead', head=dict(FCN, num_classes=5),
                     groups=[[0, 3, 4], [2], [1]]),
    rrm=rrm(), rrm_dice=rrm(loss_decode=[ours('FilteredCrossEntropyLoss'), ours('DiceLoss')]),
    rrm_paper=rrm(labels=dict(rule='paper')), rrm_cam=rrm(labels=dict(rule='cam')))


COUNTS = {'cross_entropy_loss.cross_entropy': 1, 'accuracy.accuracy': 2}  # of mmseg's own heads
TWICE = {place: 2 * count for place, count in COUNTS.items()}  # strong and weak images
REASONS = {
    'cross_entropy_loss.cross_entropy': "mmseg's loss counts the labelled pixels",
    'accuracy.accuracy': "mmseg's accuracy picks the labelled pixels by a mask",
    'dense_energy_loss._check_probs': 'refuses logits and NaN, which would train silently',
    'features.check_colours': 'refuses normalised images, which would filter wrongly in silence',
    'dense_crf._check_values': 'refuses logits and NaN',
    'torch_lattice.__init__': 'the memory of a lattice is that of its vertices: colours decide',
    'valid_rectangles.valid_rectangles': 'the sizes of images without padding, for slices',
    'region_growing._check': 'refuses seeds that are no class',
    'region_growing.grow_seeds': 'SciPy finds connected regions, on the CPU',
    'em_labels.adaptive_bias_labels': 'as many rounds as an image has classes at most',
    'em_labels.box_bias_labels': 'refuses labels that are no class',
    'reliable_labels._own_cams': "refuses bad tags and CAMs; a CRF of the images' classes alone",
    'cam.mean_average_precision': 'for the log: of the classes that the batch has',
    'multi_label._average_precision': "for the log: mmpretrain's, class by class"}
"""dict[str, str]: why a step reads a value back there, 'module.function'."""
RRM = {'cam.mean_average_precision': 3, 'multi_label._average_precision': 6,
       'reliable_labels._own_cams': 4, 'valid_rectangles.valid_rectangles': 2,
       'dense_energy_loss._check_probs': 1}
RRM_CRF = {**RRM, 'features.check_colours': 3, 'torch_lattice.__init__': 15,
           'dense_crf._check_values': 2}
ENERGY = {'dense_energy_loss._check_probs': 1, 'features.check_colours': 1,
          'torch_lattice.__init__': 3}
READ_BACKS = dict(
    deeplab=COUNTS, deeplab_dice=COUNTS, deeplab_msc=COUNTS, energy={**COUNTS, **ENERGY},
    energy_dice={**COUNTS, **ENERGY}, energy_em_mixed=ENERGY,
    energy_paper={**COUNTS, 'dense_energy_loss._check_probs': 1, 'features.check_colours': 1},
    dsrg={'valid_rectangles.valid_rectangles': 2, 'features.check_colours': 2,
          'torch_lattice.__init__': 12, 'dense_crf._check_values': 2, 'region_growing._check': 1,
          'region_growing.grow_seeds': 2},
    em_fixed=TWICE, em_adapt={**TWICE, 'em_labels.adaptive_bias_labels': 1},
    em_box={**TWICE, 'em_labels.box_bias_labels': 1}, em_mask=TWICE, em_dice=TWICE,
    cross_joint=TWICE, rrm=RRM_CRF, rrm_dice=RRM_CRF, rrm_paper=RRM_CRF,
    rrm_cam={**RRM, 'features.check_colours': 1, 'torch_lattice.__init__': 3})
"""dict[str, dict[str, int]]: how often each head's step does so; two-branch heads never."""


def build_config(head):
    return ours(
        'WeakEncoderDecoder', backbone=BACKBONE, decode_head=head, train_cfg=dict(),
        test_cfg=ConfigDict(mode='whole'), data_preprocessor=ours(
            'WeakSegDataPreprocessor', mean=[120., 110., 100., 0., 0.],
            std=[50., 60., 70., 255., 1.], size_divisor=8, extra_pad_vals=(255, 0),
            test_cfg=dict(size_divisor=8)))


def build(head, kind='WeakEncoderDecoder'):
    torch.manual_seed(0)
    return MODELS.build(dict(build_config(head), type=f'mmseg_wss.{kind}'))


def make_images():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (2, 3, 6, 8), generator=generator).float()


def make_batch(kinds=('box', 'pixel', 'scribble', 'pixel', 'pixel'), same_size=False):
    """Images of two sizes with all labels, on the CPU, as a data loader gives them."""
    generator = torch.Generator().manual_seed(0)
    batch = dict(inputs=[], data_samples=[])
    for i, kind in enumerate(kinds):
        shape = (16, 24) if i % 2 or same_size else (13, 20)
        batch['inputs'].append(torch.randint(256, (5, *shape), generator=generator).float())
        mask = torch.randint(CLASSES, (1, *shape), generator=generator)
        mask[:, :, :4] = 255
        sample = SegDataSample(
            gt_sem_seg=PixelData(data=mask), metainfo=dict(
                supervision=kind, img_path=f'{i}.jpg', ori_shape=shape, img_shape=shape,
                classes='abc' if kind == 'pixel' else 'abcde'))
        sample.gt_boxes = InstanceData(
            bboxes=torch.tensor([[1., 2, 8, 9]]), labels=torch.tensor([1]))
        sample.set_field(torch.tensor([1, 1, i % 2], dtype=torch.uint8), 'gt_tags')
        batch['data_samples'].append(sample)
    return batch


def train_step(head):
    """What a step of mmengine's read back, but for its log, and uploaded besides the batch."""
    model = build(head)
    with pretended_device() as log:
        model.to(CUDA)
        batch = model.data_preprocessor(make_batch(), True)
        log.uploads.clear()
        total, log_vars = model.parse_losses(model(**batch, mode='loss'))
        assert all(value.device == CUDA for value in log_vars.values())
        OptimWrapper(torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)).update_params(total)
    return log


@pytest.mark.parametrize('name', HEADS)
def test_a_step_reads_back_what_it_has_a_reason_for(name):
    """Nothing at all with a two-branch head, whose every other wait is for the batch itself.

    Nor is anything uploaded then, which is a wait too.
    """
    log = train_step(HEADS[name])
    assert dict(Counter(log.reads)) == READ_BACKS.get(name, {})
    assert set(log.reads) <= set(REASONS)
    two_branch = 'mmseg_wss.DualBranchHead', 'mmseg_wss.MixedDualHead'
    if HEADS[name]['type'] in two_branch or name not in READ_BACKS:
        assert log.reads == log.uploads == []


def test_every_head_is_here():
    ours = {name for name in decode_heads.__all__ if MODELS.get(f'mmseg_wss.{name}')}
    ours.remove('DPTMapsHead')  # all of it but a mean beside each map is mmseg's DPTHead
    assert ours == {head['type'].split('.')[1] for head in HEADS.values()}


def test_every_reason_is_one_of_a_step():
    assert set(REASONS) == {place for places in READ_BACKS.values() for place in places}


@pytest.mark.parametrize('name', HEADS)
def test_a_prediction_is_that_of_the_cpu_and_on_the_device(name):
    model = build(HEADS[name]).eval()
    batch = make_batch(same_size=True)
    with torch.no_grad():
        expected = model.test_step(copy.deepcopy(batch))
        with pretended_device() as log:
            found = model.to(CUDA).test_step(batch)
    assert log.reads == []
    for one, other in zip(found, expected):
        assert torch.equal(one.seg_logits.data.inner, other.seg_logits.data)
        assert torch.equal(one.pred_sem_seg.data.inner, other.pred_sem_seg.data)


def test_tags_and_activation_maps_are_on_the_device():
    with pretended_device(), torch.no_grad():
        sample = build(rrm(predict_tags=True)).eval().to(CUDA).test_step(
            make_batch(same_size=True))[0]
        assert sample.pred_score.device == sample.gt_score.device == CUDA
        maps = build(rrm(), 'CAMEncoderDecoder').eval().to(CUDA).test_step(
            make_batch(same_size=True))[0]
        assert maps.seg_logits.data.device == CUDA


@pytest.mark.parametrize('reduce', ['mean', 'max'])
def test_an_ensemble_predicts_on_the_device(reduce):
    config = dict(build_config(HEADS['mixed']))
    model = MODELS.build(ours('EnsembleSegmentor', reduce=reduce, members=[
        dict(model=config, weight=0.5)] * 2)).eval()
    with pretended_device(), torch.no_grad():
        samples = model.to(CUDA).test_step(make_batch(same_size=True))
        assert all(sample.seg_logits.data.device == CUDA for sample in samples)


def test_views_are_averaged_on_the_device():
    views = [make_batch(same_size=True) for _ in range(2)]
    data = {key: [view[key] for view in views] for key in views[0]}
    model = MODELS.build(ours('ProbTTAModel', module=build_config(HEADS['mixed']))).eval()
    with pretended_device(), torch.no_grad():
        samples = model.to(CUDA).test_step(data)
        assert all(sample.seg_probs.data.device == CUDA for sample in samples)


def test_the_first_phase_of_rrm_reads_back_for_its_log_alone():
    model = build(rrm())
    model.decode_head.classify_only = True
    with pretended_device() as log:
        batch = model.to(CUDA).data_preprocessor(make_batch(), True)
        model(**batch, mode='loss')
    assert set(log.reads) == {'cam.mean_average_precision', 'multi_label._average_precision'}


def test_the_guard_against_losses_that_are_not_finite_reads_each_once():
    """mmengine reads the same values for its log in every step, so there is no further wait."""
    with pretended_device() as log:
        values = {name: torch.ones((), device=CUDA) for name in ('loss', 'loss_ce', 'acc')}
        NonFiniteLossHook().after_train_iter(None, 0, None, values)
    assert log.reads == 3 * ['non_finite_loss_hook.after_train_iter']


def test_a_network_on_the_device_takes_weights_of_the_device():
    """As in a resume, whose checkpoint is loaded to where the network is."""
    model, rgb = build(HEADS['mixed']), MODELS.build(dict(BACKBONE, in_channels=3))
    state = model.state_dict()
    state.update({f'backbone.{key}': value for key, value in rgb.state_dict().items()})
    with pretended_device():
        state = {key: value.to(CUDA) for key, value in state.items()}
        state['decode_head.mix_carry'].fill_(1)
        model.to(CUDA).load_state_dict(state)
        assert all(value.device == CUDA for value in model.state_dict().values())
        first = next(model.backbone.parameters()).inner
        assert torch.equal(first[:, :3], next(rgb.parameters())) and (first[:, 3:] == 0).all()
        assert decimate(torch.rand(8, 2, 7, 7, device=CUDA), 4, 3).device == CUDA


def test_a_checkpoint_on_the_device_is_opened():
    """Its checksum is that of its values, and the random states go back to the CPU."""
    checkpoint = dict(meta={}, state_dict=dict(weight=torch.ones(3)),
                      random_states=[get_random_state()],
                      message_hub=dict(log_scalars=dict(loss=HistoryBuffer([1.], [1]))))
    seal(checkpoint)
    expected = torch.rand(3), np.random.rand()
    with pretended_device():
        checkpoint = _to_device(checkpoint)
        open_sealed(checkpoint, 'it')
        set_random_state(checkpoint['random_states'][0])
        assert checkpoint['message_hub']['log_scalars']['loss'].mean() == 1
    assert torch.equal(torch.rand(3), expected[0]) and np.random.rand() == expected[1]


def _to_device(value):
    if isinstance(value, dict):
        return {key: _to_device(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_device(item) for item in value]
    return value.to(CUDA) if isinstance(value, torch.Tensor) else value


# ---- operators

@pytest.mark.parametrize('backend', ['lattice', 'exact'])
def test_the_filter_and_its_gradient(backend):
    images = make_images()
    with pretended_device():
        values = torch.rand(2, 3, 6, 8, device=CUDA, requires_grad=True)
        out = bilateral_filter(values, images.to(CUDA), 15, 20, backend=backend)
        out.sum().backward()
        assert out.device == values.grad.device == CUDA
        with pytest.raises(ValueError, match='move them to one device'):
            bilateral_filter(values, images, 15, 20, backend=backend)


def test_the_crf_comes_back_to_the_device_of_its_probabilities():
    pytest.importorskip('pydensecrf')
    images, probs = make_images(), torch.rand(2, 3, 6, 8).softmax(1)
    expected = dense_crf(probs, images, iterations=2)
    with pretended_device():
        for backend in 'torch', 'pydensecrf':
            found = dense_crf(probs.to(CUDA), images.to(CUDA), iterations=2, backend=backend)
            assert found.device == CUDA
            torch.testing.assert_close(found.inner, expected, atol=0.02, rtol=0.02)


# ---- what reads predictions

def test_writers_and_metrics_take_predictions_of_the_device(tmp_path):
    batch = make_batch(same_size=True)
    paths = [str(tmp_path / f'{i}.png') for i in range(len(batch['inputs']))]
    for path, sample in zip(paths, batch['data_samples']):
        Image.new('RGB', (24, 16), (9, 90, 200)).save(path)
        sample.set_metainfo(dict(img_path=path))
    targets = {path: MaskTarget(Path(path).stem, boxes=np.array([[1., 2, 8, 9]]), box_labels=(1, ),
                                tags=(0, 1)) for path in paths}
    options = dict(recipe={}, targets=targets)
    crf = dict(iterations=1)
    writers = [
        PredictionWriter(str(tmp_path / 'predictions')), IoUMetric(),
        PseudoMaskWriter(str(tmp_path / 'masks'), tau=0.1, crf=crf, box_gate=True, soft=True,
                         **options),
        SeedWriter(str(tmp_path / 'seeds'), fg_threshold=0.2, bg_threshold=0.1, **options)]
    with pretended_device(), torch.no_grad():
        samples = build(HEADS['mixed']).eval().to(CUDA).test_step(batch)
        for writer in writers:
            writer.dataset_meta = dict(classes='abc')
            copies = [sample.to_dict() for sample in samples]
            if isinstance(writer, SeedWriter):
                for sample in copies:
                    sample['seg_logits']['data'] = sample['seg_logits']['data'].relu()
            writer.process(None, copies)
        evaluator = CRFEvaluator(IoUMetric(), crf)
        evaluator.dataset_meta = dict(classes='abc')
        evaluator.process(samples)
        assert samples[0].pred_sem_seg.data.device == CUDA
    assert len(list((tmp_path / 'masks').glob('*.png'))) == len(paths)


# ---- the bench itself

class ForgetfulHead(FCNHead):
    """It adds a map that it makes on the CPU."""

    def forward(self, inputs):
        logits = super().forward(inputs)
        return logits + torch.zeros(logits.shape)


class CuriousHead(FCNHead):
    """It looks at a value."""

    def forward(self, inputs):
        logits = super().forward(inputs)
        if logits.max() > 1e9:
            raise ValueError(f'{logits.max().item()} is too much.')
        return logits


@pytest.fixture
def two_faults():
    kinds = ForgetfulHead, CuriousHead
    for kind in kinds:
        MODELS.register_module(module=kind)
    yield
    for kind in kinds:
        del MODELS.module_dict[kind.__name__]


def test_a_head_that_forgets_the_device_fails(two_faults):
    with pytest.raises(RuntimeError, match='at least two devices, cuda:0 and cpu'):
        train_step(two_branches('MixedDualHead', dict(FCN, type='mmseg_wss.ForgetfulHead')))


def test_a_head_that_looks_at_a_value_is_counted(two_faults):
    log = train_step(two_branches('MixedDualHead', dict(FCN, type='mmseg_wss.CuriousHead')))
    assert log.reads == ['test_devices.forward']


@pytest.mark.parametrize('read', [
    lambda x: x.sum().item(), lambda x: float(x[0]), lambda x: bool(x[0]), lambda x: x.tolist(),
    lambda x: x.cpu(), lambda x: x.to('cpu'), lambda x: x.cpu().numpy(), lambda x: x[x > 0],
    lambda x: x.nonzero(), lambda x: x.masked_select(x > 0), lambda x: x.unique(),
    lambda x: 1 if (x > 0).any() else 0, lambda x: torch.zeros(3).copy_(x),
    lambda x: torch.equal(x, x), lambda x: x.__setitem__(x > 0, x[0])])
def test_every_way_to_read_back_is_counted(read):
    with pretended_device() as log:
        read(torch.ones(3, device=CUDA))
    assert len(log.reads) == 1


@pytest.mark.parametrize('harmless', [
    lambda x: x.__setitem__(x > 0, 1.), lambda x: x + 1, lambda x: x + torch.tensor(1.),
    lambda x: torch.where(x > 0, x, 0), lambda x: x[torch.tensor([1, 0], device=CUDA)],
    lambda x: x.masked_fill(x > 0, 2), lambda x: x.new_tensor([1.]), lambda x: x[[1, 0]]])
def test_what_gives_no_value_is_not_counted(harmless):
    with pretended_device() as log:
        harmless(torch.ones(3, device=CUDA))
    assert log.reads == []


@pytest.mark.parametrize('mix', [
    lambda x: x + torch.ones(3), lambda x: torch.cat((x, torch.ones(3))),
    lambda x: torch.ones(3).add_(x), lambda x: torch.ones(3)[x.long() - 1],
    lambda x: torch.where(x > 0, x, torch.ones(3)), lambda x: x @ torch.ones(3),
    lambda x: torch.stack((x[0], torch.ones(()))), lambda x: torch.ones(()).add_(x[0])])
def test_mixed_devices_fail(mix):
    with pretended_device(), pytest.raises(RuntimeError, match='two devices'):
        mix(torch.ones(3, device=CUDA))


@pytest.mark.parametrize('convert', [lambda x: x.numpy(), np.asarray])
def test_numpy_does_not_see_the_device(convert):
    with pretended_device(), pytest.raises(RuntimeError):
        convert(torch.ones(3, device=CUDA))
