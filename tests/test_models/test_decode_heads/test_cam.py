import pytest
import torch

from mmseg_wss.models.decode_heads.cam import (
    average_cams,
    mean_average_precision,
    normalise_cams,
)


def test_constant_maps_of_any_size_average_to_their_mean():
    maps = [torch.full((1, 2, side, side), value) for side, value in ((2, 1.), (5, 2.), (9, 6.))]
    torch.testing.assert_close(average_cams(maps, (6, 7)), torch.full((1, 2, 6, 7), 3.))


def test_each_class_of_the_image_reaches_one_and_the_others_are_zero():
    cams = torch.tensor([[[[1., 4.]], [[0., 3.]], [[9., 9.]]]])
    out = normalise_cams(cams, torch.tensor([[1, 1, 0]]), torch.ones(1, 1, 2, dtype=torch.bool))
    torch.testing.assert_close(
        out, torch.tensor([[[[.25, 1.]], [[0., 1.]], [[0., 0.]]]]), atol=1e-5, rtol=0)


def test_padding_is_no_maximum():
    cams = torch.tensor([[[[1., 2., 50.]]]])
    out = normalise_cams(cams, torch.ones(1, 1), torch.tensor([[[True, True, False]]]))
    torch.testing.assert_close(out, torch.tensor([[[[.5, 1., 0.]]]]), atol=1e-5, rtol=0)


def test_a_class_that_is_nowhere_active_stays_zero():
    out = normalise_cams(torch.zeros(1, 1, 2, 2), torch.ones(1, 1),
                         torch.ones(1, 2, 2, dtype=torch.bool))
    assert (out == 0).all()


@pytest.mark.parametrize('scores, expected', [
    # class 0 ranks (yes, no), class 1 (no, yes): precisions 1 and 1/2; class 2 is in no image
    ([[.9, .8, .1], [.2, .3, .7]], 75.),
    ([[.9, .1, .1], [.2, .3, .7]], 100.)])
def test_mean_average_precision_of_the_classes_present(scores, expected):
    pytest.importorskip('mmpretrain.evaluation')
    tags = torch.tensor([[1., 0., 0.], [0., 1., 0.]])
    assert float(mean_average_precision(torch.tensor(scores), tags)) == pytest.approx(expected)


def test_a_batch_without_tags_has_no_precision():
    assert mean_average_precision(torch.rand(2, 3), torch.zeros(2, 3)) == 0
