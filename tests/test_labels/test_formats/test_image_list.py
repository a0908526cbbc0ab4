"""Which files a folder, a list or an image stands for."""
from pathlib import Path

import pytest

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.image_list import find_images


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('1.JPG', 'Küche/1.png', 'Küche/zwei drei.v1.Tiff', 'b/c/1.webp', '.hidden.png',
                 '.cache/1.png', 'notes.txt', 'b/raw.heic', 'out/masks/1.png'):
        path = tmp_path / 'photos' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / 'photos'


def test_a_folder_with_its_sub_folders(photos):
    found = find_images('photos/', without=['photos/out'])
    assert found.images == {
        '1': 'photos/1.JPG', 'Küche/1': 'photos/Küche/1.png', 'b/c/1': 'photos/b/c/1.webp',
        'Küche/zwei drei.v1': 'photos/Küche/zwei drei.v1.Tiff'}
    assert {Path(path).name for path in found.passed_over} == {'notes.txt', 'raw.heic'}


def test_links_are_followed_once(photos):
    (photos / 'b/link').symlink_to(photos / 'Küche')
    (photos / 'b/loop').symlink_to(photos)
    names = sorted(Path(path).name for path in find_images(str(photos)).images.values())
    assert names == ['1.JPG', '1.png', '1.png', '1.webp', 'zwei drei.v1.Tiff']


def test_one_image(photos, monkeypatch):
    assert find_images('photos/1.JPG').images == {'1': 'photos/1.JPG'}
    monkeypatch.chdir(photos)
    assert find_images('1.JPG').images == {'1': '1.JPG'}


def test_a_list_of_paths_and_names(photos, tmp_path):
    lines = '\ufeffKüche/zwei drei.v1\r\n\r\nb/c/1.webp\r\n1\r\n1\r\n'
    (photos / 'list.txt').write_text(lines, encoding='utf-8')
    (tmp_path / 'list.txt').write_text(lines, encoding='utf-8')
    expected = {'1': 'photos/1.JPG', 'Küche/zwei drei.v1': 'photos/Küche/zwei drei.v1.Tiff',
                'b/c/1': 'photos/b/c/1.webp'}
    assert find_images('photos/list.txt').images == expected
    assert find_images('list.txt', image_dir='photos').images == expected


@pytest.mark.parametrize('lines, message', [
    ('1\nmissing\nb/2.png', r'no image for 2 of its lines in photos: missing, b/2\.png'),
    ('../photos/1.JPG\n../elsewhere.png', r'elsewhere\.png lies outside photos.*--image-dir'),
    ('Küche/1', r'Küche/1 may be photos/Küche/1\.jpg or photos/Küche/1\.png\. Write the suffix'),
    ('Küche/1.png\nKüche/1.jpg', r'1\.jpg and photos/Küche/1\.png: .* one name, Küche/1'),
    ('', 'there is no image')])
def test_lists_that_name_no_image_or_two(photos, tmp_path, lines, message):
    (photos / 'Küche/1.jpg').touch()
    (tmp_path / 'elsewhere.png').touch()
    Path('photos/list.txt').write_text(lines, encoding='utf-8')
    with pytest.raises(DataError, match=message):
        find_images('photos/list.txt')


def test_two_suffixes_of_one_name(photos):
    (photos / 'Küche/1.bmp').touch()
    with pytest.raises(DataError, match=r'Küche/1\.bmp and .*1\.png: .*Rename one'):
        find_images('photos')


@pytest.mark.parametrize('source', ['nothing', 'photos/b/empty'])
def test_nothing_there(photos, source):
    (photos / 'b/empty').mkdir()
    with pytest.raises(DataError, match=f'{source}: there is no'):
        find_images(source)
