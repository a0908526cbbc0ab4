"""The report on folders of masks, on a devkit whose truth is known."""
import json
import shutil
import warnings
from unicodedata import normalize

import numpy as np
import pytest
from devkit import CLASSES, make_devkit, write_mask
from PIL import Image

from mmseg_wss.evaluation import agreement_scores, confusion_counts, mask_report

FOLDER_KEYS = {'miou', 'miou_all', 'fg_precision', 'fg_recall', 'coverage', 'fg_coverage',
               'boundary_miou', 'classes', 'num_images'}
CLASS_KEYS = {'precision', 'recall', 'coverage', 'iou', 'iou_all', 'boundary_iou'}


@pytest.fixture
def kit(tmp_path):
    """A devkit of 6 images."""
    make_devkit(tmp_path / 'kit')
    return tmp_path / 'kit'


@pytest.fixture
def truth(kit):
    return kit / 'SegmentationClass'


@pytest.fixture
def masks(truth, tmp_path):
    """Copies of the truth."""
    return shutil.copytree(truth, tmp_path / 'masks')


@pytest.fixture
def report(tmp_path, capsys):
    """Make a report, where any warning is an error; returns report.json and what it printed."""
    def run(*folders, trimap_width=3, **places):
        places = {name: str(place) for name, place in places.items()}
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            mask_report.report_masks([*map(str, folders)], out=tmp_path / 'out', workers=2,
                                     trimap_width=trimap_width, **places)
        text = (tmp_path / 'out/report.json').read_text()
        return json.loads(text, parse_constant=pytest.fail), capsys.readouterr().out

    return run


def change(folder, edit):
    """Rewrite every mask of a folder by a function of its labels."""
    for path in folder.glob('*.png'):
        write_mask(path, edit(np.array(Image.open(path))))


def test_images_in_sub_folders_and_of_any_spelling(kit, truth, masks, report, tmp_path):
    names = dict(s0='a/s0', s1='a b/Größe 1', v0='Größe 2')
    for folder, form, old, new in ((truth, 'NFC', '.png', '.png'), (masks, 'NFD', '.png', '.png'),
                                   (kit / 'JPEGImages', 'NFD', '.jpg', '.JPG')):
        for name, other in names.items():
            path = folder / normalize(form, f'{other}{new}')
            path.parent.mkdir(exist_ok=True)
            (folder / f'{name}{old}').rename(path)
    (tmp_path / 'list.txt').write_text('\n'.join(names.values()), 'utf-8')
    for places, number in ({}, 6), (dict(ann_file=tmp_path / 'list.txt'), 3):
        scores = report(masks, truth=truth, **places)[0]['folders'][str(masks)]
        assert scores['num_images'] == number and scores['miou_all'] == 1


def labels(folder):
    return np.concatenate([np.array(Image.open(path)) for path in sorted(folder.glob('*.png'))])


def row(output, name, last=False):
    """Cells of the first (or last) table row of this name."""
    found = [line for line in output.splitlines() if line.startswith(f'| {name} ')]
    return [cell.strip() for cell in found[-last].strip('|').split('|')][1:]


def test_the_truth_itself_scores_one_everywhere(kit, masks, truth, tmp_path, report):
    result, output = report(masks, truth=truth)
    scores = result['folders'][str(masks)]
    assert scores.keys() == FOLDER_KEYS and scores['num_images'] == 6
    assert all(scores[key] == 1 for key in FOLDER_KEYS - {'classes', 'num_images'})
    assert scores['classes'] == {name: dict.fromkeys(CLASS_KEYS, 1) for name in CLASSES}
    assert result['truth'] == str(truth)
    assert result['classes_from'] == str(kit / 'classes.txt') and result['classes_from'] in output
    assert row(output, masks) == ['100.00'] * 7
    assert row(output, 'green') == ['100.00'] * 6
    assert 'Reading' not in output  # progress goes to stderr
    for name in ('report.png', 'panels.png'):
        assert Image.open(tmp_path / 'out' / name).size[0] > 300
    assert len(list((tmp_path / 'out').iterdir())) == 4
    page = (tmp_path / 'out/report.html').read_text()
    assert page.count('data:image/png;base64,') == 2 and '<td>green</td>' in page
    assert '100.00' in page and 'src="http' not in page


