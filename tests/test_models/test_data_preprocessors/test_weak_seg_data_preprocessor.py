"""mmseg's preprocessor where it applies, bit for bit; more channels and maps by plain slicing."""
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.models import SegDataPreProcessor
from mmseg.structures import SegDataSample

from mmseg_wss.models import WeakSegDataPreprocessor

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
SIZES = [(11, 13), (16, 9), (5, 12)]


def make_batch(sizes=SIZES, channels=3, mask=True):
    generator = torch.Generator().manual_seed(0)
    inputs = [torch.randint(256, (channels, *size), dtype=torch.uint8, generator=generator)
              for size in sizes]
    samples = []
    for size in sizes:
        samples.append(SegDataSample(metainfo=dict(ori_shape=size, img_shape=(1, 1))))
        if mask:
            samples[-1].gt_sem_seg = PixelData(
                data=torch.randint(21, (1, *size), generator=generator))
    return dict(inputs=inputs, data_samples=samples)


def by_hand(image, mean, std):
    """Normalised RGB and further channels of a (C, H, W) image in B, G, R and further channels."""
    image = image.float()
    order = [2, 1, 0, *range(3, len(image))]
    return torch.stack([(image[c] - mean[i]) / std[i] for i, c in enumerate(order)])


# ---- three channels, with masks

@pytest.mark.parametrize('pad', [dict(size=(20, 24)), dict(size=(16, 13)), dict(size_divisor=8),
                                 dict(size_divisor=1), dict(size_divisor=16)], ids=str)
@pytest.mark.parametrize('values', [{}, dict(pad_val=3, seg_pad_val=7)], ids=['0', '3'])
def test_training_equals_mmseg(pad, values):
    theirs, ours = (cls(mean=MEAN, std=STD, bgr_to_rgb=True, **pad, **values)(make_batch(), True)
                    for cls in (SegDataPreProcessor, WeakSegDataPreprocessor))
    assert torch.equal(ours['inputs'], theirs['inputs'])
    assert ours['inputs'].dtype == theirs['inputs'].dtype
    for mine, their in zip(ours['data_samples'], theirs['data_samples']):
        assert torch.equal(mine.gt_sem_seg.data, their.gt_sem_seg.data)
        assert mine.gt_sem_seg.data.dtype == their.gt_sem_seg.data.dtype
        for key in ('img_shape', 'ori_shape', 'padding_size'):
            assert tuple(mine.metainfo[key]) == tuple(their.metainfo[key])
        assert tuple(mine.pad_shape[-2:]) == tuple(their.pad_shape[-2:])


@pytest.mark.parametrize('test_cfg', [None, dict(size_divisor=8), dict(size=(20, 24))], ids=str)
def test_testing_equals_mmseg(test_cfg):
    theirs, ours = (
        cls(mean=MEAN, std=STD, bgr_to_rgb=True, size=(64, 64), test_cfg=test_cfg)(
            make_batch([(11, 13)] * 2))
        for cls in (SegDataPreProcessor, WeakSegDataPreprocessor))
    assert torch.equal(ours['inputs'], theirs['inputs'])
    for mine, their in zip(ours['data_samples'], theirs['data_samples']):
        assert torch.equal(mine.gt_sem_seg.data, their.gt_sem_seg.data)
        assert set(mine.metainfo) == set(their.metainfo)
        for key in mine.metainfo:
            assert tuple(mine.metainfo[key]) == tuple(their.metainfo[key])


def test_without_samples_images_are_normalised_at_test_time():
    image = make_batch([(11, 13)])['inputs'][0]
    ours = WeakSegDataPreprocessor(MEAN, STD)(dict(inputs=[image]))
    torch.testing.assert_close(ours['inputs'][0], by_hand(image, MEAN, STD))
    assert ours['data_samples'] is None


# ---- more channels

@pytest.mark.parametrize('training', [True, False])
def test_of_five_channels_three_are_swapped_and_all_normalised(training):
    mean, std = [*MEAN, 10., 20.], [*STD, 2., 4.]
    batch = make_batch([(8, 8)] * 2, channels=5)
    ours = WeakSegDataPreprocessor(mean, std)(batch, training)['inputs']
    assert ours.shape == (2, 5, 8, 8)
    for image, output in zip(batch['inputs'], ours):
        torch.testing.assert_close(output, by_hand(image, mean, std))


def test_without_swap_the_channels_keep_their_order():
    batch = make_batch([(8, 8)], channels=4)
    ours = WeakSegDataPreprocessor([0.] * 4, [1.] * 4, bgr_to_rgb=False)(batch)['inputs']
    assert torch.equal(ours[0], batch['inputs'][0].float())


@pytest.mark.parametrize('channels', [3, 5])
def test_to_rgb_gives_back_the_image(channels):
    batch = make_batch([(9, 12)] * 2, channels)
    ours = WeakSegDataPreprocessor(MEAN + [9.] * (channels - 3), STD + [7.] * (channels - 3),
                                   size_divisor=16)
    rgb = ours.to_rgb(ours(batch, True)['inputs'])
    assert rgb.shape == (2, 3, 16, 16) and rgb.dtype == torch.float
    for image, output in zip(batch['inputs'], rgb):
        torch.testing.assert_close(
            output[:, :9, :12], image[[2, 1, 0]].float(), atol=1e-4, rtol=0)
    assert rgb.min() >= 0 and rgb.max() <= 255


# ---- samples

def test_images_without_mask_are_padded_to_a_batch():
    batch = make_batch(mask=False)
    ours = WeakSegDataPreprocessor(MEAN, STD, size_divisor=8)(batch, True)
    assert ours['inputs'].shape == (3, 3, 16, 16)
    for image, output, sample in zip(batch['inputs'], ours['inputs'], ours['data_samples']):
        height, width = image.shape[1:]
        torch.testing.assert_close(output[:, :height, :width], by_hand(image, MEAN, STD))
        assert (output[:, height:] == 0).all() and (output[:, :, width:] == 0).all()
        assert 'gt_sem_seg' not in sample


