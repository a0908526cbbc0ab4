import random

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
    ('/elsewhere/2.PNG', '', 'x/y/z/2.PNG'), ('z/2.PNG', '', 'x/y/z/2.PNG'),
    ('photos/ü, 3.jpeg', '', 'ü, 3.jpeg'), ('http://x.org/2.PNG', '', 'x/y/z/2.PNG'),
    ('./ü, 3.jpeg', '', 'ü, 3.jpeg'),
    ('my_photo_4.jpg', '', 'my photo (4).jpg')])
def test_an_image_is_found(files, tmp_path, name, folder, expected):
    assert files.find(name, str(tmp_path / folder), 'x.json') == str(tmp_path / expected)


@pytest.mark.parametrize('name, message', [
    ('elsewhere/2.PNG', 'no image .*2.PNG is in another folder'), ('w/x/y/2.PNG', 'no image'),
    ('a/ü, 3.jpeg', 'no image'), ('/home/me/a/2.PNG', 'no image'),
    ('c/d/1.jpg', 'images may be meant'), ('5.jpg', 'no image'), ('2.jpg', 'no image'),
    ('', 'no image'), ('..', 'no image'), ('notes.txt', 'no image')])
def test_an_image_is_not_found(files, tmp_path, name, message):
    with pytest.raises(DataError, match=f'x.json: .*{message}.*--images'):
        files.find(name, str(tmp_path / 'elsewhere'), 'x.json')


def test_folders_for_images_say_nothing(tmp_path):
    (tmp_path / 'images').mkdir()
    (tmp_path / 'images/1.jpg').touch()
    files = ImageFiles(str(tmp_path))
    for name in ('1.jpg', 'photos/1.jpg', 'JPEGImages/1.jpg', '/home/me/1.jpg'):
        assert files.find(name, str(tmp_path / 'x'), 'x.json') == str(tmp_path / 'images/1.jpg')


def test_accents_are_spelt_in_two_ways(tmp_path):
    (tmp_path / 'su\u0308d/a').mkdir(parents=True)
    (tmp_path / 'su\u0308d/a/1.jpg').touch()
    assert ImageFiles(str(tmp_path)).find('s\xfcd/a/1.jpg', '.', 'x.json').endswith('d/a/1.jpg')


def test_names_without_suffix(tmp_path):
    for name in ('a/1.jpg', 'b/1.png', 'c/1.5.JPG', 'd/2.jpg', 'd/2.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files = ImageFiles(str(tmp_path), by_stem=True)
    for name, expected in (('x/b/1', 'b/1.png'), ('1.5', 'c/1.5.JPG'), ('a/1', 'a/1.jpg')):
        assert files.find(name, str(tmp_path), 'x.xml') == str(tmp_path / expected)
    for name in ('1', 'd/2', '2'):
        with pytest.raises(DataError, match=f'2 images may be meant by {name!r}'):
            files.find(name, str(tmp_path), 'x.xml')
    with pytest.raises(DataError, match='no image'):
        files.find('1.jpg', str(tmp_path), 'x.xml')


@pytest.mark.parametrize('path, split', [
    ('train/images/a.jpg', 'train'), ('images/val2017/a.jpg', 'val'), ('valid/a.jpg', 'val'),
    ('test_7.jpg', ''), ('photos/train 1.jpg', ''), ('trains/a.jpg', '')])
def test_folders_say_the_split(tmp_path, path, split):
    root = tmp_path / 'test'
    assert ImageFiles(str(root)).split_of(str(root / path)) == split


def test_an_image_that_is_found_has_all_folders_of_the_name_or_the_name_has_all_of_its(tmp_path):
    """All relative names in random trees, against the ends of the paths."""
    draw = random.Random(0)
    folders = [(), *((a, ) for a in 'abc'), *((a, b) for a in 'abc' for b in 'abc')]
    names = ['/'.join((*above, '1.jpg')) for above in folders]
    hits = 0
    for tree in range(30):
        there = set(draw.sample(names, draw.randint(1, 5)))
        for name in there:
            (tmp_path / str(tree) / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / str(tree) / name).touch()
        files = ImageFiles(str(tmp_path / str(tree)))
        for name in names:
            try:
                path = files.find(name, str(tmp_path / str(tree)), 'x.json')
            except DataError:
                assert name not in there
                continue
            found = path.removeprefix(f'{tmp_path}/{tree}/')
            assert found == name if name in there else (
                f'/{found}'.endswith(f'/{name}') or f'/{name}'.endswith(f'/{found}'))
            hits += found != name
    assert hits > 30
