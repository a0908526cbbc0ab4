"""Folders of drawn shapes: what is found in them, and the files that are written, built and run."""
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from devkit import read_mask
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from mmseg_wss.engine.data_check import check_data
from mmseg_wss.errors import DataError
from mmseg_wss.labels.imports.lists import TAG_FILE
from mmseg_wss.pipeline.pipeline_file import read_pipeline, work_dir_of
from mmseg_wss.pipeline.plan import plan_stages
from mmseg_wss.planning.facts import Machine
from mmseg_wss.planning.folder import read_folder
from mmseg_wss.planning.project import commands_of, make_project
from mmseg_wss.simulation.shapes import SHAPE_CLASSES, make_shapes

ROOT = Path(__file__).parents[2]
CONFIGS, TOOLS = str(ROOT / 'configs'), str(ROOT / 'tools')
LISTS = dict(pixel='train_strong', box='train_weak_box', image='train_weak_image',
             point='train_weak_point', scribble='train_weak_scribble', none='train_unlabelled')


@pytest.fixture(scope='module')
def shapes(tmp_path_factory):
    """60 drawn images with masks and boxes, small enough to be decoded in no time."""
    root = tmp_path_factory.mktemp('drawn') / 'shapes'
    make_shapes(root, (60, 0, 0), size=(48, 60))
    for kind in 'PointLabels', 'ScribbleLabels':  # a stroke through the middle of each object
        (root / kind).mkdir()
        for path in (root / 'SegmentationClass').glob('*.png'):
            mask = read_mask(path)
            clicks = np.full_like(mask, 255)
            clicks[::4] = mask[::4]
            Image.fromarray(clicks).save(root / kind / path.name)
    return root


@pytest.fixture
def devkit(shapes, tmp_path):
    """A function that lays out a folder with so many images of each kind, with lists or without.

    Without lists, an image has the files of its kind alone.
    """
    def make(with_lists=True, **numbers):
        root = tmp_path / 'my labels'
        ids = iter(sorted(path.stem for path in (shapes / 'JPEGImages').glob('*')))
        lists = {kind: [next(ids) for _ in range(number)] for kind, number in numbers.items()}
        (root / 'ImageSets/Segmentation').mkdir(parents=True)
        shutil.copy(shapes / 'classes.txt', root)
        for kind, names in lists.items():
            folder = dict(pixel='SegmentationClass', val='SegmentationClass', box='Annotations',
                          point='PointLabels', scribble='ScribbleLabels').get(kind)
            for name in names:
                copy(root, 'JPEGImages', f'{name}.jpg')
                if folder:
                    copy(root, folder, f'{name}.{"xml" if kind == "box" else "png"}')
            if with_lists or kind == 'val':
                (root / f'ImageSets/Segmentation/{LISTS.get(kind, kind)}.txt').write_text(
                    '\n'.join(names) + '\n')
        if 'image' in lists:
            (root / TAG_FILE).write_text(''.join(
                f'{name} {" ".join(classes_of(name))}\n' for name in lists['image']))
        return root, lists

    def copy(root, folder, name):
        (root / folder).mkdir(exist_ok=True)
        shutil.copy(shapes / folder / name, root / folder)

    def classes_of(name):
        labels = np.unique(read_mask(shapes / f'SegmentationClass/{name}.png'))
        return [SHAPE_CLASSES[label] for label in labels if 0 < label < 255]

    return make


def project_of(root, machine=Machine(), name='my_project'):
    out = root.parent / name
    faults, made = make_project(str(root), str(out), CONFIGS, machine)
    assert faults == 0
    return out, *made


def configs_of(out):
    return {path.stem: Config.fromfile(path) for path in out.glob('*.py')
            if path.name != 'pipeline.py'}


