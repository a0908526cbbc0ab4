"""Exports that are written from the tools' documentation, imported, against masks painted here."""
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from devkit import read_mask
from label_exports import WRITERS, make_exports
from mmengine.config import Config
from PIL import Image

from mmseg_wss.simulation.shapes import SHAPE_CLASSES, make_shapes

SIZE = 20, 30  # (H, W) of the photographs below
TOOL = 'dataset_converters/import_labels.py'


@pytest.fixture(scope='module')
def exports(tmp_path_factory):
    """The folder of all exports of drawn shapes, and the masks that their outlines give."""
    root = tmp_path_factory.mktemp('exports')
    make_shapes(root / 'shapes', (10, 0, 0), size=(48, 60))
    return root, make_exports(root / 'shapes', root, 10)


@pytest.mark.parametrize('kind', WRITERS)
def test_masks_are_those_of_the_outlines(exports, tmp_path, run_tool, kind):
    """Blanks, commas, umlauts and folders in names; five suffixes; holes, crowds, no object."""
    root, masks = exports
    code, text = run_tool(TOOL, root / kind, '--out', tmp_path / 'devkit', '--classes',
                          *SHAPE_CLASSES[1:], '--workers', 1)
    assert code == 0 and '1 image(s) are known to be empty' in text
    assert (tmp_path / 'devkit/classes.txt').read_text().split() == list(SHAPE_CLASSES)
    for name, mask in masks.items():
        name = re.sub(' 1$', '_1', name)  # behind a blank it would be VOC's flag
        found = read_mask(tmp_path / f'devkit/SegmentationClass/{name}.png')
        assert found.dtype == np.uint8 and (found == mask).all(), name
    lists = [(tmp_path / f'devkit/ImageSets/Segmentation/{name}.txt').read_text().splitlines()
             for name in ('train_strong', 'val')]
    assert sorted(sum(lists, [])) == sorted(re.sub(' 1$', '_1', name) for name in masks)
    assert len(lists[1]) == 2


