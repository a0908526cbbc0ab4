"""Lists of images with names as people have them."""
from unicodedata import normalize

import pytest

from mmseg_wss.labels.formats.id_list import read_id_list


@pytest.mark.parametrize('lines, ids', [
    (['000002 copy', '000002'], ['000002 copy', '000002']),
    (['2007_000032  1', '2007_000039 -1', '2007_000061  0'],
     ['2007_000032', '2007_000039', '2007_000061']),  # VOC's own
    (['a 1', 'b -1', 'c 0', 'd\t1'], ['a', 'b', 'c', 'd']),
    (['photo 1', 'photo 2', 'my  photo -1'], ['photo 1', 'photo 2', 'my  photo']),
    (['a, b', 'upper body/1', '1', '-1'], ['a, b', 'upper body/1', '1', '-1']),
    (['Größe é/ü'], ['Größe é/ü'])])
def test_ids(tmp_path, lines, ids):
    for form in ('NFC', 'NFD'):
        (tmp_path / 'a.txt').write_text(normalize(form, '\n'.join(lines)), encoding='utf-8')
        assert read_id_list(tmp_path / 'a.txt') == (ids, [])
