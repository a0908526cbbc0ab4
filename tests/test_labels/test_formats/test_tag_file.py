"""Tag files as people and spreadsheets write them."""
import csv
import io
import random

import pytest

from mmseg_wss.labels.formats.tag_file import parse_line, read_rows, read_tag_file, tag_line
from mmseg_wss.labels.formats.text_list import write_lines


@pytest.mark.parametrize('line, fields', [
    ('a', ['a']), ('a b  c', ['a', 'b', 'c']), ('a,b,c', ['a', 'b', 'c']), ('a,', ['a']),
    ('a\tb c\td', ['a', 'b c', 'd']), ('a\tb, upper body', ['a', 'b', 'upper body']),
    ('my photo, upper body , b,,', ['my photo', 'upper body', 'b']),
    ('"my photo" "upper body" b', ['my photo', 'upper body', 'b']),
    ('"a, b" c', ['a, b', 'c']), ('"a, b",c d', ['a, b', 'c d']), ('"a\tb"\tc', ['a\tb', 'c']),
    ('"say ""a""" b', ['say "a"', 'b']), ('5" a, 6" b', ['5" a', '6" b'])])
def test_lines(line, fields):
    assert parse_line(line) == fields


def test_lines_with_commas_are_those_of_the_csv_module():
    rng = random.Random(0)
    for _ in range(500):
        fields = [''.join(rng.choices('ab "é\t,', k=rng.randint(1, 5))).strip() or 'x'
                  for _ in range(rng.randint(2, 4))]
        stream = io.StringIO()
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerow(fields)
        assert parse_line(stream.getvalue().strip()) == fields


def test_what_is_written_is_read_back(tmp_path):
    rng = random.Random(1)
    rows = {}
    while len(rows) < 2000:
        name, *tags = (''.join(rng.choices('ab1é ,"\t\';/#-', k=rng.randint(1, 6))).strip() or 'x'
                       for _ in range(rng.randint(1, 4)))
        rows[name] = tags
    write_lines(tmp_path / 'tags.txt', (tag_line(name, tags) for name, tags in rows.items()))
    assert read_tag_file(tmp_path / 'tags.txt', list(rows), 'list') == (rows, [])
    assert [row[0] for row in read_rows(tmp_path / 'tags.txt')] == list(rows)


@pytest.mark.parametrize('line, said', [
    ('w0 "red', 'quotes that do not enclose a name'), ('w0 "re"d', 'quotes that do not'),
    (', red', 'no ID in front')])
def test_faulty_lines_name_the_format(tmp_path, line, said):
    (tmp_path / 'tags.txt').write_text(f'w1 red\n{line}\n')
    tags, (fault, ) = read_tag_file(str(tmp_path / 'tags.txt'), ['w0'], 'list')
    assert tags == {} and fault.startswith(f'{tmp_path}/tags.txt: the line {line!r}')
    assert said in fault and 'separated by commas or tabs, or by blanks' in fault


def test_the_line_that_is_missing_may_be_the_id_alone(tmp_path):
    (tmp_path / 'tags.txt').write_text('w0\n')
    tags, (fault, ) = read_tag_file(str(tmp_path / 'tags.txt'), ['w0', 'my photo'], 'list')
    assert tags == {'w0': []}
    assert 'Add ""my photo" CLASS ..."' in fault and 'the ID alone' in fault
    assert "supervision='none'" in fault and 'double quotes' in fault
