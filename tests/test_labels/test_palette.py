import numpy as np
import pytest
from mmseg.utils import get_classes, get_palette

from mmseg_wss.labels.formats.class_names import VOC_CLASSES
from mmseg_wss.labels.palette import voc_palette


def test_names_and_colours_are_those_of_mmseg():
    assert list(VOC_CLASSES) == get_classes('voc')
    assert voc_palette(21).tolist() == get_palette('voc')


def test_every_value_has_a_colour_and_void_the_published_one():
    palette = voc_palette()
    assert palette.shape == (256, 3) and palette.dtype == np.uint8
    assert len(np.unique(palette, axis=0)) == 256
    assert palette[255].tolist() == [224, 224, 192]
    with pytest.raises(ValueError, match='-1'):
        voc_palette(-1)
