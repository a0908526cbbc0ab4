from itertools import combinations

import numpy as np
import pytest
from mmseg.utils import get_classes, get_palette

from mmseg_wss.labels.formats.class_names import VOC_CLASSES
from mmseg_wss.labels.palette import class_palette, voc_palette
from mmseg_wss.visualization.panels import IGNORED


def test_names_and_colours_are_those_of_mmseg():
    assert list(VOC_CLASSES) == get_classes('voc')
    assert voc_palette(21).tolist() == get_palette('voc')


def test_every_value_has_a_colour_and_void_the_published_one():
    palette = voc_palette()
    assert palette.shape == (256, 3) and palette.dtype == np.uint8
    assert len(np.unique(palette, axis=0)) == 256
    assert palette[255].tolist() == [224, 224, 192]


def lab(colours):
    """CIELAB of sRGB colours (N, 3), 0..255, by its definition (CIE 15, D65)."""
    rgb = np.asarray(colours) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array([[0.4124564, 0.2126729, 0.0193339], [0.3575761, 0.7151522, 0.1191920],
                             [0.1804375, 0.0721750, 0.9503041]]) / (0.95047, 1, 1.08883)
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def least_distance(colours):
    return min(np.linalg.norm(a - b) for a, b in combinations(lab(colours), 2))


def test_the_conversion_to_lab_is_right():
    assert np.allclose(lab([(255, 255, 255), (255, 0, 0)]), [(100, 0, 0), (53.24, 80.09, 67.20)],
                       atol=0.02)


@pytest.mark.parametrize('number, least', [(12, 50), (20, 39), (30, 35)])
def test_colours_of_own_classes_can_be_told_apart(number, least):
    """Also from the grey of ignored pixels."""
    colours = class_palette(['background', *map(str, range(1, number))])
    assert len(colours) == number and colours[0] == [0, 0, 0]
    assert least_distance([*colours, IGNORED]) > least > 3 * least_distance(voc_palette(number))


def test_voc_keeps_its_colours_and_any_number_of_classes_has_different_ones():
    assert class_palette(VOC_CLASSES) == voc_palette(21).tolist()
    many = class_palette([str(k) for k in range(256)])
    assert len({tuple(colour) for colour in many}) == len(many) == 256
    assert all(0 <= value < 256 for colour in many for value in colour)
