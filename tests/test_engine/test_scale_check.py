import re

import pytest

from mmseg_wss.engine.scale_check import scale_warning, seen_sizes
from mmseg_wss.labels.facts import LabelFacts

TO_320 = [dict(type='RandomResize', scale=(320, 320), ratio_range=(0.5, 2.), keep_ratio=True)]


def sizes(side, objects=(), pipeline=()):
    """Of square images with objects of these sizes."""
    return seen_sizes([LabelFacts('a', shape=(side, side), object_sizes=objects)], pipeline)


def test_sizes():
    facts = [LabelFacts('a', shape=(480, 640), object_sizes=(100, 200, 300)),
             LabelFacts('b', shape=(240, 320)), LabelFacts('c')]
    found = seen_sizes(facts, TO_320)
    assert found.files == (480, 360) and found.factors == (0.375, 1.5)
    assert (found.objects, found.seen_objects) == (200, 100)
    assert found.seen_images == pytest.approx((240 * 320) ** 0.5)
    assert str(found) == ('480 x 360 pixels, resized by 0.38 to 1.50; objects of 200 pixels, seen '
                          'with 100')
    assert seen_sizes(facts[2:], TO_320) is None


@pytest.mark.parametrize('trained, evaluated, said', [
    (sizes(320, (80, )), sizes(320, (80, )), None),
    (sizes(640, (160, ), TO_320), sizes(1920, (480, ), TO_320), None),
    # trained at 320 pixels, tested on photographs of 1920 as they are
    (sizes(320, (80, ), TO_320), sizes(1920, (480, )),
     'objects of 480 pixels, but is trained with those of 80 .*scale_factor=0.17'),
    (sizes(320), sizes(1920, (480, )), 'images of 1920 pixels, .* of 320 .*scale_factor=0.17'),
    (sizes(320, (80, )), sizes(960, (80, )), None),  # tiles against whole photographs
    (sizes(320, (80, )), sizes(320, (39, )), 'objects of 39 .*scale_factor=2.1'),
    # a Resize of the test that is too small is to be replaced
    (sizes(320, (80, ), TO_320), sizes(
        320, (80, ), [dict(type='Resize', scale=(80, 80), keep_ratio=True)]), 'scale_factor=1,'),
])
def test_warnings(trained, evaluated, said):
    found = scale_warning(trained, evaluated)
    assert found is None if said is None else re.search(said, found)
