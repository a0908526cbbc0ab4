"""Lists as editors and shells of any system write them."""
import codecs

import pytest

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.text_list import read_lines

LINES = ['a red', 'Müller', 'b']


@pytest.mark.parametrize('mark', [b'', codecs.BOM_UTF8])
@pytest.mark.parametrize('end', ['\n', '\r\n', '\r', ' \n\n\t\n'])
def test_line_ends_and_marks(tmp_path, mark, end):
    (tmp_path / 'a.txt').write_bytes(mark + end.join(LINES).encode())
    assert read_lines(tmp_path / 'a.txt') == LINES
    assert read_lines(str(tmp_path / 'a.txt')) == LINES


@pytest.mark.parametrize('text, encoding', [
    ('a\nb\n', 'utf-16'),  # with a mark, as PowerShell's > writes it
    ('a\nb\n', 'utf-16-le'), ('a\nb\n', 'utf-16-be'), ('ä\nb\n', 'latin-1')])
def test_other_encodings_are_refused(tmp_path, text, encoding):
    (tmp_path / 'a.txt').write_bytes(text.encode(encoding))
    with pytest.raises(DataError, match=r'a\.txt: .*Save it as UTF-8'):
        read_lines(tmp_path / 'a.txt')


def test_an_empty_file_and_none(tmp_path):
    (tmp_path / 'a.txt').write_bytes(codecs.BOM_UTF8)
    assert read_lines(tmp_path / 'a.txt') == []
    with pytest.raises(FileNotFoundError):
        read_lines(tmp_path / 'b.txt')
