import errno
import json
import os
import resource
import signal
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.palette import voc_palette
from mmseg_wss.labels.stores.mask_folder import MaskFolder, read_manifest
from mmseg_wss.utils.fileio import atomic_path

RECIPE = dict(tool='test', method='a', options=dict(width=3))
OTHER = dict(RECIPE, method='b')
MASK = np.arange(12, dtype=np.uint8).reshape(3, 4)
MASK[0, 0] = 255


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def manifests(folder):
    return sorted(path.name for path in folder.glob('manifest*'))


def test_a_mask_is_read_back_with_its_record_and_colours(tmp_path):
    root = tmp_path / 'new' / 'folder'
    folder = MaskFolder(root, RECIPE)
    assert not folder.is_done('x')
    folder.write('x', MASK, 'boxes', seconds=0.5)
    folder.write('below/y', MASK)
    assert folder.is_done('x', 'boxes') and folder.is_done('below/y')
    folder.finish()
    with Image.open(root / 'x.png') as png:
        assert png.mode == 'P'
        np.testing.assert_array_equal(np.array(png), MASK)
        np.testing.assert_array_equal(
            np.array(png.getpalette()).reshape(-1, 3), voc_palette(256))
    assert read_manifest(root) == {
        'x': dict(recipe=RECIPE, inputs='boxes', seconds=0.5),
        'below/y': dict(recipe=RECIPE, inputs='')}
    assert read_manifest(tmp_path / 'missing') == read_manifest(tmp_path) == {}


def test_done_means_this_recipe_these_inputs_and_a_file(tmp_path):
    MaskFolder(tmp_path, RECIPE).write('x', MASK, 'boxes')
    assert MaskFolder(tmp_path, dict(reversed(RECIPE.items()))).is_done('x', 'boxes')
    assert not MaskFolder(tmp_path, RECIPE).is_done('x', 'other boxes')
    assert not MaskFolder(tmp_path, OTHER).is_done('x', 'boxes')
    (tmp_path / 'x.png').unlink()
    assert not MaskFolder(tmp_path, RECIPE).is_done('x', 'boxes')


def test_the_newest_record_wins(tmp_path):
    """Whichever file it is in, and whatever the clock says."""
    for turn, (recipe, shard) in enumerate([(RECIPE, (1, 2)), (OTHER, (0, 2)), (RECIPE, (0, 1)),
                                            (OTHER, (1, 2)), (RECIPE, (0, 3))]):
        MaskFolder(tmp_path, recipe, shard).write('x', MASK, str(turn))
        assert read_manifest(tmp_path) == {'x': dict(recipe=recipe, inputs=str(turn))}
        for known in (RECIPE, OTHER):
            assert MaskFolder(tmp_path, known, (2, 7)).is_done('x', str(turn)) == (known == recipe)


def test_finish_merges_all_manifests_into_one(tmp_path):
    shards = [MaskFolder(tmp_path, RECIPE, (index, 2)) for index in range(2)]
    for index, folder in enumerate(shards):
        folder.write(f'{index}', MASK, 'old')
        folder.write(f'{index}', MASK, 'new')
        folder.finish()
    assert manifests(tmp_path) == ['manifest.0-of-2.jsonl', 'manifest.1-of-2.jsonl']
    before = read_manifest(tmp_path)
    assert sorted(before) == ['0', '1']

    MaskFolder(tmp_path, OTHER).finish()
    assert manifests(tmp_path) == ['manifest.jsonl']
    assert read_manifest(tmp_path) == before
    assert len(lines(tmp_path / 'manifest.jsonl')) == 3  # a recipe and two records
    os.utime(tmp_path / 'manifest.jsonl', ns=(1, 1))
    MaskFolder(tmp_path, RECIPE).finish()
    assert (tmp_path / 'manifest.jsonl').stat().st_mtime_ns == 1  # nothing to merge: not touched