def test_masks_of_background_alone_by_hand(masks, truth, report):
    """Every image of 12x16 pixels has one square of 6x6; void rows are of no account."""
    for folder in (truth, masks):
        change(folder, lambda mask: np.vstack([mask, np.full_like(mask[:3], 255)]))
    change(masks, np.zeros_like)
    result, _ = report(masks, truth=truth)
    scores = result['folders'][str(masks)]
    share = 1 - 36 / (12 * 16)
    assert scores['classes']['background'] == dict(
        precision=share, recall=1, coverage=1, iou=share, iou_all=share,
        boundary_iou=scores['classes']['background']['boundary_iou'])
    assert scores['classes']['red'] == dict(
        precision=None, recall=0, coverage=1, iou=0, iou_all=0, boundary_iou=0)
    assert scores['miou'] == pytest.approx(share / 3)


def test_two_folders_are_compared_without_the_truth(kit, masks, tmp_path, report):
    rng = np.random.default_rng(0)
    first, second = masks, tmp_path / 'other'
    shutil.copytree(first, second)
    change(first, lambda mask: np.where(rng.random(mask.shape) < 0.3, 255, mask).astype(np.uint8))
    change(second, lambda mask: np.where(
        rng.random(mask.shape) < 0.4, rng.choice([0, 1, 255], mask.shape), mask).astype(np.uint8))
    result, output = report(first, second, classes=kit / 'classes.txt')
    expected = agreement_scores(confusion_counts(labels(first), labels(second), 3))
    agreement = result['agreement'][str(second)]
    assert agreement['classes'] == dict(zip(CLASSES, expected.pop('iou')))
    assert {name: agreement[name] for name in expected} == expected
    for name, iou in agreement['classes'].items():
        assert row(output, name) == [f'{100 * iou:.2f}']
    assert row(output, second) == [f'{100 * value:.2f}' for value in expected.values()]
    assert result['truth'] is None
    scores = result['folders'][str(first)]
    assert scores.keys() == FOLDER_KEYS and scores['miou'] is None


def test_two_folders_are_compared_with_the_truth(masks, truth, tmp_path, report):
    other = shutil.copytree(masks, tmp_path / 'other')
    change(other, lambda mask: np.where(mask == 1, 255, mask).astype(np.uint8))
    result, output = report(masks, other, truth=truth)
    one_in = 36 / (12 * 16) / 2  # half of the squares are red
    assert result['agreement'].keys() == {str(other)}
    assert result['agreement'][str(other)]['one_ignores'] == pytest.approx(one_in)
    scores = result['folders'][str(other)]
    assert scores['coverage'] == pytest.approx(1 - one_in) and scores['fg_coverage'] == 0.5
    assert [found['coverage'] for found in scores['classes'].values()] == [1, 0, 1]
    assert row(output, 'red') == ['100.00'] * 6 and row(output, 'red', last=True) == ['-']


def test_the_images_are_those_that_all_folders_have(masks, truth, report):
    (masks / 's0.png').unlink()
    (masks / 'manifest.jsonl').write_text('{}')
    (masks / '.tmp-1-w0.png').write_text('')
    shutil.copytree(truth, masks / 'sub')
    result, output = report(masks, truth=truth)
    assert result['folders'][str(masks)]['num_images'] == 5
    assert f'5 images (of 6 in {truth}, 11 in {masks})' in output


def test_a_list_says_which_images_and_all_must_have_masks(kit, masks, truth, report):
    places = dict(truth=truth, ann_file=kit / 'ImageSets/Segmentation/weak.txt')
    (masks / 's0.png').unlink()
    assert report(masks, **places)[0]['folders'][str(masks)]['num_images'] == 2
    (masks / 'w1.png').unlink()
    with pytest.raises(ValueError, match=r'masks: 1 mask\(s\) .*w1\.png\. Make them'):
        report(masks, **places)


@pytest.mark.parametrize('damage, message', [
    (lambda path: write_mask(path, np.zeros((12, 15), np.uint8)),
     r'is 15x12 .*SegmentationClass/w0\.png is 16x12: make both'),
    (lambda path: Image.new('RGB', (16, 12)).save(path), 'is a colour picture'),
    (lambda path: write_mask(path, np.full((12, 16), 3, np.uint8)), r'has labels \[3\]'),
    (lambda path: path.write_bytes(path.read_bytes()[:60]), 'cannot be read')])
