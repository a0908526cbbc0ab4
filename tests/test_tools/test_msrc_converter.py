"""The release of MSRC, written in its form from known masks, becomes these masks again."""
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image

from mmseg_wss.labels.converters.msrc import CLASSES, RELEASED
from mmseg_wss.labels.formats.voc_xml import read_voc_objects
from mmseg_wss.simulation.msrc import draw_lists

TOOL = 'dataset_converters/msrc.py'


def write_image(release, name, image, segments, labels):
    for folder in 'Images', 'newsegmentations_mats':
        (release / folder).mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(release / 'Images' / f'{name}.bmp')
    scipy.io.savemat(release / f'newsegmentations_mats/{name}_GT.mat', dict(
        newseg=segments.astype(np.uint8), newlabels=np.array(labels, np.uint8)[:, None]))


def number(name):
    return RELEASED.index(name) + 1


@pytest.fixture
def drawn(tmp_path):
    """An image of grass, two cows, a bird of 63 pixels, a void segment and pixels of none."""
    segments = np.ones((40, 50), int)
    segments[2:12, 3:20] = 2
    segments[20:30, 30:50] = 3
    segments[0:7, 30:39] = 4
    segments[35:, :] = 5
    segments[:, 0] = 0
    image = np.zeros((40, 50, 3), np.uint8)
    labels = [number('grass'), number('cow'), number('cow'), number('bird'), 0]
    release = tmp_path / 'release'
    write_image(release, '5_1_s', image, segments, labels)
    write_image(release, '5_2_s', image, segments, [number('horse'), *labels[1:]])
    write_image(release, '5_3_s', image, segments, [number('sky')] * 5)
    return release


def read(path):
    return np.array(Image.open(path))


def test_objects_of_a_drawn_image(drawn, run_tool, tmp_path):
    out = tmp_path / 'out'
    code, printed = run_tool(TOOL, drawn, '--out', out)
    assert code == 0 and '1 of 3 images' in printed, printed
    mask = np.zeros((40, 50), np.uint8)
    mask[2:12, 3:20] = mask[20:30, 30:50] = CLASSES.index('cow')
    mask[0:7, 30:39] = mask[35:] = mask[:, 0] = 255
    assert (read(out / 'SegmentationClass/5_1_s.png') == mask).all()
    instances = np.where(mask == CLASSES.index('cow'), 1, mask)
    instances[20:30, 30:50] = 2
    assert (read(out / 'SegmentationObject/5_1_s.png') == instances).all()
    names, boxes = read_voc_objects(out / 'Annotations/5_1_s.xml')
    assert list(names) == ['cow', 'cow']
    assert np.array(boxes).tolist() == [[3, 2, 20, 12], [30, 20, 50, 30]]
    assert [path.name for path in (out / 'JPEGImages').iterdir()] == ['5_1_s.jpg']
    assert (out / 'classes.txt').read_text().split() == list(CLASSES)


@pytest.mark.parametrize('damage, said', [
    (lambda release: (release / 'newsegmentations_mats/5_1_s_GT.mat').write_bytes(b'MATLAB 5.0'),
     '5_1_s_GT.mat'),
    (lambda release: (release / 'newsegmentations_mats/5_1_s_GT.mat').unlink(), '5_1_s_GT.mat'),
    (lambda release: (release / 'Images/5_1_s.bmp').write_bytes(b'BM12'), '5_1_s.bmp'),
    (lambda release: Image.new('RGB', (50, 41)).save(release / 'Images/5_1_s.bmp'), '50x41'),
    (lambda release: write_image(release, '5_1_s', np.zeros((9, 9, 3), np.uint8),
                                 np.full((9, 9), 3), [1, 2]), 'newlabels')])
def test_a_damaged_file_is_named_with_a_remedy(drawn, run_tool, tmp_path, damage, said):
    damage(drawn)
    code, printed = run_tool(TOOL, drawn, '--out', tmp_path / 'out')
    assert code == 1 and said in printed and 'Unpack the release again' in printed
    assert not list((tmp_path / 'out').rglob('*.txt'))


def test_lists_are_parts_of_each_other_and_the_same_for_a_seed():
    objects = {f'{i}_s': {CLASSES[1 + i % 15]} for i in range(494)}
    lists = {key: set(names) for key, names in draw_lists(objects, 3).items()}
    assert len(lists['trainaug']) == 285 and len(lists['val']) == 209
    assert not lists['trainaug'] & lists['val']
    for number in 15, 30, 60:
        strong, weak = lists[f'train_strong{number}'], lists[f'train_weak{number}']
        assert len(strong) == number and strong | weak == lists['trainaug'] and not strong & weak
    assert lists['train_strong15'] < lists['train_strong30'] < lists['train_strong60']
    assert len(set().union(*(objects[name] for name in lists['train_strong15']))) == 15
    assert draw_lists(dict(reversed(objects.items())), 3) == draw_lists(objects, 3)
    assert draw_lists(objects, 4)['val'] != draw_lists(objects, 3)['val']


def test_real_masks_go_round(msrc, run_tool, tmp_path):
    """From the masks of photographs to the form of the release, and back."""
    release, out, lists = tmp_path / 'release', tmp_path / 'out', tmp_path / 'lists'
    names = (msrc / 'ImageSets/Segmentation/train_strong15.txt').read_text().split()
    for name in names:
        mask, instances = (read(msrc / folder / f'{name}.png')
                           for folder in ('SegmentationClass', 'SegmentationObject'))
        segments, labels = np.zeros(mask.shape, int), []
        for value in [*sorted(set(instances.ravel()) - {0, 255}), 0]:
            labels.append(number(CLASSES[mask[instances == value][0]]) if value else number('road'))
            segments[instances == value] = len(labels)
        write_image(release, name, read(msrc / f'JPEGImages/{name}.jpg'), segments, labels)
    lists.mkdir()
    (lists / 'val.txt').write_text('\n'.join(names))
    code, printed = run_tool(TOOL, release, '--out', out, '--lists', lists)
    assert code == 0, printed
    assert Path(out, 'classes.txt').read_text() == (msrc / 'classes.txt').read_text()
    assert Path(out, 'ImageSets/Segmentation/val.txt').read_text().split() == names
    for name in names:
        for folder in 'SegmentationClass', 'SegmentationObject':
            assert (read(out / folder / f'{name}.png') == read(msrc / folder / f'{name}.png')).all()
        found, true = (read_voc_objects(root / f'Annotations/{name}.xml') for root in (out, msrc))
        assert list(found[0]) == list(true[0]) and (np.array(found[1]) == np.array(true[1])).all()
        difference = abs(read(out / f'JPEGImages/{name}.jpg').astype(int)
                         - read(msrc / f'JPEGImages/{name}.jpg'))
        assert difference.mean() < 3
