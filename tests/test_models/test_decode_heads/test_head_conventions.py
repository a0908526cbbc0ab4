from mmseg.registry import MODELS
from mmseg.utils import register_all_modules

from mmseg_wss.models.decode_heads.head_conventions import HeadConventions, conventions_of

FCN = dict(type='FCNHead', in_channels=4, in_index=0, channels=8, num_classes=3)


def test_a_head_of_mmseg_has_the_defaults():
    register_all_modules()
    assert conventions_of(MODELS.build(FCN)) == HeadConventions()


def test_a_head_is_read_as_it_is_now():
    register_all_modules()
    head = MODELS.build(dict(type='mmseg_wss.RRMHead', in_channels=4, channels=8, num_classes=3,
                             in_index=0, scales=(0.5, 1.)))
    found = conventions_of(head)
    assert (found.takes_image, found.extra_scales, found.classify_only) == (True, (0.5, ), False)
    assert {id(p) for p in found.segmentation_parameters()} < {id(p) for p in head.parameters()}
    head.classify_only = True
    assert conventions_of(head).classify_only and not conventions_of(head).extra_scales
