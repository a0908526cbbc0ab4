"""Folders as older versions made them: their manifests, written out by hand."""
import json
import runpy
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.palette import voc_palette
from mmseg_wss.labels.stores.manifests import convert_manifests
from mmseg_wss.labels.stores.mask_folder import (
    CONVERTER,
    MaskFolder,
    maker_faults,
    read_records,
)
from mmseg_wss.utils.file_lock import lock_file

RECT = dict(tool='generate_proposals', method='rect')
NET = dict(tool='generate_pseudo_masks', tau=0.9)
POINTS = dict(tool='make_weak_labels', kind='points')
MASK = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.fixture(autouse=True)
def handler():
    """That of SIGTERM, which a tool changes."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def draw(root, *names):
    root.mkdir(exist_ok=True)
    for name in names:
        picture = Image.fromarray(MASK)
        picture.putpalette(voc_palette().tobytes())
        (root / name).parent.mkdir(exist_ok=True)
        picture.save(root / f'{name}.png')


def write_lines(path, *entries, end='\n'):
    path.write_text('\n'.join(map(json.dumps, entries)) + end)


@pytest.fixture
def old(tmp_path):
    """Two shards have worked on it, then one process, which was killed while it made z again."""
    draw(tmp_path, 'x', 'below/y', 'z', 'net', 'dots')
    write_lines(tmp_path / 'manifest.jsonl', {'recipe': 'r', 'is': RECT},
                dict(name='x', recipe='r', inputs='9a', revision=3, seconds=1),
                dict(name='z', recipe='r', inputs='', revision=1),
                dict(name='z', recipe=None, revision=2),
                dict(name='gone', recipe='r', inputs='', revision=1), end='\n{"name": "z", "re')
    write_lines(tmp_path / 'manifest.0-of-2.jsonl', {'recipe': 'n', 'is': NET},
                dict(name='x', recipe='n', inputs='', revision=2),
                dict(name='net', recipe='n', inputs='', revision=1))
    write_lines(tmp_path / 'manifest.1-of-2.jsonl', {'recipe': 'r', 'is': RECT},
                {'recipe': 'p', 'is': POINTS}, dict(name='dots', recipe='p', inputs='', revision=1),
                dict(name='below/y', recipe='r', inputs='1', revision=1),
                dict(name='below/y', recipe='r', inputs='2', revision=1))
    return tmp_path


def test_each_mask_gets_the_record_that_holds(old, monkeypatch, capsys):
    chunks = {path: path.read_bytes()[33:] for path in old.rglob('*.png')}
    monkeypatch.setattr(sys, 'argv', ['mask_records.py', str(old), '--made-by', 'ann_net'])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(Path(__file__).parents[3] / CONVERTER), run_name='__main__')
    assert not stop.value.code and capsys.readouterr().out.startswith('5 masks got their record')
    assert read_records(old) == {
        'x': dict(recipe=RECT, inputs='9a', seconds=1), 'z': dict(recipe={'method': 'ann_net'},
                                                                 inputs=''),
        'below/y': dict(recipe=RECT, inputs='2'),
        'net': dict(recipe=dict(NET, method='ann_net'), inputs=''),
        'dots': dict(recipe=dict(POINTS, method='points'), inputs='')}
    assert not list(old.glob('manifest*'))
    for path, rest in chunks.items():
        assert path.read_bytes().endswith(rest)
        np.testing.assert_array_equal(np.array(Image.open(path)), MASK)
    with MaskFolder(old, RECT) as folder:
        assert folder.is_done('x', '9a') and not folder.is_done('z')


def test_stopped_and_started_again(old, monkeypatch):
    def stop(items, *args, **kwargs):
        yield next(iter(items))
        raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        patch.setattr('mmseg_wss.labels.stores.manifests.track', stop)
        with pytest.raises(KeyboardInterrupt):
            convert_manifests(old)
    assert len(list(old.glob('manifest*'))) == 3
    (old / 'below/.tmp-1-y.png').touch()  # as a kill leaves it
    assert convert_manifests(old) == 4 and not list(old.rglob('.tmp*'))
    assert read_records(old)['net'] == dict(recipe=NET, inputs='')


def test_the_folder_of_a_converter(tmp_path):
    recipe = dict(tool='voc_aug', version=1, classes=['background'])
    draw(tmp_path, 'x', 'y')
    (tmp_path / 'manifest.json').write_text(json.dumps(recipe))
    with pytest.raises(DataError, match=r'2 mask\(s\) .*Run "python .*mask_records\.py'):
        MaskFolder(tmp_path, recipe)
    assert convert_manifests(tmp_path) == 2
    with MaskFolder(tmp_path, recipe) as folder:
        assert folder.is_done('x') and folder.is_done('y')


def test_the_way_is_shown(old):
    for fault in maker_faults(old, None, []):
        assert f'mask_records.py {old}" once' in fault
    with pytest.raises(DataError, match='mask_records.py .*once'):
        MaskFolder(old, RECT)
    assert len(list(old.glob('manifest*'))) == 3


@pytest.mark.parametrize('line', ['no json', '[]', '{"name": "x"}',
                                  '{"name": "x", "recipe": "unknown", "revision": 9}',
                                  '5', 'null', '[' * 100000, '{"is":' * 100000,
                                  '{"recipe": "r", "is": "text"}', '{"recipe": "r", "is": 5}',
                                  '{"name": [], "recipe": null, "revision": 1}'],
                         ids=lambda line: line[:30])
def test_a_damaged_manifest_is_named_with_its_line(old, line):
    with open(old / 'manifest.0-of-2.jsonl', 'a') as file:
        file.write(line + '\n')
    with pytest.raises(DataError, match=r'manifest\.0-of-2\.jsonl: line 4 '):
        convert_manifests(old)


def test_what_is_not_converted(old, tmp_path):
    draw(old, 'drawn')
    before = {path: path.read_bytes() for path in old.rglob('*.png')}
    with pytest.raises(DataError, match=r'no record of 1 mask\(s\): drawn\. Move'):
        convert_manifests(old)
    with lock_file(old / '.lock'), pytest.raises(BlockingIOError):
        convert_manifests(old)
    assert {path: path.read_bytes() for path in old.rglob('*.png')} == before
    (tmp_path / 'xml').mkdir()
    (tmp_path / 'xml/manifest.json').write_text(json.dumps(POINTS))  # of an annotation folder
    with pytest.raises(DataError, match='no manifest of masks'):
        convert_manifests(tmp_path / 'xml')
    assert (tmp_path / 'xml/manifest.json').exists()
    draw(tmp_path / 'xml', 'x')
    for text in ('[]', '5', '"tool"', '[' * 100000, '{"tool":' * 100000, '{}', '', 'null'):
        (tmp_path / 'xml/manifest.json').write_text(text)
        with pytest.raises(DataError, match=r'manifest\.json: it does not say'):
            convert_manifests(tmp_path / 'xml')
