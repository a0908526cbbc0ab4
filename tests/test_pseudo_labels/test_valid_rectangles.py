import torch

from mmseg_wss.pseudo_labels.valid_rectangles import valid_rectangles


def test_images_of_one_size_come_together_and_empty_ones_not_at_all():
    valid = torch.zeros(4, 6, 7, dtype=torch.bool)
    valid[0, :4, :5] = valid[2, :4, :5] = valid[3, :6, :5] = True
    assert list(valid_rectangles(valid)) == [
        ([0, 2], slice(0, 4), slice(0, 5)), ([3], slice(0, 6), slice(0, 5))]
