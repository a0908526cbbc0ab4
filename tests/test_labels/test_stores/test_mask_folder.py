import errno
import os
import resource
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.palette import voc_palette
from mmseg_wss.labels.stores.mask_folder import MaskFolder, maker_faults, read_records
from mmseg_wss.utils.fileio import atomic_path

RECIPE = dict(tool='test', method='a', options=dict(width=3))
OTHER = dict(RECIPE, method='b')
MASK = np.arange(12, dtype=np.uint8).reshape(3, 4)
MASK[0, 0] = 255


def names(folder):
    """Of all files but locks."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob('*')
                  if path.is_file() and not path.name.startswith('.lock'))


def test_a_mask_is_read_back_with_its_record_and_colours(tmp_path):
    root = tmp_path / 'new' / 'folder'
    folder = MaskFolder(root, RECIPE)
    assert not folder.is_done('x')
    folder.write('x', MASK, 'boxes', seconds=0.5)
    folder.write('below/y', MASK)
    assert folder.is_done('x', 'boxes') and folder.is_done('below/y')
    with Image.open(root / 'x.png') as png:
        assert png.mode == 'P'
        np.testing.assert_array_equal(np.array(png), MASK)
        np.testing.assert_array_equal(
            np.array(png.getpalette()).reshape(-1, 3), voc_palette(256))
    assert read_records(root) == {
        'x': dict(recipe=RECIPE, inputs='boxes', seconds=0.5),
        'below/y': dict(recipe=RECIPE, inputs='')}
    assert names(root) == ['below/y.png', 'x.png']  # nothing beside the masks
    assert read_records(tmp_path / 'missing') == {}


def test_done_means_this_recipe_these_inputs_and_a_file(tmp_path):
    MaskFolder(tmp_path, RECIPE).write('x', MASK, 'boxes')
    assert MaskFolder(tmp_path, dict(reversed(RECIPE.items()))).is_done('x', 'boxes')
    assert not MaskFolder(tmp_path, RECIPE).is_done('x', 'other boxes')
    assert not MaskFolder(tmp_path, OTHER).is_done('x', 'boxes')
    (tmp_path / 'x.png').unlink()
    assert not MaskFolder(tmp_path, RECIPE).is_done('x', 'boxes')


def test_a_recipe_is_compared_as_json_has_it(tmp_path):
    recipe = dict(RECIPE, classes=('background', 'red'), seeds=(0.2, 0.06))
    MaskFolder(tmp_path, recipe).write('x', MASK, tags=(0, 1))
    assert MaskFolder(tmp_path, recipe).is_done('x', tags=[0, 1])


def test_further_facts_count_where_they_are_asked_for(tmp_path):
    with MaskFolder(tmp_path, RECIPE) as folder:
        folder.write('x', MASK, 'boxes', source='1a')
        assert folder.is_done('x', 'boxes') and folder.is_done('x', 'boxes', source='1a')
        assert not folder.is_done('x', 'boxes', source='2b')
        assert not folder.is_done('x', 'boxes', other=1)


def test_a_kill_leaves_the_old_mask_with_its_record(tmp_path, monkeypatch):
    MaskFolder(tmp_path, RECIPE).write('x', MASK)

    def killed(*paths):
        raise KeyboardInterrupt
    monkeypatch.setattr(os, 'replace', killed)
    with pytest.raises(KeyboardInterrupt):
        MaskFolder(tmp_path, OTHER).write('x', 1 - MASK)
    assert read_records(tmp_path)['x']['recipe'] == RECIPE
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / 'x.png')), MASK)
    assert names(tmp_path) == ['x.png']


@contextmanager
def largest_file(size):
    """A disk that is full as soon as a file has `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_full_disk(tmp_path):
    folder = MaskFolder(tmp_path, RECIPE)
    folder.write('x', MASK, 'old')
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    with largest_file(2000):
        for name in ('x', 'y'):
            with pytest.raises(OSError):
                folder.write(name, noise, 'new')
    assert names(tmp_path) == ['x.png']
    assert folder.is_done('x', 'old') and not folder.is_done('x', 'new')
    folder.write('y', noise, 'new')
    folder.close()
    again = MaskFolder(tmp_path, RECIPE)
    assert again.is_done('y', 'new') and again.is_done('x', 'old')


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_with_the_remedy(tmp_path, monkeypatch, number):
    """The error of fsync names no file."""
    def fsync(_):
        raise OSError(number, os.strerror(number))
    folder = MaskFolder(tmp_path, RECIPE)
    monkeypatch.setattr(os, 'fsync', fsync)
    with pytest.raises(OSError, match=r'below/x\.png: .*Free space') as error:
        folder.write('below/x', MASK)
    assert error.value.errno == number
    assert names(tmp_path) == []


# ---- at the same time

@pytest.mark.parametrize('first, second, together', [
    ((0, 2), (1, 2), True), ((0, 2), (0, 1), False), ((0, 1), (0, 2), False),
    ((0, 1), (0, 1), False), ((0, 2), (0, 2), False)])
def test_who_shares_a_folder(tmp_path, first, second, together):
    with MaskFolder(tmp_path, RECIPE, first) as folder:
        half = atomic_path(tmp_path / 'y.png').__enter__()
        half.touch()
        if together:
            MaskFolder(tmp_path, RECIPE, second).write('y', MASK)
        else:
            with pytest.raises(BlockingIOError, match=f'{tmp_path}: another process .* Wait'):
                MaskFolder(tmp_path, RECIPE, second)
        assert half.exists()
        folder.write('x', MASK)
    assert sorted(read_records(tmp_path)) == ['x', 'y'][:1 + together]
    MaskFolder(tmp_path, RECIPE, second).close()  # free again


# ---- whose folder

def test_masks_of_others_are_not_overwritten(tmp_path):
    (tmp_path / 'x.png').write_bytes(b'drawn by hand')
    Image.fromarray(MASK).save(tmp_path / 'y.png')
    stale = tmp_path / '.tmp-1-z.png'
    stale.touch()
    with pytest.raises(DataError, match=r'2 mask\(s\) have no record .*: x, y\..*empty folder'):
        MaskFolder(tmp_path, RECIPE)
    assert sorted(os.listdir(tmp_path)) == ['.tmp-1-z.png', 'x.png', 'y.png']
    for name in ('x', 'y'):
        (tmp_path / f'{name}.png').unlink()
    MaskFolder(tmp_path, RECIPE).write('y', MASK)
    (tmp_path / 'x.png').write_bytes(b'drawn by hand')
    with pytest.raises(DataError, match=': x.'):
        MaskFolder(tmp_path, RECIPE, (0, 2))


def test_leftovers_are_cleared_by_an_unsharded_start_alone(tmp_path):
    MaskFolder(tmp_path, RECIPE).close()
    for target in (tmp_path / 'y.png', tmp_path / 'below' / 'z.png'):
        atomic_path(target).__enter__().write_bytes(b'half')  # never exited, as a kill leaves it
    MaskFolder(tmp_path, RECIPE, (0, 2))
    assert len(list(tmp_path.rglob('.tmp-*'))) == 2
    MaskFolder(tmp_path, RECIPE)
    assert not list(tmp_path.rglob('.tmp-*'))


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match='shard'):
        MaskFolder(tmp_path, RECIPE, (2, 2))
    folder = MaskFolder(tmp_path, RECIPE)
    with pytest.raises(ValueError, match=r'uint8 \(H, W\), got int64'):
        folder.write('x', MASK.astype(np.int64))
    for name in ('../x', str(tmp_path.parent / 'x')):
        with pytest.raises(ValueError, match='outside'):
            folder.write(name, MASK)
    (tmp_path / 'file').touch()
    with pytest.raises(OSError):
        MaskFolder(tmp_path / 'file', RECIPE)


# ---- who made the masks

def test_masks_of_another_method_are_a_fault(tmp_path):
    for recipe, made in ((RECIPE, 'x'), (OTHER, 'y'), (dict(tool='test'), 'z')):
        with MaskFolder(tmp_path, recipe) as folder:
            folder.write(made, MASK)
    Image.fromarray(MASK).save(tmp_path / 'drawn.png')
    paths = [str(tmp_path / f'{name}.png') for name in ('x', 'y', 'z', 'drawn', 'missing')]
    assert maker_faults(tmp_path, None, paths) == []
    assert maker_faults(tmp_path, 'a', [paths[0], paths[-1]]) == []
    fault, = maker_faults(tmp_path, 'a', paths)
    for words in ("made_by='a'", '3 of 5', "y.png (made by 'b')", 'z.png (made by None)',
                  'drawn.png (without a record)', 'Set pseudo_mask'):
        assert words in fault
    fault, = maker_faults('s3://masks', 'a', ['s3://masks/x.png'])
    assert 'local folder' in fault