@pytest.mark.parametrize('numbers, files, stages', [
    (dict(pixel=30, val=5), {'config'}, ['network', 'test', 'predicted']),
    (dict(pixel=30, box=9, val=5), {'config', 'teacher'},
     ['judge', 'teacher', 'masks', 'network', 'test', 'predicted']),
    (dict(pixel=12, box=9, val=5), {'config'}, ['proposals', 'network', 'test', 'predicted']),
    (dict(pixel=30, image=9, val=5), {'config', 'teacher'},
     ['judge', 'teacher', 'masks', 'network', 'test', 'predicted']),
    (dict(pixel=5, image=9, val=5), {'config', 'teacher'},
     ['teacher', 'masks', 'network', 'test', 'predicted']),
    (dict(pixel=26, box=3, image=3, point=3, scribble=3, none=3, val=5),
     {'config', 'teacher', 'taught', 'unlabelled'},
     ['judge', 'teacher', 'teacher_1', 'teacher_2', 'masks', 'masks_unlabelled', 'network', 'test',
      'predicted']),
    (dict(pixel=30, none=9, val=5), {'config', 'teacher'},
     ['teacher', 'teacher_1', 'teacher_2', 'masks_unlabelled', 'network', 'test', 'predicted']),
    (dict(pixel=12, box=3, scribble=3, none=3, val=5), {'config', 'teacher', 'taught', 'boxed'},
     ['proposals', 'judge', 'teacher', 'masks', 'network', 'test', 'predicted']),
    (dict(box=9, none=2), {'config'}, ['proposals', 'network', 'predicted']),
    (dict(scribble=9), {'config'}, ['network', 'predicted']),
    (dict(point=9, val=4), {'config'}, ['network', 'test', 'predicted']),
    (dict(image=9), {'config'}, ['network', 'predicted'])])
@pytest.mark.parametrize('machine', [Machine(), Machine('cuda', 24.)], ids=['cpu', 'gpu'])
def test_each_mix_gives_files_that_load_and_stages_that_can_be_planned(
        devkit, numbers, files, stages, machine):
    root, lists = devkit(**numbers)
    out, plan, facts = project_of(root, machine)
    assert facts.images == {kind: number for kind, number in numbers.items() if kind != 'val'}
    configs = configs_of(out)
    assert configs.keys() == files
    datasets = configs['config'].train_dataloader.dataset.datasets
    used = {kind for kind in numbers if kind != 'val'} - plan.left_out.keys()
    assert sorted(source.supervision for source in datasets) == sorted(used)
    for source in datasets:
        assert source.data_root == str(root)
        assert Path(source.ann_file).read_text().split() == lists[source.supervision]
        assert source.get('tag_file') == (TAG_FILE if source.supervision == 'image' else None)
    sampler = configs['config'].train_dataloader.sampler
    assert len(sampler.source_ratio) == len(datasets) <= sampler.batch_size
    assert sampler.batch_size == configs['config'].train_dataloader.batch_size
    assert (configs['config'].val_dataloader is None) == ('val' not in numbers)
    specs, _ = read_pipeline(str(out / 'pipeline.py'))
    assert [spec['name'] for spec in specs] == stages
    assert work_dir_of(str(out / 'pipeline.py')) == 'work_dirs/my_project'
    planned = plan_stages(specs, str(root.parent / 'work'), TOOLS)
    assert len(planned) == len(stages)
    assert max(map(len, (out / 'config.py').read_text().splitlines())) <= 120


@pytest.mark.parametrize('numbers, machine', [
    (dict(pixel=30, box=9, val=5), Machine()), (dict(scribble=9), Machine()),
    (dict(pixel=30, box=9, val=5), Machine('cuda', 16.))], ids=['boxes', 'scribbles', 'gpu'])
def test_check_data_finds_no_fault_in_what_was_written(devkit, numbers, machine, capsys):
    """The model is built, and learns from a batch."""
    pytest.importorskip('timm', reason='the backbone needs the extra [msrc]')
    root, lists = devkit(**numbers)
    out, *_ = project_of(root, machine)
    (root / 'teacher').mkdir()  # a teacher's masks
    for name in lists.get('box', ()):
        shutil.copy(root / f'SegmentationClass/{lists["pixel"][0]}.png',
                    root / f'teacher/{name}.png')
    init_default_scope('mmseg')
    faults, said = check_data(configs_of(out)['config']), capsys.readouterr().out
    assert faults == 0 and 'the model: 0 fault(s)' in said, said


def test_sizes_and_options_reach_the_pipelines(devkit, shapes):
    """Small objects: all images are 4 times as large as drawn, the objects as they were."""
    root, lists = devkit(pixel=30, box=9, val=5)
    for folder, mode in (('JPEGImages', 'RGB'), ('SegmentationClass', 'L')):
        for path in (root / folder).glob('*'):
            small = np.array(Image.open(path))
            wide = np.zeros((480, 600, *small.shape[2:]), np.uint8)
            wide[:48, :60] = small
            Image.fromarray(wide, mode).save(path)
    for path in (root / 'Annotations').glob('*'):
        text = re.sub(r'<width>\d+', '<width>600', path.read_text())
        path.write_text(re.sub(r'<height>\d+', '<height>480', text))
    out, plan, facts = project_of(root)
    assert (plan.scale, plan.crop, plan.dice, plan.object_prob) == (480, 320, True, 0.33)
    config = configs_of(out)['config']
    for source in config.train_dataloader.dataset.datasets:
        steps = {step.type: step for step in source.pipeline}
        assert steps['RandomResize'].scale == (480, 480)
        assert steps['mmseg_wss.RandomCrop'].crop_size == (320, 320)
        assert steps['mmseg_wss.RandomCrop'].object_prob == 0.33
        assert steps['mmseg_wss.RandomCrop'].cat_max_ratio == 0.9  # as in the base
    for loader in config.val_dataloader, config.test_dataloader:
        assert loader.dataset.pipeline[1].scale == (480, 480)
    assert [view.scale[0] for view in config.tta_pipeline[1].transforms[0]] == [360, 480, 600]
    assert config.model.data_preprocessor.size == (320, 320)
    losses = config.model.decode_head.loss_decode
    assert [loss.type for loss in losses] == ['mmseg.CrossEntropyLoss', 'mmseg_wss.DiceLoss']


