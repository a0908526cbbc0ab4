import pytest

from mmseg_wss.errors import DataError
from mmseg_wss.labels.imports.image_files import ImageFiles

FILES = ('1.jpg', 'a/1.jpg', 'b/1.jpg', 'b/c/1.jpg', 'x/y/z/2.PNG', 'ü, 3.jpeg', 'my photo (4).jpg',
         '.hidden/5.jpg', 'notes.txt', 'masks/1.jpg')


@pytest.fixture
def files(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return ImageFiles(str(tmp_path), skipped=('masks', ))


@pytest.mark.parametrize('name, folder, expected', [
    ('1.jpg', '', '1.jpg'), ('1.jpg', 'a', 'a/1.jpg'), ('../b/1.jpg', 'a', 'b/1.jpg'),
    ('/home/me/b/1.jpg', '', 'b/1.jpg'), ('D:\\data\\b\\c\\1.jpg', '', 'b/c/1.jpg'),
    ('elsewhere/2.PNG', '', 'x/y/z/2.PNG'), ('./ü, 3.jpeg', '', 'ü, 3.jpeg'),
    ('my_photo_4.jpg', '', 'my photo (4).jpg')])
def test_an_image_is_found(files, tmp_path, name, folder, expected):
    assert files.find(name, str(tmp_path / folder), 'x.json') == str(tmp_path / expected)


@pytest.mark.parametrize('name, message', [
    ('c/d/1.jpg', 'images may be meant'), ('5.jpg', 'not below'), ('2.jpg', 'not below'),
    ('', 'not below'), ('..', 'not below'), ('notes.txt', 'not below')])
def test_an_image_is_not_found(files, tmp_path, name, message):
    with pytest.raises(DataError, match=f'x.json: .*{message}.*--images'):
        files.find(name, str(tmp_path / 'elsewhere'), 'x.json')