def test_some_images_may_have_masks_and_others_none():
    batch = make_batch()
    del batch['data_samples'][1].gt_sem_seg
    samples = WeakSegDataPreprocessor(MEAN, STD)(batch, True)['data_samples']
    assert ['gt_sem_seg' in sample for sample in samples] == [True, False, True]
    assert samples[0].gt_sem_seg.shape == samples[2].gt_sem_seg.shape == (16, 13)


def test_each_map_is_padded_with_its_own_value_and_type():
    batch = make_batch()
    truth = []
    for sample, size in zip(batch['data_samples'], SIZES):
        sample.priors = PixelData(data=torch.rand(2, *size), metainfo=dict(origin='boxes'))
        sample.instances = PixelData(data=torch.ones(1, *size, dtype=torch.uint8))
        sample.gt_tags = torch.tensor([1, 0, 1])
        truth.append({name: sample.get(name).data
                      for name in ('gt_sem_seg', 'priors', 'instances')})
    ours = WeakSegDataPreprocessor(MEAN, STD, size=(20, 24), seg_pad_val=250,
                                   map_pad_vals=dict(priors=-1.5))(batch, True)
    for sample, maps, (height, width) in zip(ours['data_samples'], truth, SIZES):
        for name, value in (('gt_sem_seg', 250), ('priors', -1.5), ('instances', 250)):
            padded = sample.get(name).data
            assert padded.dtype == maps[name].dtype
            assert padded.shape == (len(maps[name]), 20, 24)
            assert torch.equal(padded[:, :height, :width], maps[name])
            assert (padded[:, height:] == value).all() and (padded[:, :, width:] == value).all()
        assert sample.priors.origin == 'boxes'
        assert sample.gt_tags.tolist() == [1, 0, 1]


def test_valid_is_true_inside_the_image_alone():
    samples = WeakSegDataPreprocessor(MEAN, STD, size=(20, 24))(
        make_batch(), True)['data_samples']
    for sample, (height, width) in zip(samples, SIZES):
        valid = sample.valid.data
        assert valid.shape == (1, 20, 24) and valid.dtype == torch.bool
        assert valid[:, :height, :width].all() and valid.sum() == height * width


def test_at_test_time_nothing_is_padded_or_added():
    batch = make_batch([(11, 13)])
    sample = WeakSegDataPreprocessor(MEAN, STD, size=(20, 24))(batch)['data_samples'][0]
    assert sample.keys() == ['gt_sem_seg'] and sample.gt_sem_seg.shape == (11, 13)


# ---- faults

def test_mixed_sizes_at_test_time_ask_for_batch_size_1():
    with pytest.raises(ValueError, match=r'\(5, 12\).*\(11, 13\).*batch_size=1'):
        WeakSegDataPreprocessor(MEAN, STD)(make_batch())


@pytest.mark.parametrize('size', [(15, 13), (16, 12)])
def test_an_image_larger_than_size_is_told(size):
    with pytest.raises(ValueError) as error:
        WeakSegDataPreprocessor(MEAN, STD, size=size)(make_batch(), True)
    assert '(16, 13)' in str(error.value) and str(size) in str(error.value)


@pytest.mark.parametrize('channels', [1, 4])
@pytest.mark.parametrize('training', [True, False])
def test_a_wrong_number_of_channels_is_told(channels, training):
    with pytest.raises(ValueError, match=f'{channels} channels.*3 numbers'):
        WeakSegDataPreprocessor(MEAN, STD)(make_batch([(8, 8)], channels), training)


@pytest.mark.parametrize('mean, std', [(MEAN, STD[:2]), (MEAN[:2], STD[:2]), ([0.], [1.])])
def test_mean_and_std_must_agree_and_be_three_at_least(mean, std):
    with pytest.raises(ValueError, match='mean and std'):
        WeakSegDataPreprocessor(mean, std)


def test_size_and_size_divisor_exclude_each_other():
    with pytest.raises(ValueError, match=r'size=\(8, 8\).*size_divisor=4'):
        WeakSegDataPreprocessor(MEAN, STD, size=(8, 8), size_divisor=4)


# ---- priors: further channels are padded with their own values

@pytest.mark.parametrize('training', [True, False])
def test_further_channels_are_padded_in_the_units_of_the_input(training):
    preprocessor = WeakSegDataPreprocessor(
        mean=[*MEAN, 128., 0.], std=[*STD, 64., 10.], size=(20, 24), extra_pad_vals=(255, 0),
        test_cfg=dict(size=(20, 24)))
    inputs = preprocessor(make_batch([(11, 13)], channels=5), training)['inputs'][0]
    padding = torch.ones(20, 24, dtype=torch.bool)
    padding[:11, :13] = False
    assert (inputs[:3, padding] == 0).all()
    torch.testing.assert_close(inputs[3, padding], torch.full((20 * 24 - 11 * 13, ), 127 / 64))
    assert (inputs[4, padding] == 0).all()
    image = make_batch([(11, 13)], channels=5)['inputs'][0]
    torch.testing.assert_close(
        inputs[:, :11, :13], by_hand(image, [*MEAN, 128., 0.], [*STD, 64., 10.]))


def test_a_padding_value_for_each_further_channel():
    with pytest.raises(ValueError, match=r'extra_pad_vals=\[255\].*5 channels have 2'):
        WeakSegDataPreprocessor(mean=[0] * 5, std=[1] * 5, extra_pad_vals=[255])
