"""Proposal masks by name of method."""
import inspect
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from mmseg_wss.proposals import (
    METHODS,
    fuse_masks,
    grabcut_masks,
    parse_method,
    paste_masks,
    propose,
    rect_masks,
)

ROOT = Path(__file__).resolve().parents[2]
SHAPE = 40, 50
BOXES = np.array([[5., 5, 30, 35], [20, 10, 45, 30]])
LABELS = np.array([3, 1])


@pytest.fixture
def image():
    picture = np.random.default_rng(0).integers(0, 60, (*SHAPE, 3), dtype=np.uint8)
    picture[8:30, 8:22] += np.array([150, 0, 0], np.uint8)
    picture[12:28, 26:42] += np.array([0, 150, 0], np.uint8)
    return picture


@pytest.fixture
def stand_ins(monkeypatch):
    """In place of the modules that need other libraries; returns what they were called with."""
    calls = {}

    def install(name, function):
        module = types.ModuleType(name)
        setattr(module, function.__name__, function)
        monkeypatch.setitem(sys.modules, f'mmseg_wss.proposals.{name}', module)

    def region_masks(image, boxes, select='sel'):
        calls['region'] = select
        masks = rect_masks(boxes, image.shape[:2])
        masks[:, :8] = False
        return masks

    def mcg_masks(path, boxes, shape):
        calls['mcg'] = path, shape
        return rect_masks(boxes, shape)

    install('region', region_masks)
    install('mcg', mcg_masks)
    return calls


def test_the_names():
    assert set(METHODS) == {'rect', 'grabcut', 'region', 'mcg', 'bbox_seg', 'sam'}
    assert all(parse_method(name) == (name, ) for name in METHODS)
    assert parse_method('grabcut+region') == ('grabcut', 'region')


@pytest.mark.parametrize('method, options, message', [
    ('grabcat', None, "'grabcat'"), ('rect+', None, "''"), ('', None, "''"),
    ('rect + grabcut', None, "'rect '"), ('rect+grabcut+rect', None, "'rect' twice"),
    ('grabcut', {'region': {}}, "options for 'region'"), ('rect', {'grabcat': {}}, "'grabcat'")])
def test_what_is_refused_and_the_list_of_what_exists(image, method, options, message):
    with pytest.raises(ValueError, match=message) as error:
        parse_method(method, options)
    assert all(name in str(error.value) for name in METHODS)
    with pytest.raises(ValueError, match=message):
        propose(image, BOXES, LABELS, method, options)


def test_one_method_gives_its_masks_without_ignored_pixels(image):
    expected = np.zeros(SHAPE, np.uint8)
    expected[5:35, 5:30] = 3
    expected[10:30, 20:45] = 1
    assert (propose(image, BOXES, LABELS, 'rect') == expected).all()


def test_several_methods_are_fused_and_pasted(image):
    found = propose(image, BOXES, LABELS, 'rect+grabcut', {'grabcut': {'iterations': 2}})
    sources = [rect_masks(BOXES, SHAPE), grabcut_masks(image, BOXES, iterations=2)]
    assert (found == paste_masks(fuse_masks(sources), LABELS, SHAPE)).all()
    assert found.dtype == np.uint8 and set(np.unique(found)) == {0, 1, 3, 255}
    assert (found == propose(image, BOXES, LABELS, 'grabcut+rect',
                             {'grabcut': {'iterations': 2}})).all()


def test_regions_get_their_options(image, stand_ins):
    """The stand-in denies rows 0..7, where only the first box is: there is doubt."""
    found = propose(image, BOXES, LABELS, 'rect+region', {'region': {'select': 'strict'}})
    assert stand_ins == {'region': 'strict'}
    rect = propose(image, BOXES, LABELS, 'rect')
    assert (found[8:] == rect[8:]).all() and (rect[8:] > 0).any()
    assert (found[:8] == np.where(rect[:8] > 0, 255, 0)).all() and (rect[:8] > 0).any()
    propose(image, BOXES, LABELS)
    assert stand_ins == {'region': 'sel'}


def test_mcg_gets_its_file_and_nobody_else_does(image, stand_ins):
    assert propose(image, BOXES, LABELS, 'mcg', mcg_path='a.mat').any()
    assert stand_ins == {'mcg': ('a.mat', SHAPE)}
    with pytest.raises(ValueError, match='mcg_path None'):
        propose(image, BOXES, LABELS, 'mcg+rect')
    with pytest.raises(ValueError, match="method 'rect' and mcg_path 'a.mat'"):
        propose(image, BOXES, LABELS, 'rect', mcg_path='a.mat')


def test_bbox_seg_by_name(image):
    found = propose(image, BOXES, LABELS, 'bbox_seg', {'bbox_seg': {'iterations': 2}})
    assert (found[~rect_masks(BOXES, SHAPE).any(0)] == 0).all()
    assert set(np.unique(found)) == {0, 1, 3}


@pytest.mark.parametrize('method', ['rect', 'grabcut', 'bbox_seg', 'region+grabcut'])
def test_an_image_without_objects_is_background(image, method):
    found = propose(image, np.zeros((0, 4)), np.zeros(0, int), method)
    assert found.shape == SHAPE and found.dtype == np.uint8 and not found.any()


@pytest.mark.parametrize('broken, message', [
    (dict(image=np.zeros(SHAPE, np.uint8)), r'image must be uint8 \(H, W, 3\)'),
    (dict(image=np.zeros((*SHAPE, 3), np.float32)), 'got float32'),
    (dict(boxes=BOXES[:1]), r'shapes \(1, 4\) and \(2,\)'), (dict(boxes=BOXES[0]), r'\(4,\)'),
    (dict(labels=np.array([0, 1])), r'1\.\.254')])
def test_wrong_arrays_are_refused(image, broken, message):
    with pytest.raises(ValueError, match=message):
        propose(**{**dict(image=image, boxes=BOXES, labels=LABELS, method='rect'), **broken})


IMPORT = """
import sys
for name in ('higra', 'pydensecrf'):
    sys.modules[name] = None
import numpy as np
from mmseg_wss.proposals import propose
mask = propose(np.zeros((6, 7, 3), np.uint8), np.array([[1., 1, 4, 4]]), [1], 'rect+grabcut')
print(mask.sum())
"""


def test_the_package_works_without_the_libraries_of_other_methods():
    process = subprocess.run([sys.executable, '-c', IMPORT], cwd=ROOT, text=True,
                             capture_output=True, check=True)
    assert process.stdout.split()[-1] == '9'


@pytest.mark.parametrize('name, positional', [
    ('region', ['image', 'boxes']), ('mcg', ['path', 'boxes', 'shape'])])
def test_what_is_imported_on_demand_takes_what_it_is_given(name, positional):
    module = pytest.importorskip(f'mmseg_wss.proposals.{name}', reason='its library is missing')
    parameters = inspect.signature(getattr(module, f'{name}_masks')).parameters
    assert list(parameters)[:len(positional)] == positional
    assert all(parameter.default is not parameter.empty
               for parameter in list(parameters.values())[len(positional):])
