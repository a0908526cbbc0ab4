"""What others depend on: names, signatures, who imports whom, and what an import costs."""
import ast
import importlib
import inspect
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from mmengine.registry import DATA_SAMPLERS, DATASETS, MODELS, TRANSFORMS
from mmseg.datasets import BaseSegDataset
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.segmentors import EncoderDecoder

import mmseg_wss
from mmseg_wss import _stack
from mmseg_wss.datasets import COCOWeakSegDataset, VOCWeakSegDataset, WeakSegDataset
from mmseg_wss.datasets.transforms import box_priors
from mmseg_wss.ops import bilateral_filter, dense_crf
from mmseg_wss.pseudo_labels import reliable_labels

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'mmseg_wss'


# ---- names

@pytest.mark.parametrize('registry, name', [
    (DATASETS, 'VOCWeakSegDataset'), (DATA_SAMPLERS, 'StrongWeakSampler'),
    (DATASETS, 'COCOWeakSegDataset'), (TRANSFORMS, 'LoadWeakLabels'), (TRANSFORMS, 'PseudoMask'),
    (TRANSFORMS, 'PackWeakSegInputs'), (TRANSFORMS, 'BoxPriors'),
    (MODELS, 'DualBranchHead'), (MODELS, 'MixedDualHead'), (MODELS, 'WeakEncoderDecoder'),
    (MODELS, 'WeakSegDataPreprocessor'), (MODELS, 'RRMHead'), (MODELS, 'DenseEnergyHead'),
    (MODELS, 'DenseEnergyLoss'), (MODELS, 'FilteredCrossEntropyLoss'), (MODELS, 'DiceLoss'),
    (MODELS, 'ResNet38'),
    (MODELS, 'VGG16LargeFOV'), (MODELS, 'EMHead'), (MODELS, 'DSRGHead'),
    (MODELS, 'CrossJointHead'),
    (MODELS, 'EnsembleSegmentor'), (MODELS, 'CAMEncoderDecoder')])
def test_registered_under_our_scope(registry, name):
    found = registry.get(f'mmseg_wss.{name}')
    assert found.__name__ == name
    assert found.__module__.startswith('mmseg_wss.')
    assert registry.get(name) is None  # nothing of ours is put into another scope


def test_bases():
    assert issubclass(VOCWeakSegDataset, WeakSegDataset)
    assert issubclass(WeakSegDataset, BaseSegDataset)
    for name in ('DualBranchHead', 'MixedDualHead'):
        assert issubclass(MODELS.get(f'mmseg_wss.{name}'), BaseDecodeHead)
    assert issubclass(MODELS.get('mmseg_wss.WeakEncoderDecoder'), EncoderDecoder)


def parameters(cls):
    """Name -> default of all arguments, those that are passed on to base classes included."""
    return {name: parameter.default for base in reversed(cls.__mro__)
            for name, parameter in inspect.signature(base.__init__).parameters.items()}


@pytest.mark.parametrize('dataset', [VOCWeakSegDataset, COCOWeakSegDataset])
def test_options_of_the_data_sets(dataset):
    assert parameters(dataset).keys() >= {
        'supervision', 'data_root', 'ann_file', 'data_prefix', 'metainfo', 'pseudo_mask'}


def test_signatures_of_functions():
    assert list(inspect.signature(box_priors).parameters) == ['boxes', 'labels', 'shape']
    crf = inspect.signature(dense_crf).parameters
    assert list(crf)[:9] == [
        'probs', 'images', 'iterations', 'sxy_gaussian', 'compat_gaussian', 'sxy_bilateral', 'srgb',
        'compat_bilateral', 'backend']
    assert [crf[name].default for name in list(crf)[2:9]] == [10, 3, 3, 80, 13, 10, 'torch']
    assert list(inspect.signature(bilateral_filter).parameters) == [
        'values', 'images', 'sigma_rgb', 'sigma_xy', 'backend']
    assert list(inspect.signature(reliable_labels).parameters)[:3] == ['image', 'cams', 'tags']


def test_signature_of_the_dense_energy():
    loss = MODELS.get('mmseg_wss.DenseEnergyLoss')
    defaults = {name: p.default for name, p in inspect.signature(loss).parameters.items()}
    assert list(defaults.items())[:5] == [
        ('sigma_rgb', 15.), ('sigma_xy', 100.), ('scale_factor', 0.5),
        ('formulation', 'released'), ('loss_weight', 1e-7)]
    assert list(inspect.signature(loss.forward).parameters)[1:] == [
        'images', 'probs', 'labels', 'valid']


def test_signature_of_the_sampler():
    signature = inspect.signature(DATA_SAMPLERS.get('mmseg_wss.StrongWeakSampler'))
    assert list(signature.parameters)[:5] == [
        'dataset', 'batch_size', 'source_ratio', 'shuffle', 'seed']
    assert signature.parameters['shuffle'].default is True
    assert signature.parameters['seed'].default is None
    assert all(parameter.default is not parameter.empty
               for name, parameter in list(signature.parameters.items())[2:])