def test_a_cut_manifest_never_speaks_of_another_mask(tmp_path):
    """The mask of recipe b is there, and a kill cut the manifest off at any byte behind it."""
    MaskFolder(tmp_path, RECIPE).write('x', MASK, 'boxes')
    manifest = tmp_path / 'manifest.jsonl'
    MaskFolder(tmp_path, OTHER).write('x', MASK, 'boxes')
    content = manifest.read_bytes()
    last = content.rstrip().rfind(b'\n') + 1
    for end in range(last, len(content) + 1):
        manifest.write_bytes(content[:end])
        assert len(read_manifest(tmp_path)) == (end == len(content))
        assert not MaskFolder(tmp_path, RECIPE).is_done('x', 'boxes')
        assert manifest.stat().st_size in (last, len(content))
        with MaskFolder(tmp_path, OTHER) as folder:
            assert folder.is_done('x', 'boxes') == (end == len(content))
    manifest.write_bytes(content[:last + 5])
    MaskFolder(tmp_path, OTHER).write('y', MASK)  # goes on behind the cut
    assert sorted(read_manifest(tmp_path)) == ['y']


def test_the_old_mask_is_withdrawn_before_the_new_one_is_there(tmp_path, monkeypatch):
    MaskFolder(tmp_path, RECIPE).write('x', MASK)
    seen = []
    replace = os.replace
    monkeypatch.setattr(os, 'replace', lambda *paths: (
        seen.append(read_manifest(tmp_path)), replace(*paths)))
    MaskFolder(tmp_path, OTHER).write('x', MASK)
    assert seen == [{}]