def photograph(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', SIZE[::-1], (90, 120, 60)).save(path)


def labelme(root, name, *shapes, **flags):
    """A LabelMe file and its photograph; a shape is (kind, class, points)."""
    photograph(root / f'{name}.png')
    (root / f'{name}.json').write_text(json.dumps(dict(
        version='5.0', flags=flags, imagePath=f'{name}.png', imageHeight=SIZE[0],
        imageWidth=SIZE[1], shapes=[dict(shape_type=kind, label=label, points=points)
                                    for kind, label, points in shapes])))


SQUARE = [[3, 2], [9, 2], [9, 8], [3, 8]]
BOX = [[12, 4], [20, 14]]


@pytest.fixture
def mixed(tmp_path):
    root = tmp_path / 'mixed'
    for number in range(4):
        labelme(root, f'mask{number}', ('polygon', 'cat', SQUARE), ('rectangle', 'dog', BOX))
        labelme(root, f'box{number}', ('rectangle', 'cat', BOX), ('point', 'dog', [[2, 2]]))
    labelme(root, 'line', ('linestrip', 'dog', [[2, 10], [20, 10]]), ('point', 'cat', [[25, 3]]))
    labelme(root, 'tag', cat=True, dog=False)
    return root


def ids(root, name):
    path = root / f'ImageSets/Segmentation/{name}.txt'
    return path.read_text().split() if path.exists() else []


def test_each_image_is_trained_with_its_richest_label(mixed, tmp_path, run_tool):
    out = tmp_path / 'devkit'
    code, text = run_tool(TOOL, mixed, '--out', out, '--val', 0.25, '--workers', 1)
    assert code == 0 and 'config.py does not use train_weak_image.txt:' in text
    assert len(ids(out, 'train_strong')) == 3 and len(ids(out, 'val')) == 1
    assert ids(out, 'train_weak_box') == [f'box{number}' for number in range(4)]
    assert ids(out, 'train_weak_scribble') == ['line']
    assert ids(out, 'train_weak_image') == ['tag']
    assert (out / 'tags.txt').read_text().splitlines()[-2:] == ['mask3 cat dog', 'tag cat']
    expected = np.zeros(SIZE, np.uint8)
    expected[4:14, 12:20] = 255  # a dog of unknown outline
    expected[2:8, 3:9] = 1
    assert (read_mask(out / 'SegmentationClass/mask0.png') == expected).all()
    scribble = read_mask(out / 'ScribbleLabels/line.png')
    assert (scribble[9:12, 3:20] == 2).all() and set(np.unique(scribble)) == {2, 255}
    assert read_mask(out / 'PointLabels/line.png')[3, 25] == 1
    config = Config.fromfile(out / 'config.py')
    assert [source.supervision for source in config.train_dataloader.dataset.datasets] == [
        'pixel', 'box', 'scribble']
    assert config.model.decode_head.num_classes == 3
    assert config.val_dataloader.dataset.data_root == str(out)


def test_kinds_may_be_chosen(mixed, tmp_path, run_tool):
    out = tmp_path / 'devkit'
    options = '--kinds', 'box', '--val', 0.5, '--workers', 1
    assert run_tool(TOOL, mixed, '--out', out, *options)[0] == 0
    assert len(ids(out, 'train_weak_box')) == 4 + 2 and len(ids(out, 'val')) == 2
    assert ids(out, 'train_unlabelled') == ['line', 'tag'] and not ids(out, 'train_strong')


def test_nothing_half_written(mixed, tmp_path, run_tool):
    """All faults at once; an old devkit stays, also where it is to be replaced."""
    out = tmp_path / 'devkit'
    out.mkdir()
    (out / 'precious').touch()
    assert run_tool(TOOL, mixed, '--out', out)[0] == 1
    labelme(mixed, 'far', ('polygon', 'cat', [[0, 0], [9, 0], [9, 1e6]]))
    (mixed / 'cut.json').write_text('{"shapes": [], "imagePath": "mask')
    (mixed / 'box1.png').write_bytes(b'no picture')
    code, text = run_tool(TOOL, mixed, '--out', out, '--overwrite', '--workers', 1)
    assert code == 1 and 'nothing was written' in text and 'cut.json' in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ['devkit', 'mixed']
    assert [path.name for path in out.iterdir()] == ['precious']
    code, text = run_tool(TOOL, mixed, '--out', out, '--overwrite', '--skip-faulty', '--workers', 1)
    assert code == 0 and all(name in text for name in ('cut.json', 'far.json', 'box1.png'))
    assert len(list((out / 'JPEGImages').iterdir())) == 9 and not (out / 'precious').exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ['devkit', 'mixed']


def test_what_is_read_is_not_replaced(mixed, tmp_path, run_tool):
    (mixed / 'photos').mkdir()
    for path in mixed.glob('*.png'):
        path.rename(mixed / 'photos' / path.name)
    before = sorted(mixed.rglob('*'))
    for source, out in ((mixed, mixed), (mixed, tmp_path), (mixed / 'tag.json', mixed / 'photos')):
        code, text = run_tool(TOOL, source, '--out', out, '--overwrite', '--workers', 1)
        assert code == 1 and 'which is read' in text and sorted(mixed.rglob('*')) == before


def test_stopped(mixed, tmp_path, run_tool, ctrl_c):
    code, text = run_tool(TOOL, mixed, '--out', tmp_path / 'devkit', '--workers', 1)
    assert code == 130 and [path.name for path in tmp_path.iterdir()] == ['mixed']


def test_what_killed_imports_left_is_removed(mixed, tmp_path, run_tool):
    done = subprocess.Popen([sys.executable, '-c', ''])
    done.wait()
    kept = {f'devkit.tmp-{os.getppid()}', f'other.tmp-{done.pid}', f'devkit.tmp-{done.pid}-old'}
    for name in (*kept, f'devkit.tmp-{done.pid}'):
        (tmp_path / name / 'JPEGImages').mkdir(parents=True)
    assert run_tool(TOOL, mixed, '--out', tmp_path / 'devkit', '--workers', 1)[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {*kept, 'devkit', 'mixed'}


def test_a_second_import_does_not_find_the_images_of_the_first(tmp_path, run_tool, monkeypatch):
    """Devkits beside the photographs, below the folder in which images are looked for."""
    monkeypatch.chdir(tmp_path)
    for name in 'ab':
        photograph(tmp_path / f'photos/{name}.png')
    Path('instances.json').write_text(json.dumps(dict(
        images=[dict(id=number, file_name=f'{name}.png', height=SIZE[0], width=SIZE[1])
                for number, name in enumerate('ab')],
        annotations=[dict(id=number, image_id=number, category_id=1, iscrowd=0,
                          segmentation=[np.ravel(SQUARE).tolist()]) for number in range(2)],
        categories=[dict(id=1, name='cat')])))
    for options in (['first'], ['second'], ['first', '--overwrite']):
        code, text = run_tool(TOOL, 'instances.json', '--workers', 1, '--out', *options)
        assert code == 0, text


def test_the_next_commands_can_be_copied(mixed, tmp_path, run_tool, monkeypatch):
    """Also where the path has a blank; each devkit has a work dir of its own."""
    monkeypatch.chdir(tmp_path)
    text = run_tool(TOOL, mixed, '--out', 'my devkit/', '--workers', 1)[1]
    lines = [shlex.split(line) for line in text.splitlines() if 'python -m' in line]
    assert [line[:5] for line in lines] == [
        ['python', '-m', 'mmseg_wss', tool, 'my devkit/config.py']
        for tool in ('check_data', 'browse_dataset', 'train', 'predict')]
    assert Config.fromfile('my devkit/config.py').work_dir == 'work_dirs/my devkit'


def test_links_instead_of_copies(mixed, tmp_path, run_tool):
    out = tmp_path / 'devkit'
    assert run_tool(TOOL, mixed, '--out', out, '--link', '--workers', 1)[0] == 0
    assert (out / 'JPEGImages/tag.png').resolve() == mixed / 'tag.png'


def test_what_it_is_not(tmp_path, run_tool):
    (tmp_path / 'in').mkdir()
    (tmp_path / 'in/notes.txt').write_text('hello')
    code, text = run_tool(TOOL, tmp_path, '--out', tmp_path / 'out')
    assert code == 1 and 'beside it' in text
    code, text = run_tool(TOOL, tmp_path / 'in', '--out', tmp_path / 'out')
    assert code == 1 and 'nothing that is known' in text and 'docs/import.md' in text
    code, text = run_tool(TOOL, tmp_path / 'a.zip', '--out', tmp_path / 'out')
    assert code == 1 and 'no such file' in text