def test_options_of_the_heads():
    dual, mixed = (parameters(MODELS.get(f'mmseg_wss.{name}'))
                   for name in ('DualBranchHead', 'MixedDualHead'))
    assert (dual['num_shared_convs'], dual['num_convs']) == (3, 3)
    assert tuple(mixed['mix_ratio']) == (7, 1)


# ---- who imports whom

def imported(source, module, top_level_only=False):
    """Absolute names of the modules (and perhaps of objects in them) that a source imports."""
    tree = ast.parse(source)
    names = set()
    for node in (tree.body if top_level_only else ast.walk(tree)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ''
            if node.level:
                parents = module.split('.')[:-node.level]
                base = '.'.join(parents + ([base] if base else []))
            names |= {base, *(f'{base}.{alias.name}' for alias in node.names)}
    return names


def within(name, *packages):
    return any(name == package or name.startswith(package + '.') for package in packages)


# from the ground up; a package imports itself and the floors below it, and nothing beside it
FLOORS = (
    ('utils', 'errors', 'registry', 'version', '_stack'),
    ('ops', 'labels'),
    ('proposals', 'pseudo_labels', 'simulation', 'visualization'),
    ('datasets', 'models'),
    ('evaluation', 'engine'),
    ('pipeline', 'planning'),
)
ABOVE = 'tools', 'benchmarks', 'configs', 'tests'  # import anything, and nothing imports them
HEAVY = 'torch', 'mmengine', 'mmcv', 'mmseg', 'mmpretrain'  # seconds and 700 MB for each worker
FREE_OF = {  # package -> what it never imports, not even inside a function
    'mmseg_wss.labels': (*HEAVY, 'mmseg_wss.registry', 'mmseg_wss.utils.random_state'),
    'mmseg_wss.ops': ('mmseg', 'mmpretrain', 'mmseg_wss.registry', 'mmseg_wss.utils'),
}
COMPILED = 'mmseg_wss.ops.permutohedral'  # and its kernels what compiles them, where they are used


def floor(name):
    """Number of the floor of a module of ours, and the package that it belongs to."""
    package = name.split('.')[1]
    numbers = [number for number, packages in enumerate(FLOORS) if package in packages]
    return (numbers or [None])[0], package


def arrows_up(module, source):
    """The imports of a module that the layers forbid."""
    here, package = floor(module)
    faults = []
    for name in imported(source, module):
        faults += [name for own, never in FREE_OF.items()
                   if within(module, own) and within(name, *never)]
        if within(name, *ABOVE):
            faults.append(name)
        elif within(name, 'mmseg_wss') and name != 'mmseg_wss' and here is not None:
            there, other = floor(name)
            if there is not None and other != package and (there > here or there == here > 0):
                faults.append(name)
    if within(module, 'mmseg_wss.ops'):
        allowed = {'torch', 'mmengine', 'mmseg_wss', '__future__', *sys.stdlib_module_names}
        if within(module, COMPILED):
            allowed |= {'numba', 'numpy'}
        faults += [name for name in imported(source, module, top_level_only=True)
                   if name.split('.')[0] not in allowed]
    return faults


def module_name(path):
    """A package ends in '__init__', so that a '.' in it leads to the package itself."""
    return '.'.join(path.relative_to(ROOT).with_suffix('').parts)


def test_every_package_has_a_floor():
    names = {path.stem for path in PACKAGE.iterdir()
             if path.suffix == '.py' or (path / '__init__.py').exists()}
    floors = {package for packages in FLOORS for package in packages}
    assert names == floors | {'__init__', '__main__'}


def test_no_module_imports_upwards():
    paths = sorted(path for path in PACKAGE.rglob('*.py') if '.mim' not in path.parts)
    assert len(paths) > 100
    faults = {path.relative_to(ROOT).as_posix(): arrows_up(module_name(path), path.read_text())
              for path in paths}
    assert not {path: names for path, names in faults.items() if names}


@pytest.mark.parametrize('module, source', [
    ('mmseg_wss.datasets.x', 'from mmseg_wss.models import y'),
    ('mmseg_wss.datasets.samplers.x', 'from ...models.losses import y'),
    ('mmseg_wss.datasets.__init__', 'from .. import models'),
    ('mmseg_wss.models.decode_heads.x', 'def f():\n    import mmseg_wss.datasets.transforms'),
    ('mmseg_wss.engine.x', 'from tools.train import main'),
    ('mmseg_wss.engine.x', 'from mmseg_wss.pipeline import y'),
    ('mmseg_wss.ops.x', 'import numpy'),
    ('mmseg_wss.labels.x', 'def f():\n    import torch'),
    ('mmseg_wss.labels.formats.x', 'from mmseg_wss.registry import DATASETS'),
    ('mmseg_wss.utils.x', 'from mmseg_wss.labels.boxes import y'),
    ('mmseg_wss.pseudo_labels.x', 'from ..proposals import y')])
def test_an_import_upwards_would_be_seen(module, source):
    assert arrows_up(module, source)


@pytest.mark.parametrize('module, source', [
    ('mmseg_wss.ops.x', 'import math\nimport torch.nn as nn\nfrom .lattice import y'),
    ('mmseg_wss.ops.x', 'def f():\n    import pydensecrf.densecrf'),
    ('mmseg_wss.models.losses.x', 'from mmseg_wss.ops import y\nfrom mmseg_wss.registry import M'),
    ('mmseg_wss.engine.hooks.x', 'from mmseg_wss.datasets import y'),
    ('mmseg_wss.datasets.__init__', 'from . import transforms')])
def test_an_import_downwards_is_fine(module, source):
    assert not arrows_up(module, source)


# ---- what an import costs

def test_operators_are_imported_without_their_compiler():
    code = 'import sys, mmseg_wss.ops; assert not {"numba", "pydensecrf"} & set(sys.modules)'
    subprocess.run([sys.executable, '-c', code], check=True,
                   env=dict(os.environ, PYTHONPATH=str(ROOT)))


IMPORT = """
import sys
before = set(sys.modules)
import mmseg_wss
print(*{name.split('.')[0] for name in set(sys.modules) - before})
"""


def test_import_is_silent_and_light():
    """Nothing beyond Python's own library, so it is quick wherever it runs."""
    process = subprocess.run(
        [sys.executable, '-c', IMPORT], env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True, check=True, text=True)
    assert process.stderr == '' and process.stdout.count('\n') == 1
    assert set(process.stdout.split()) <= {'mmseg_wss', *sys.stdlib_module_names}


# ---- the MM stack

ONEDL = {'onedl-mmengine': '0.10.12', 'onedl-mmcv': '2.3.6', 'onedl-mmsegmentation': '1.4.2',
         'onedl-mmpretrain': '1.3.6'}
OPENMMLAB = dict(mmengine='0.10.7', mmcv='2.1.0', mmsegmentation='1.2.2', mmpretrain='1.2.0')


@pytest.fixture
def installed(monkeypatch):
    """Pretend that these versions of these distributions are installed, and nothing else."""
    def pretend(versions):
        def version(name):
            if name not in versions:
                raise _stack.metadata.PackageNotFoundError(name)
            return versions[name]
        monkeypatch.setattr(_stack.metadata, 'version', version)
    return pretend


@pytest.mark.parametrize('versions', [
    ONEDL, OPENMMLAB, dict(ONEDL, **{'onedl-mmcv': '2.3.6+cpu'}),
    {**{name: v for name, v in ONEDL.items() if name != 'onedl-mmcv'}, 'mmcv-lite': '2.2.0'}])
def test_both_stacks_pass_in_silence(installed, versions):
    installed(versions)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        importlib.reload(mmseg_wss)


def assert_names_both_ways(message):
    assert 'pip install -e ".[mm]" -c constraints.txt' in message
    assert 'mim install "mmengine' in message


@pytest.mark.parametrize('versions, missing', [
    ({}, ['mmengine', 'mmcv', 'mmseg', 'mmpretrain']),
    ({name: v for name, v in ONEDL.items() if 'mmcv' not in name}, ['mmcv'])])
def test_a_missing_stack_names_both_ways_to_install_it(installed, versions, missing):
    installed(versions)
    with pytest.raises(ImportError) as error:
        importlib.reload(mmseg_wss)
    assert_names_both_ways(str(error.value))
    assert str(error.value).count('is not installed') == len(missing)
    assert all(f'{name} is not installed' in str(error.value) for name in missing)


def test_openmmlabs_mmseg_needs_the_operators_of_mmcv(installed):
    installed({**{name: v for name, v in OPENMMLAB.items() if name != 'mmcv'},
               'mmcv-lite': '2.1.0'})
    with pytest.raises(ImportError, match='mmcv-lite lacks .* pip uninstall mmcv-lite') as error:
        importlib.reload(mmseg_wss)
    assert_names_both_ways(str(error.value))


@pytest.mark.parametrize('stack, name, old', [
    (ONEDL, 'onedl-mmcv', '2.2.9'), (OPENMMLAB, 'mmsegmentation', '1.1.2'),
    (OPENMMLAB, 'mmengine', '0.9.1'), (OPENMMLAB, 'mmcv', '2.0.1'),
    (ONEDL, 'onedl-mmpretrain', '1')])
def test_a_stack_that_is_too_old_is_an_error(installed, stack, name, old):
    installed({**stack, name: old})
    with pytest.raises(ImportError, match=f'{name} {old} is too old') as error:
        importlib.reload(mmseg_wss)
    assert_names_both_ways(str(error.value))


@pytest.mark.parametrize('stack, name, new', [
    (ONEDL, 'onedl-mmcv', '2.10.0'), (OPENMMLAB, 'mmsegmentation', '1.3.0'),
    (OPENMMLAB, 'mmengine', '1.0')])
def test_a_newer_stack_is_a_warning(installed, stack, name, new):
    installed({**stack, name: new})
    with pytest.warns(UserWarning, match=f'not tested with {name} {new}'):
        importlib.reload(mmseg_wss)
