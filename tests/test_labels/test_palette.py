from mmseg.utils import get_classes, get_palette

from mmseg_wss.labels.formats.class_names import VOC_CLASSES
from mmseg_wss.labels.palette import voc_palette


def test_names_and_colours_are_those_of_mmseg():
    assert list(VOC_CLASSES) == get_classes('voc')
    assert voc_palette(21).tolist() == get_palette('voc')
