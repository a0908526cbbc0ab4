import json

import pytest

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.json_file import entries, read_json


def test_files_of_windows_and_kept_objects(tmp_path):
    path = tmp_path / 'a.json'
    path.write_bytes(b'\xef\xbb\xbf' + json.dumps([dict(a=dict(b=1)), 'ü']).encode())
    assert read_json(path) == [dict(a=dict(b=1)), 'ü']
    assert read_json(path, lambda entry: sorted(entry)) == [['a'], 'ü']


@pytest.mark.parametrize('content', [b'', b'[1', b'\xff', b'[' * 100000])
def test_what_is_no_json(tmp_path, content):
    (tmp_path / 'a.json').write_bytes(content)
    with pytest.raises(DataError, match='a.json: not a readable JSON file'):
        read_json(tmp_path / 'a.json')
    with pytest.raises(DataError, match='b.json: the file cannot be read'):
        read_json(tmp_path / 'b.json')


def test_entries_are_dicts():
    assert entries([{}, 1, [], dict(a=2)]) == [{}, dict(a=2)] and entries({}) == []
