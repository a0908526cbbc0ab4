"""Names, and the lists that images go to."""
from collections import Counter

import pytest

from mmseg_wss.errors import DataError
from mmseg_wss.labels.imports.devkit import Written, image_ids
from mmseg_wss.labels.imports.lists import choose_kinds


def test_ids_are_paths_below_the_folder_of_all():
    assert image_ids(['/a/b/c/1.jpg', '/a/b/ü 2.JPG', '/a/b/c/d, e/1.png']) == {
        '/a/b/c/1.jpg': 'c/1', '/a/b/ü 2.JPG': 'ü 2', '/a/b/c/d, e/1.png': 'c/d, e/1'}


def test_accents_are_one_letter():
    assert image_ids(['/a/u\u0308.jpg']) == {'/a/u\u0308.jpg': '\u00fc'}


def test_ids_stay_apart():
    assert image_ids(['/a/1.jpg', '/a/1.png', '/a/x.jpg']) == {
        '/a/1.jpg': '1__jpg', '/a/1.png': '1__png', '/a/x.jpg': 'x'}


def test_an_id_does_not_end_like_a_flag_of_voc():
    assert image_ids(['/a/x 1.jpg', '/a/x 12.jpg', '/a/x -1.jpg']) == {
        '/a/x 1.jpg': 'x_1', '/a/x 12.jpg': 'x 12', '/a/x -1.jpg': 'x_-1'}
    with pytest.raises(DataError, match='names of others.*Rename'):
        image_ids(['/a/x 1.jpg', '/a/x_1.jpg'])


@pytest.mark.parametrize('name', [' a.jpg', 'a .jpg', 'a\nb.jpg'])
def test_names_that_no_list_can_hold(name):
    with pytest.raises(DataError, match='1 image.*Rename'):
        image_ids(['/x/ok.jpg', f'/x/{name}'])


def written(*kinds, is_empty=False):
    return Written(kinds, (), is_empty, Counter())


EMPTY = written('pixel', 'box', 'image', is_empty=True)


@pytest.mark.parametrize('others, expected', [
    ([('pixel', 'box', 'image'), ('box', 'image')], ['pixel', 'box', 'pixel']),
    ([('box', 'image'), ('image', )], ['box', 'image', 'box']),
    ([('image', ), ()], ['image', 'none', 'image']),
    ([('point', 'image'), ('scribble', 'point')], ['point', 'scribble', 'empty'])])
def test_the_richest_kind_and_empty_images(others, expected):
    images = {str(number): written(*kinds) for number, kinds in enumerate(others)}
    assert list(choose_kinds({**images, 'e': EMPTY}).values()) == expected


def test_chosen_kinds():
    images = dict(a=written('pixel', 'box', 'image'), b=written('scribble', 'image'), e=EMPTY)
    assert choose_kinds(images, ['box']) == dict(a='box', b='none', e='box')
    assert choose_kinds(images, ['image']) == dict(a='image', b='image', e='image')
