"""What users of mmseg carry over works, or is refused when the config is built."""
import pytest
from devkit import make_devkit
from mmengine.dataset import ClassBalancedDataset, ConcatDataset, RepeatDataset
from mmengine.registry import DATA_SAMPLERS, DATASETS, MODELS, init_default_scope

import mmseg_wss.datasets.samplers  # noqa: F401 (registers)

PACKED = [dict(type='LoadImageFromFile'), dict(type='mmseg_wss.LoadWeakLabels'), None,
          dict(type='mmseg_wss.PackWeakSegInputs')]


@pytest.fixture(autouse=True)
def kit(tmp_path):
    init_default_scope('mmseg')
    make_devkit(tmp_path)
    return tmp_path


def build(kit, supervision='pixel', step=None, **options):
    pipeline = [part or step for part in PACKED if part or step]
    return DATASETS.build(dict(
        type='mmseg_wss.VOCWeakSegDataset', data_root=str(kit), supervision=supervision,
        ann_file=f'ImageSets/Segmentation/{"strong" if supervision == "pixel" else "weak"}.txt',
        pipeline=pipeline, **options))


@pytest.mark.parametrize('options, said', [
    (dict(reduce_zero_label=True), 'reduce_zero_label=True would make the background'),
    (dict(ignore_index=0), 'ignore_index=0: pixels without a label are 255'),
    (dict(ignore_index=-1), 'ignore_index=-1'),
    (dict(filter_cfg=dict(min_size=3)), 'filter_cfg=.* filters nothing')])
def test_options_of_data_sets(kit, options, said):
    with pytest.raises(ValueError, match=said):
        build(kit, **options)


def test_options_that_say_what_is_so_anyway(kit):
    build(kit, reduce_zero_label=False, ignore_index=255, filter_cfg=None)
    assert len(build(kit, indices=1)) == 1


CROP = dict(type='RandomCrop', crop_size=(4, 4))
ROTATE = dict(type='RandomRotate', prob=1., degree=20)
TURN = dict(type='RandomRotFlip')
MULTIPLE = dict(type='ResizeToMultiple', size_divisor=4)
WITH_BOXES = [('box', {}), ('pixel', dict(with_boxes=True))]


@pytest.mark.parametrize('supervision, options', WITH_BOXES)
@pytest.mark.parametrize('step, name', [
    (CROP, 'RandomCrop'), (ROTATE, 'RandomRotate'), (TURN, 'RandomRotFlip'),
    (MULTIPLE, 'ResizeToMultiple'),
    (dict(type='RandomApply', transforms=[TURN], prob=0.5), 'RandomRotFlip'),
    (dict(type='RandomChoice', transforms=[[CROP], [TURN]]), 'RandomCrop')])
def test_transforms_that_leave_the_boxes_behind(kit, supervision, options, step, name):
    with pytest.raises(ValueError, match=f"mmseg's {name} moves the image and its mask, but not"):
        build(kit, supervision, step, **options)


@pytest.mark.parametrize('supervision, options', WITH_BOXES)
@pytest.mark.parametrize('step', [
    dict(type='mmseg_wss.RandomCrop', crop_size=(4, 4)), dict(type='RandomFlip', prob=1.),
    dict(type='Resize', scale=(20, 20)), dict(type='PhotoMetricDistortion'),
    dict(type='RandomApply', transforms=[dict(type='RandomFlip', prob=1.)], prob=0.5)])
def test_transforms_that_move_the_boxes_too(kit, supervision, options, step):
    assert build(kit, supervision, step, **options)[0]['data_samples'] is not None


@pytest.mark.parametrize('step', [CROP, ROTATE, TURN])
@pytest.mark.parametrize('supervision', ['pixel', 'image'])
def test_without_boxes_mmsegs_transforms_are_welcome(kit, supervision, step):
    build(kit, supervision, step)


@pytest.mark.parametrize('wrap', [
    lambda one: RepeatDataset(one, 2), lambda one: ClassBalancedDataset(one, 1e-3)])
def test_wrappers_around_a_source(kit, wrap):
    """Their samples would get no seed, so that a resumed run would differ."""
    one = build(kit)
    one.get_cat_ids = lambda index: [0]
    with pytest.raises(ValueError, match='source 0 is wrapped in a .*Put the data set itself'):
        DATA_SAMPLERS.build(dict(
            type='mmseg_wss.StrongWeakSampler', dataset=wrap(one), batch_size=2))
    with pytest.raises(TypeError):  # mmengine's own refusal
        ConcatDataset([one, wrap(one)])


PLAIN = dict(type='FCNHead', in_channels=4, channels=4, num_convs=0, concat_input=False,
             num_classes=3)
MEAN = dict(loss_decode=dict(type='CrossEntropyLoss'))  # mmseg's default


@pytest.mark.parametrize('fault, said', [
    (MEAN, 'CrossEntropyLoss of .* set avg_non_ignore=True'),
    (dict(loss_decode=[dict(type='DiceLoss'), dict(type='CrossEntropyLoss', loss_name='loss_2')]),
     'set avg_non_ignore=True'),
    (dict(ignore_index=0), 'has ignore_index=0, but'),
    (dict(loss_decode=dict(type='DiceLoss', ignore_index=0)), 'ignore_index=0, in its DiceLoss'),
    (dict(loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True, class_weight=[1., 2.])),
     'has 2 weights of classes'),
    (dict(out_channels=1, threshold=0.3), 'out_channels=')])
@pytest.mark.parametrize('kind', ['plain', 'dual', 'em', 'energy', 'joint', 'deeplab'])
def test_heads_that_would_count_pixels_without_a_label(kind, fault, said):
    sound = dict(loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))

    def head(options):
        inner = dict(PLAIN, **options)
        return dict(
            plain=inner,
            dual=dict(type='mmseg_wss.DualBranchHead', feature_head=PLAIN, num_classes=3,
                      **options),
            em=dict(type='mmseg_wss.EMHead', head=inner, e_step=dict(type='mask')),
            energy=dict(type='mmseg_wss.DenseEnergyHead', head=inner),
            joint=dict(type='mmseg_wss.CrossJointHead', head=inner, groups=[[0, 1], [2]]),
            deeplab=dict(type='mmseg_wss.DeepLabV2Head', in_channels=4, num_classes=3,
                         **options))[kind]

    def network(options):
        return MODELS.build(dict(
            type='mmseg_wss.WeakEncoderDecoder', backbone=dict(
                type='mmseg_wss.VGG16LargeFOV', out_indices=(0, )), decode_head=head(options)))

    network(sound)
    with pytest.raises(ValueError, match=said):
        network({**sound, **fault})