@contextmanager
def largest_file(size):
    """A disk that is full as soon as a file has `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize('room', [10, 600])  # for less than a line, for lines but not for the mask
def test_full_disk(tmp_path, room):
    folder = MaskFolder(tmp_path, RECIPE)
    folder.write('x', MASK)
    manifest = tmp_path / 'manifest.jsonl'
    content = manifest.read_bytes()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    with largest_file(len(content) + room):
        for name in ('x', 'y'):
            with pytest.raises(OSError):
                folder.write(name, noise, 'new')
    assert sorted(os.listdir(tmp_path)) == ['.lock', 'manifest.jsonl', 'x.png']
    assert manifest.read_bytes().startswith(content)
    assert manifest.read_bytes().endswith(b'\n')
    folder.write('y', noise, 'new')
    folder.close()
    again = MaskFolder(tmp_path, RECIPE)
    assert again.is_done('y', 'new') and not again.is_done('x', 'new')


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
    assert sorted(path.name for path in tmp_path.rglob('*')) == ['.lock', 'manifest.jsonl']


def test_further_facts_count_where_they_are_asked_for(tmp_path):
    with MaskFolder(tmp_path, RECIPE) as folder:
        folder.write('x', MASK, 'boxes', source='1a')
        assert folder.is_done('x', 'boxes') and folder.is_done('x', 'boxes', source='1a')
        assert not folder.is_done('x', 'boxes', source='2b')
        assert not folder.is_done('x', 'boxes', other=1)


# ---- at the same time

@pytest.mark.parametrize('first, second, together', [
    ((0, 2), (1, 2), True), ((0, 2), (0, 1), False), ((0, 1), (0, 2), False),
    ((0, 1), (0, 1), False), ((0, 2), (0, 2), False), ((0, 2), (2, 3), False)])
def test_who_shares_a_folder(tmp_path, first, second, together):
    for old in ((0, 2), (1, 4)):  # left by others: nobody has them open
        MaskFolder(tmp_path, RECIPE, old).write(str(old[1]), MASK)
    with MaskFolder(tmp_path, RECIPE, first) as folder:
        before = manifests(tmp_path)
        if together:
            MaskFolder(tmp_path, RECIPE, second).finish()
        else:
            with pytest.raises(BlockingIOError, match=f'{tmp_path}: another process .* Wait'):
                MaskFolder(tmp_path, RECIPE, second)
            assert set(manifests(tmp_path)) >= set(before)
        folder.write('x', MASK)
    assert sorted(read_manifest(tmp_path)) == ['2', '4', 'x']
    MaskFolder(tmp_path, RECIPE, second).finish()  # free again


def test_an_unsharded_start_does_not_take_the_manifest_of_a_shard_at_work(tmp_path):
    with MaskFolder(tmp_path, RECIPE, (0, 2)) as folder:
        folder.write('x', MASK)
        half = atomic_path(tmp_path / 'y.png').__enter__()
        half.touch()
        with pytest.raises(BlockingIOError):
            MaskFolder(tmp_path, RECIPE).finish()
        assert half.exists()
        folder.write('y', MASK)
    assert sorted(read_manifest(tmp_path)) == ['x', 'y']


def test_workers_do_not_keep_the_lock(tmp_path):
    """A child that was forked while the folder was locked: workers outlive a killed run."""
    reading, writing = os.pipe()
    folder = MaskFolder(tmp_path, RECIPE)
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, b'.')
            signal.pause()
        finally:
            os._exit(0)
    try:
        os.read(reading, 1)
        with pytest.raises(BlockingIOError):
            MaskFolder(tmp_path, RECIPE)  # the child does not free it either
        folder.close()
        MaskFolder(tmp_path, RECIPE).finish()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def flock(*args):
        raise OSError(errno.ENOLCK, 'No locks available')
    monkeypatch.setattr('fcntl.flock', flock)
    with pytest.warns(UserWarning, match=r'\.lock: this file system has no locks'):
        folder = MaskFolder(tmp_path, RECIPE)
    folder.write('x', MASK)
    folder.finish()
    assert sorted(read_manifest(tmp_path)) == ['x']


# ---- whose folder

def test_masks_of_others_are_not_overwritten(tmp_path):
    (tmp_path / 'x.png').write_bytes(b'drawn by hand')
    stale = tmp_path / '.tmp-1-z.png'
    stale.touch()
    with pytest.raises(DataError, match=r'1 mask\(s\) have no record .*: x\..*empty folder'):
        MaskFolder(tmp_path, RECIPE)
    assert sorted(os.listdir(tmp_path)) == ['.tmp-1-z.png', 'x.png']
    (tmp_path / 'x.png').unlink()
    MaskFolder(tmp_path, RECIPE).write('y', MASK)
    (tmp_path / 'x.png').write_bytes(b'drawn by hand')
    with pytest.raises(DataError, match=': x.'):
        MaskFolder(tmp_path, RECIPE, (0, 2))


def test_a_mask_of_a_killed_run_is_no_mask_of_others(tmp_path):
    MaskFolder(tmp_path, RECIPE).write('x', MASK)
    manifest = tmp_path / 'manifest.jsonl'
    content = manifest.read_bytes()
    manifest.write_bytes(content[:-20])  # killed between the mask and the end of its record
    folder = MaskFolder(tmp_path, RECIPE)
    assert not folder.is_done('x')
    folder.finish()
    assert not MaskFolder(tmp_path, RECIPE).is_done('x')  # still known after the merge


def test_leftovers_are_cleared_by_an_unsharded_start_alone(tmp_path):
    MaskFolder(tmp_path, RECIPE).write('below/x', MASK)
    for target in (tmp_path / 'y.png', tmp_path / 'below' / 'z.png'):
        atomic_path(target).__enter__().write_bytes(b'half')  # never exited, as a kill leaves it
    MaskFolder(tmp_path, RECIPE, (0, 2))
    assert len(list(tmp_path.rglob('.tmp-*'))) == 2
    MaskFolder(tmp_path, RECIPE)
    assert not list(tmp_path.rglob('.tmp-*'))


@pytest.mark.parametrize('line', ['no json', '[]', '{"name": "x"}',
                                  '{"name": "x", "recipe": "unknown", "revision": 1}'])
def test_a_damaged_manifest_is_named_with_its_line(tmp_path, line):
    MaskFolder(tmp_path, RECIPE).write('x', MASK)
    with open(tmp_path / 'manifest.jsonl', 'a') as file:
        file.write(line + '\n')
    for read in (read_manifest, lambda root: MaskFolder(root, RECIPE)):
        with pytest.raises(DataError, match=r'manifest\.jsonl: line 4 '):
            read(tmp_path)


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match='shard'):
        MaskFolder(tmp_path, RECIPE, (2, 2))
    folder = MaskFolder(tmp_path, RECIPE)
    with pytest.raises(ValueError, match=r'uint8 \(H, W\), got int64'):
        folder.write('x', MASK.astype(np.int64))
    with pytest.raises(ValueError, match='reserved'):
        folder.write('x', MASK, revision=3)
    for name in ('../x', str(tmp_path.parent / 'x')):
        with pytest.raises(ValueError, match='outside'):
            folder.write(name, MASK)
    (tmp_path / 'file').touch()
    with pytest.raises(OSError):
        MaskFolder(tmp_path / 'file', RECIPE)
