"""Files by names that people and archives write differently."""
import os
from unicodedata import normalize

import pytest

from mmseg_wss.utils.file_names import FolderIndex, list_folder, near_name

NFC, NFD = (normalize(form, 'Größe é') for form in ('NFC', 'NFD'))
SUFFIXES = '.jpg', '.png'


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return str(root)


def test_a_list_in_nfc_and_a_disk_in_nfd_and_the_reverse(tmp_path):
    assert NFC != NFD
    touch(tmp_path, f'{NFD}/{NFD}.png', f'{NFD}/a.png', 'b.png')
    index = FolderIndex()
    for name in (NFC, NFD):
        for file in (NFC, NFD):
            assert index.path(f'{tmp_path}/{name}/{file}.png') == f'{tmp_path}/{NFD}/{NFD}.png'
        assert index.path(f'{tmp_path}/{name}/a.png') == f'{tmp_path}/{NFD}/a.png'
        assert index.with_suffix(f'{tmp_path}/{name}/a', SUFFIXES) == [f'{tmp_path}/{NFD}/a.png']
        missing = f'{tmp_path}/{name}/none é.png'
        assert index.path(missing) == missing
    assert index.path(f'{tmp_path}/no.png') == f'{tmp_path}/no.png'


def test_any_suffix_and_only_these(tmp_path):
    root = touch(tmp_path, 'a.JPG', 'b.png', 'c.jpg', 'c.PNG', 'd.txt', 'e.f.jpg', 'g 1.png', 'h')
    (tmp_path / 'i.png').mkdir()
    found = {name: [os.path.basename(path) for path in FolderIndex().with_suffix(
        f'{root}/{name}', SUFFIXES)] for name in ('a', 'b', 'c', 'd', 'e', 'e.f', 'g 1', 'h', 'i')}
    assert found == {'a': ['a.JPG'], 'b': ['b.png'], 'c': ['c.PNG', 'c.jpg'], 'd': [], 'e': [],
                     'e.f': ['e.f.jpg'], 'g 1': ['g 1.png'], 'h': [], 'i': []}


def test_each_folder_is_listed_once(tmp_path, monkeypatch):
    root = touch(tmp_path, 'a/1.jpg', 'a/2.jpg', 'b/é.jpg')
    listed, scandir = [], os.scandir
    monkeypatch.setattr(os, 'scandir', lambda path: listed.append(str(path)) or scandir(path))
    index = FolderIndex()
    for name in ('a/1', 'a/2', 'b/é', 'a/3', 'none/1'):
        index.with_suffix(f'{root}/{name}', SUFFIXES)
    assert sorted(listed) == [f'{root}/a', f'{root}/b']


def test_a_backend_is_listed_through_mmengine(tmp_path):
    root = touch(tmp_path, 'a/é.JPG', 'a/b/c.png')
    local = dict(backend='local')
    assert list_folder(f'{root}/a', backend_args=local) == ['é.JPG']
    assert list_folder(f'{root}/a', files=False, backend_args=local) == ['b']
    assert list_folder(f'{root}/none', backend_args=local) == list_folder(f'{root}/none') == []
    assert FolderIndex(local).with_suffix(f'{root}/a/é', SUFFIXES) == [f'{root}/a/é.JPG']


@pytest.mark.parametrize('missing, said', [
    ('img_1.jpg', ' (there is IMG_1.JPG: capitals count)'),
    ('b.jpg', ' (there is b.gif: another suffix)'),
    ('B.xml', ' (there is b.gif: capitals count)'),
    ('IMG_1.JPG.jpg', ' (there is IMG_1.JPG: IDs have no suffix)'),
    ('c.jpg', ''), ('none/c.jpg', '')])
def test_what_may_have_been_meant(tmp_path, missing, said):
    touch(tmp_path, 'IMG_1.JPG', 'b.gif')
    assert near_name(tmp_path / missing) == said


def test_a_file_that_comes_later_is_seen(tmp_path):
    assert near_name(tmp_path / 'a.jpg') == ''
    touch(tmp_path, 'A.jpg')
    os.utime(tmp_path, (1, 1))
    assert 'A.jpg' in near_name(tmp_path / 'a.jpg')