def test_a_bad_mask_is_named(masks, truth, report, damage, message):
    damage(masks / 'w0.png')
    with pytest.raises(ValueError, match=rf'masks/w0\.png: the mask .*{message}'):
        report(masks, truth=truth)


@pytest.mark.parametrize('place, message', [
    (dict(truth='nowhere'), 'nowhere: there is no such folder'),
    (dict(truth='JPEGImages'), 'no image has a mask'),
    (dict(ann_file='none.txt'), 'none.txt: there is no'),
    (dict(ann_file='empty'), 'empty: the list is em'),
    (dict(classes='none.txt'), 'none.txt: there is no'),
    (dict(classes='empty'), 'empty: the list of class names is em'),
    (dict(images='.'), 's0.jpg: there is no such im')], ids=str)
def test_what_is_not_there_is_named(kit, masks, report, monkeypatch, place, message):
    monkeypatch.chdir(kit)
    (kit / 'empty').write_text('')
    with pytest.raises(ValueError, match=message):
        report(masks, **{'truth': 'SegmentationClass', **place})


@pytest.mark.parametrize('options, message', [
    ([], 'give --truth DIR, or a second MASK_DIR'), (['masks'], 'given twice'),
    (['--truth', 'x', '--workers', '0'], 'at least 1'),
    (['--truth', 'x', '--trimap-width', '-1'], 'at least 0')])
def test_options_that_make_no_sense_are_refused(run_tool, options, message):
    code, error = run_tool('analysis_tools/mask_report.py', 'masks', *options)
    assert code == 2 and message in error


def test_class_names_are_found_or_given(kit, masks, truth, tmp_path, report):
    (tmp_path / 'names.txt').write_text('nothing\nrouge\n\nvert\n')
    result, output = report(masks, truth=truth, classes=tmp_path / 'names.txt')
    assert list(result['folders'][str(masks)]['classes']) == ['nothing', 'rouge', 'vert']
    assert f'3 classes: {tmp_path / "names.txt"}' in output
    (kit / 'classes.txt').rename(tmp_path / 'classes.txt')
    assert f'3 classes: {tmp_path / "classes.txt"}' in report(masks, truth=truth)[1]
    (tmp_path / 'classes.txt').unlink()
    result, output = report(masks, truth=truth)
    assert '21 classes: the 21 names of VOC' in output
    classes = result['folders'][str(masks)]['classes']
    assert len(classes) == 21 and classes['bicycle']['iou'] == 1 and classes['cat']['iou'] is None


def test_panels_show_the_worst_images_first_and_then_the_best(
        kit, masks, truth, report, monkeypatch):
    """In image vN, 4 (N + 1) of the 36 pixels of the object are missed."""
    make_devkit(kit, val=8)
    for path in (truth).glob('*.png'):
        mask = np.array(Image.open(path))
        if path.stem[0] == 'v':
            mask.flat[np.flatnonzero(mask)[:4 * (int(path.stem[1]) + 1)]] = 0
        write_mask(masks / path.name, mask)
    drawn = {}

    def save_panels(path, rows, titles, *_):
        path.write_bytes(b'for the page')
        drawn.update(names=[name.split()[0] for name, _ in rows], titles=titles,
                     pictures=[len(pictures) for _, pictures in rows], first=rows[0][1])

    monkeypatch.setattr(mask_report, 'save_panels', save_panels)
    report(masks, truth=truth)
    assert drawn['names'][:4] == ['v7', 'v6', 'v5', 'v4']
    assert set(drawn['names'][4:]) == {'s0', 's1', 'w0', 'w1'}
    assert drawn['titles'] == ['image', str(masks)[-32:], 'truth']
    assert drawn['pictures'] == [3] * 8
    photograph = np.array(Image.open(kit / f'JPEGImages/{drawn["names"][0]}.jpg')).astype(int)
    assert np.abs(drawn['first'][0] - photograph).max() <= 4  # decoders differ

    (kit / 'JPEGImages').rename(kit / 'elsewhere')
    report(masks, truth=truth)
    assert drawn['pictures'] == [2] * 8


def test_boundary_scores_can_be_left_out(masks, truth, report):
    result, _ = report(masks, truth=truth, trimap_width=0)
    scores = result['folders'][str(masks)]
    assert scores['boundary_miou'] is None and scores['miou'] == 1
