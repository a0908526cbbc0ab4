import torch

from mmseg_wss.models.decode_heads.label_shrinking import shrink


def test_strides_as_the_released_code_shrinks_labels():
    """Of 321 pixels and 41 scores, pixel 8 j belongs to score j."""
    mask = torch.arange(321).expand(1, 321, 321)
    assert shrink(mask, (41, 41))[0, 0].tolist() == list(range(0, 321, 8))
    assert shrink(mask[:, :, :224], (41, 28))[0, 0].tolist() == list(range(0, 224, 8))


def test_an_image_is_shrunk_as_its_mask():
    mask = torch.arange(35).view(1, 5, 7)
    assert torch.equal(shrink(mask[:, None].expand(1, 3, 5, 7), (3, 4))[:, 1],
                       shrink(mask, (3, 4)))
    assert shrink(mask, (3, 4)).tolist() == [[[y * 7 + x for x in (0, 2, 4, 6)]
                                              for y in (0, 2, 4)]]


def test_a_single_score_belongs_to_the_first_pixel():
    assert shrink(torch.arange(35).view(1, 5, 7), (1, 1)).tolist() == [[[0]]]