# ---- what is found

def test_without_lists_each_image_has_its_richest_label(devkit, shapes):
    numbers = dict(pixel=6, box=5, scribble=4, point=3, image=2, none=2, val=3)
    root, lists = devkit(with_lists=False, **numbers)
    for name in lists['pixel'][:2]:  # boxes beside a mask
        shutil.copy(shapes / f'Annotations/{name}.xml', root / 'Annotations')
    before = sorted(path.relative_to(root) for path in root.rglob('*'))
    folder = read_folder(str(root))
    assert folder.lists == lists and len(folder.images) == sum(numbers.values())
    assert folder.classes == SHAPE_CLASSES and folder.tag_file
    project_of(root)
    assert sorted(path.relative_to(root) for path in root.rglob('*')) == before


def test_what_was_assumed_of_a_folder_is_noted(devkit):
    root, _ = devkit(pixel=5, none=4)
    (root / 'ImageSets/Segmentation/train_unlabelled.txt').unlink()
    assert '4 images are in no list' in read_folder(str(root)).notes[0]
    (root / 'classes.txt').unlink()
    assert 'There is no classes.txt' in ' '.join(read_folder(str(root)).notes)


def test_a_tagged_image_without_a_line_is_named(devkit, tmp_path, capsys):
    root, lists = devkit(pixel=5, image=4)
    lines = (root / TAG_FILE).read_text().splitlines(keepends=True)
    (root / TAG_FILE).write_text(''.join(lines[1:]))
    faults, _ = make_project(str(root), str(tmp_path / 'out'), CONFIGS, Machine())
    said = capsys.readouterr().out
    assert faults == 1 and lists['image'][0] in said and lists['image'][1] not in said
    assert TAG_FILE in said and '.xml' not in said


def test_plan_md_has_the_true_counts(devkit):
    root, lists = devkit(pixel=30, box=9, image=7, none=5, val=4)
    empty = root / f'SegmentationClass/{lists["pixel"][0]}.png'
    Image.fromarray(np.zeros((48, 60), np.uint8)).save(empty)
    masks = [read_mask(root / f'SegmentationClass/{name}.png') if name != lists['pixel'][0]
             else np.zeros((48, 60), np.uint8) for name in lists['pixel']]
    out, *_ = project_of(root)
    text = (out / 'plan.md').read_text()
    for what, number in (('images', 55), ('for training, with masks', 30),
                         ('for training, with boxes', 9), ('for training, with tags', 7),
                         ('for training, with no label', 5), ('for validation, with masks', 4),
                         ('known to be empty', 1)):
        assert f'| {what} | {number} |' in text, what
    assert '| sizes | 60x48 pixels |' in text
    labelled = sum((mask < 255).sum() for mask in masks)
    for label, name in enumerate(SHAPE_CLASSES[1:], 1):
        share = sum((mask == label).sum() for mask in masks) / labelled
        images = sum((mask == label).any() for mask in masks)
        images += sum(f'<name>{name}</name>' in (root / f'Annotations/{one}.xml').read_text()
                      for one in lists['box'])
        images += sum(name in line.split() for line in
                      (root / TAG_FILE).read_text().splitlines())
        found = re.search(rf'\| {name} \| (\d+) \| ([\d.]+)% \|', text)
        assert int(found[1]) == images
        assert float(found[2]) / 100 == pytest.approx(share, abs=0.005)


