import torch

from mmseg_wss.models.decode_heads.label_shrinking import shrink, shrink_clicks


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


def test_no_click_gets_lost():
    """Each of 30 single pixels labels the small one that `shrink` takes next to it."""
    generator = torch.Generator().manual_seed(0)
    mask = torch.full((1, 41, 33), 255)
    for _ in range(30):
        mask.fill_(255)
        y, x, label = (int(torch.randint(high, (), generator=generator)) for high in (41, 33, 5))
        mask[0, y, x] = label
        small = shrink_clicks(mask, (6, 5), 5)
        (_, row, column), = (small != 255).nonzero().tolist()
        assert small[0, row, column] == label
        assert abs(7 * row - y) == min(abs(7 * r - y) for r in range(6))
        assert abs(7 * column - x) == min(abs(7 * c - x) for c in range(5))


def test_of_clicks_that_meet_most_win():
    mask = torch.full((2, 8, 8), 255)
    mask[0, 0, :3] = torch.tensor([2, 1, 2])
    mask[1, 0, :2] = torch.tensor([2, 1])
    assert shrink_clicks(mask, (1, 1), 3).tolist() == [[[2]], [[1]]]
