"""Lists as editors and shells of any system write them."""
import codecs
import re

import pytest

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.class_names import devkit_classes, read_class_names
from mmseg_wss.labels.formats.id_list import read_id_list, set_option
from mmseg_wss.labels.formats.tag_file import read_tag_file
from mmseg_wss.labels.formats.text_list import read_lines

LINES = ['a red', 'Müller', 'b']


def write(path, content):
    if content is not None:
        path.write_bytes(content)
    return str(path)


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


@pytest.mark.parametrize('encoding', [
    'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32', 'utf-32-le', 'utf-32-be'])
@pytest.mark.parametrize('read', [
    lambda path: read_lines(path), lambda path: devkit_classes(path.parent),
    lambda path: read_class_names(path)])
def test_two_bytes_a_character_are_named(tmp_path, encoding, read):
    path = tmp_path / 'classes.txt'
    for text in ('w0 red\nw1 green\n', 'Müller\n', 'ä'):
        path.write_bytes(text.encode(encoding))
        with pytest.raises(DataError, match=r'classes\.txt: .*in UTF-16, as PowerShell.*as UTF-8'):
            read(path)


def test_an_empty_file_and_none(tmp_path):
    (tmp_path / 'a.txt').write_bytes(codecs.BOM_UTF8)
    assert read_lines(tmp_path / 'a.txt') == []
    with pytest.raises(FileNotFoundError):
        read_lines(tmp_path / 'b.txt')


@pytest.mark.parametrize('content, said', [
    (None, "no such list.*Set ann_file .*data_root='root'"),
    (b' \n\n', 'empty.*Write an image ID'),
    (b's0\ns1\ns0\n', 'more than once: s0.*Name every'),
    ('s0\ns1\n'.encode('utf-16'), 'Save it as UTF-8')])
def test_faults_of_an_id_list(tmp_path, content, said):
    path = write(tmp_path / 'a.txt', content)
    _, (fault, ) = read_id_list(path, set_option('ann_file', 'root'))
    assert fault.startswith(f'{path}: ') and re.search(said, fault)


@pytest.mark.parametrize('content, said', [
    (None, 'no such tag file. Give a file of lines "ID CLASS'),
    (b'w0 red\n', r'no line for 2 image\(s\) of weak.txt: w1, w2. Add "w1 CLASS'),
    (b'w0 red\nw1 red\nw1 green\nw2 red\n', 'more than one line for w1.*Write all'),
    ('w0 red\n'.encode('utf-16'), 'Save it as UTF-8')])
def test_faults_of_a_tag_file(tmp_path, content, said):
    path = write(tmp_path / 'a.txt', content)
    _, (fault, ) = read_tag_file(path, ['w0', 'w1', 'w2'], 'weak.txt')
    assert fault.startswith(f'{path}: ') and re.search(said, fault)


def test_faults_of_class_names(tmp_path):
    with pytest.raises(DataError, match=r'names\.txt: there is no such file.*Set metainfo'):
        read_class_names(str(tmp_path / 'names.txt'))
    write(tmp_path / 'classes.txt', 'background\nred\n'.encode('utf-16'))
    with pytest.raises(DataError, match=r'classes\.txt: .*Save it as UTF-8'):
        devkit_classes(str(tmp_path))