def test_without_val_a_fifth_is_held_out(devkit):
    root, lists = devkit(pixel=40, box=9)
    out, plan, facts = project_of(root)
    parts = {name: (out / f'lists/{name}.txt').read_text().split()
             for name in ('train_strong', 'val')}
    assert facts.held_out and facts.val == len(parts['val']) == 8 and facts.strong == 32
    assert sorted(sum(parts.values(), [])) == sorted(lists['pixel'])
    assert 'held out' in (out / 'plan.md').read_text()
    shown = {label for name in parts['val']
             for label in np.unique(read_mask(root / f'SegmentationClass/{name}.png'))}
    assert shown >= {1, 2, 3, 4}  # each class
    again, *_ = project_of(root, name='again')
    assert (again / 'lists/val.txt').read_text().split() == parts['val']


def test_an_export_is_imported(tmp_path):
    """Photographs with a box each, and one with an outline, by LabelMe; paths of the project."""
    for number in range(6):
        kind, points = ('polygon', [[2, 2], [20, 2], [20, 15]]) if number < 2 else (
            'rectangle', [[2, 2], [20, 15]])
        name = tmp_path / f'export/{number}'
        name.parent.mkdir(exist_ok=True)
        Image.new('RGB', (30, 20), (90, 120, 60)).save(f'{name}.png')
        Path(f'{name}.json').write_text(json.dumps(dict(
            version='5.0', flags={}, imagePath=f'{number}.png', imageHeight=20, imageWidth=30,
            shapes=[dict(shape_type=kind, label='cat', points=points)])))
    out, plan, facts = project_of(tmp_path / 'export')
    assert facts.images == dict(pixel=1, box=4) and facts.val == 1
    config = configs_of(out)['config']
    assert config.train_dataloader.dataset.datasets[0].data_root == f'{out}/devkit'
    assert (out / 'devkit/classes.txt').read_text().split() == ['background', 'cat']
    assert not (out / 'devkit/config.py').exists()
    assert '.tmp-' not in ''.join(path.read_text() for path in out.glob('*.*'))


# ---- what is refused

def test_faults_are_listed_and_nothing_is_written(devkit, capsys):
    root, lists = devkit(pixel=30, box=9)
    (root / f'JPEGImages/{lists["pixel"][0]}.jpg').write_bytes(b'no image')
    (root / f'Annotations/{lists["box"][0]}.xml').unlink()
    faults, made = make_project(str(root), str(root.parent / 'out'), CONFIGS, Machine())
    assert (faults, made) == (2, None)
    said = capsys.readouterr().out
    assert f'{lists["pixel"][0]}.jpg' in said and f'{lists["box"][0]}.xml' in said
    assert 'nothing was written' in said
    assert [path.name for path in root.parent.iterdir()] == [root.name]


def test_wrong_sources_and_folders_are_refused(devkit, tmp_path):
    root, lists = devkit(pixel=3, box=3)

    def refused(match, source=root, out=tmp_path / 'out', **options):
        with pytest.raises(DataError, match=match):
            make_project(str(source), str(out), CONFIGS, Machine(), **options)

    refused('there is no such file or folder', source=tmp_path / 'none')
    refused('no blank, comma, quote or brace', out=tmp_path / 'my project')
    refused('quote or brace', out=tmp_path / 'my{project}')
    refused('Remove the option', images='photos')
    (tmp_path / 'out').mkdir()
    refused('--overwrite')
    path = root / 'ImageSets/Segmentation/train_weak_box.txt'
    path.write_text(path.read_text() + lists['pixel'][0] + '\n')
    refused('in two of the lists', overwrite=True)
    assert list((tmp_path / 'out').iterdir()) == []  # as it was
    shutil.rmtree(root / 'ImageSets')
    for folder in 'SegmentationClass', 'Annotations':
        shutil.rmtree(root / folder)
    refused('no image for training has a label', overwrite=True)


def test_overwrite_replaces_the_project_when_the_new_one_is_whole(devkit):
    root, _ = devkit(pixel=30, box=9)
    out, *_ = project_of(root)
    (out / 'mine.txt').touch()
    make_project(str(root), str(out), CONFIGS, Machine(), overwrite=True)
    assert (out / 'plan.md').exists() and not (out / 'mine.txt').exists()


@pytest.mark.parametrize('numbers, browsed', [
    (dict(pixel=30), ['config.py']), (dict(pixel=30, box=9), ['teacher.py']),
    (dict(pixel=12, box=9), []), (dict(scribble=9), ['config.py'])])
def test_pictures_are_offered_of_what_has_its_masks(devkit, numbers, browsed):
    out, plan, _ = project_of(devkit(val=5, **numbers)[0])
    *pictures, train = commands_of(str(out), plan)
    assert train.endswith('pipeline.py')
    assert [line.split()[2] for line in pictures] == [str(out / name) for name in browsed]
