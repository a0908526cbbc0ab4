import pytest
import torch
import torch.nn.functional as F

from mmseg_wss.models.decode_heads.kind_log import KindLog, label_sums


@pytest.mark.parametrize('shape', [(8, 12), (7, 9), (4, 3)])
def test_sums_are_those_of_upsampled_logits(shape):
    generator = torch.Generator().manual_seed(0)
    weak, strong = (torch.randn(3, 5, 4, 3, generator=generator) for _ in range(2))
    labels = torch.randint(5, (3, *shape), generator=generator)
    labels[:, :2], labels[2] = 255, 255
    sums = label_sums(weak, strong, labels)
    for n in range(3):
        known = labels[n] != 255
        large = [F.interpolate(logits[n:n + 1], size=shape, mode='nearest')[0]
                 for logits in (weak, strong)]
        expected = (F.cross_entropy(large[0][None], labels[n][None], ignore_index=255,
                                    reduction='sum'),
                    ((large[1].argmax(0) == labels[n]) & known).sum(), known.sum())
        torch.testing.assert_close(sums[n], torch.stack([x.float() for x in expected]))


def test_shares_and_agreement():
    log = KindLog(decay=0.5)
    assert log.values() == {}
    log.add(['box'], torch.tensor([[9., 9, 9]]))
    assert log.values() == {}
    log = KindLog(decay=0.5)
    log.add(['box', 'point', 'box'], torch.tensor([[1., 30, 40], [6, 2, 4], [1, 10, 40]]))
    assert log.values() == {'share.box': 25, 'agree.box': 50, 'share.point': 75,
                            'agree.point': 50}
    log.add(['box', 'none', 'point'], torch.tensor([[0., 40, 40], [4, 0, 8], [2, 0, 0]]))
    values = {key: value.item() for key, value in log.values().items()}
    assert values == pytest.approx({
        'share.box': 10, 'share.none': 40, 'share.point': 50, 'agree.box': 75, 'agree.none': 0,
        'agree.point': 50})


def test_a_kind_without_labelled_pixels_has_numbers():
    log = KindLog()
    log.add(['box', 'none'], torch.zeros(2, 3))
    assert all(value == 0 for value in log.values().values())
