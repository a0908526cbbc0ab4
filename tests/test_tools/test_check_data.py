import functools
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from bad_images import BAD_IMAGES, flipped
from devkit import make_devkit, read_mask, write_annotation, write_mask
from PIL import Image

CONFIG = """
def source(name, supervision='pixel', **kwargs):
    return dict(type='mmseg_wss.VOCWeakSegDataset', data_root={root!r}, supervision=supervision,
                ann_file='ImageSets/Segmentation/' + name + '.txt', **kwargs)

train_dataloader = dict(dataset=dict(type='ConcatDataset', datasets=[
    source('strong'), source('weak', 'box')]))
val_dataloader = dict(dataset=source('val'))
test_dataloader = val_dataloader
model = dict(decode_head=dict(num_classes=3))
del source
"""


@pytest.fixture
def check(tmp_path, run_tool):
    """Make a devkit of 4 + 8 + 3 images, and a function that runs the tool on it."""
    make_devkit(tmp_path, strong=4, weak=8, val=3)
    config = tmp_path / 'config.py'
    config.write_text(CONFIG.format(root=str(tmp_path)))

    return functools.partial(run_tool, 'check_data.py', config, '--no-model')


def faults(report):
    return [line.strip() for line in report.splitlines() if line.startswith('  ')]


def test_clean(check):
    code, report = check()
    assert code == 0 and not faults(report)
    lines = report[report.index('training source 0'):].splitlines()  # mmseg prints as it loads
    assert re.search(r"strong.txt\): 4 images, supervision 'pixel', 3 of 3 classes seen", lines[0])
    assert re.search(r"weak.txt\): 8 images, supervision 'box'", lines[1])
    assert lines[2].startswith('val (') and lines[3].startswith('test (')
    assert '15 images' in lines[-1]  # not 18: val and test are the same


def test_unlabelled_images(check):
    code, report = check('--cfg-options', 'train_dataloader.dataset.datasets.1.supervision=none')
    assert code == 0
    assert "8 images, supervision 'none', no labels, 0 fault(s)" in report


def test_images_that_are_known_to_be_empty_are_counted(check, tmp_path):
    for name in ('w1', 'w4', 'w5', 's2'):
        (tmp_path / f'Annotations/{name}.xml').write_text('<annotation></annotation>')
    write_mask(tmp_path / 'SegmentationClass/s2.png', np.zeros((12, 16), np.uint8))
    code, report = check()
    assert code == 0
    for words in ("4 images, supervision 'pixel', 3 of 3 classes seen, 1 known to be empty",
                  "8 images, supervision 'box', 3 of 3 classes seen, 3 known to be empty",
                  '0 fault(s), 0 warning(s)'):
        assert words in report
    option = 'train_dataloader.dataset.datasets.1.empty='
    code, report = check('--cfg-options', option + 'error')
    assert code == 1 and len(faults(report)) == 3 and '8 images' in report
    code, report = check('--cfg-options', option + 'unlabelled')
    assert code == 0 and '3 without an object (taken as unlabelled)' in report
    for path in (tmp_path / 'Annotations').glob('w*.xml'):
        path.write_text('<annotation></annotation>')
    code, report = check()
    assert code == 0 and 'none of the labels of 8 images has an object' in report


def test_classes_that_are_not_seen(check, tmp_path):
    (tmp_path / 'ImageSets/Segmentation/val.txt').write_text('v0\n')
    assert '2 of 3 classes seen (not green)' in check()[1]


def test_every_fault_in_one_run(check, tmp_path):
    images, masks, boxes = (
        tmp_path / name for name in ('JPEGImages', 'SegmentationClass', 'Annotations'))
    lists = tmp_path / 'ImageSets/Segmentation'

    good = np.zeros((12, 16), np.uint8)
    (images / 's0.jpg').unlink()
    (masks / 's0.png').write_bytes(b'no mask')
    whole = (images / 's1.jpg').read_bytes()
    (images / 's1.jpg').write_bytes(whole[:len(whole) // 2])
    write_mask(masks / 's1.png', good[:6])
    write_mask(masks / 's2.png', good + 7)
    (masks / 's3.png').unlink()
    (images / 'w0.jpg').write_bytes(bytes(100))
    write_annotation(boxes / 'w1.xml', 'red', (10, 2, 17, 8))
    write_annotation(boxes / 'w2.xml', 'green', (5, 2, 5, 8))
    write_annotation(boxes / 'w3.xml', 'purple', (1, 2, 5, 8))
    (boxes / 'w4.xml').write_text('<annotation><object>')
    (boxes / 'w5.xml').write_text('<annotations></annotations>')
    (boxes / 'w6.xml').unlink()
    (boxes / 'w7.xml').write_text('<!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>')
    bad = good.copy()
    bad[3:5] = 255
    write_mask(masks / 'v0.png', bad)
    Image.new('RGB', (16, 12)).save(masks / 'v1.png')
    (lists / 'weak.txt').write_text(''.join(f'w{i}\n' for i in range(8)) + 'w5\ns2\nv2\n')

    code, report = check('--cfg-options', 'model.decode_head.num_classes=21')
    assert code == 1
    expected = [  # in the order of the config and its lists
        ('s0.jpg', 'no such image'), ('s0.png', 'cannot be read'), ('s1.jpg', 'corrupt'),
        ('s1.png', 'size of the image'), ('s2.png', r'labels \[7\]'), ('s3.png', 'cannot be read'),
        ('weak.txt', 'w5'), ('w0.jpg', 'no picture'), ('w1.xml', 'outside'), ('w2.xml', 'no area'),
        ('w3.xml', 'purple'), ('w4.xml', 'XML'), ('w5.xml', 'no annotation file'),
        ('w6.xml', 'no such'),
        ('w7.xml', 'Entities'), ('v0.png', '0 and 255'), ('v1.png', 'colour'),
        ('already', 'shown above'),
        ('weak.txt', 's2.jpg'), ('weak.txt', 'v2.jpg'), ('weak.txt', 'v2.jpg'),
        ('decode_head', 'num_classes=3'),
    ]
    found = faults(report)
    assert len(found) == len(expected)
    for line, (file, what) in zip(found, expected):
        assert file in line and re.search(what, line), line
    assert report.splitlines()[-1].startswith('21 fault(s)')

    assert check('--cfg-options', 'model.decode_head.num_classes=21', '--workers', '1') == (
        code, report)


def test_what_a_training_would_not_take(check, tmp_path):
    """Each fault is found by the config's own pipeline and classes, without a training."""
    images, masks = tmp_path / 'JPEGImages', tmp_path / 'SegmentationClass'
    for image_id, name in (('w0', 'tga'), ('w1', 'png-12-bit'), ('w2', 'jpeg-of-zeros'),
                           ('w3', 'tiff-float'), ('w4', 'too-many-pixels')):
        (images / f'{image_id}.jpg').write_bytes(BAD_IMAGES[name][0])
    Image.new('RGB', (16, 1)).save(images / 'v0.jpg')
    write_mask(masks / 'v0.png', np.zeros((1, 16), np.uint8))
    whole = np.zeros((12, 16), np.float32)
    Image.fromarray(whole + 1.9).save(masks / 's0.png', 'TIFF')
    content = (masks / 's1.png').read_bytes()
    (masks / 's1.png').write_bytes(flipped(content, -14))
    with open(tmp_path / 'config.py', 'a') as config:
        config.write("val_dataloader['dataset']['pipeline'] = [dict(type='LoadImageFromFile'), "
                     "dict(type='Resize', scale=(7, 7), keep_ratio=True)]")
    code, report = check()
    assert code == 1
    expected = [
        ('s0.png', 'numbers of the type float32'), ('s1.png', "checksum of its part 'IDAT'"),
        ('w0.jpg', 'a TGA file'), ('w1.jpg', 'nearly black'), ('w2.jpg', 'its end is missing'),
        ('w3.jpg', 'type float32'), ('w4.jpg', 'too large'),
        ('v0.jpg', 'so thin that Resize may leave 7x0')]
    found = [line for line in faults(report) if 'already' not in line]
    for line, (file, what) in zip(found, expected):
        assert file in line and what in line, line
    assert len(found) == len(expected)


@pytest.mark.parametrize('names, said', [
    (['background', 'red', 'red'], "has the name 'red' for the classes 1, 2"),
    ([f'class {number}' for number in range(256)], 'has 256 classes, but a mask holds 255')])
def test_class_names(check, tmp_path, names, said):
    (tmp_path / 'classes.txt').write_text('\n'.join(names))
    code, report = check()
    assert code == 1
    assert all(f'{tmp_path}/classes.txt: the list of class names {said}' in line
               for line in faults(report) if 'already' not in line and 'decode_head' not in line)
    code, report = check('--cfg-options', 'model.decode_head.num_classes=300')
    assert 'model.decode_head: the head has 300 classes, but a mask holds 255' in report


def test_faults_of_lists(check, tmp_path):
    lists = tmp_path / 'ImageSets/Segmentation'
    (lists / 'strong.txt').unlink()
    (lists / 'val.txt').write_text('\n')
    (tmp_path / 'JPEGImages/w0.jpg').unlink()
    code, report = check()
    assert code == 1
    missing, image, empty, again = faults(report)
    assert 'strong.txt' in missing and 'no such list' in missing
    assert 'w0.jpg' in image
    assert 'val.txt' in empty and 'empty' in empty
    assert 'already shown' in again


def test_max_shown(check, tmp_path):
    for file in (tmp_path / 'JPEGImages').glob('w*.jpg'):
        file.unlink()
    shown = faults(check('--max-shown', '3')[1])
    assert len(shown) == 4 and '5 more' in shown[-1]
    code, report = check('--max-shown', '0')
    assert len(faults(report)) == 8 and code == 1


def warnings_of(report):
    return [line for line in report.splitlines() if line.startswith('warning: ')]


def use_pseudo_masks(tmp_path):
    """Turn the weak source into one of pseudo masks, equal to the true ones; returns the folder."""
    folder = tmp_path / 'Pseudo'
    shutil.copytree(tmp_path / 'SegmentationClass', folder)
    config = tmp_path / 'config.py'
    config.write_text(config.read_text().replace(
        "source('weak', 'box')", "source('weak', 'pseudo', pseudo_mask='Pseudo')"))
    return folder


def rewrite(folder, names, change):
    for name in names:
        path = folder / f'{name}.png'
        write_mask(path, change(read_mask(path)))


def shift(folder, names):
    """Give each mask the name of the next one."""
    masks = [read_mask(folder / f'{name}.png') for name in names]
    for name, mask in zip([*names[1:], names[0]], masks):
        write_mask(folder / f'{name}.png', mask)


WEAK, STRONG, VAL = ([f'{letter}{i}' for i in range(number)] for letter, number in
                     (('w', 8), ('s', 4), ('v', 3)))
ALL_IGNORED, ALL_BACKGROUND = (functools.partial(np.full_like, fill_value=v) for v in (255, 0))


def unlearned(mask):
    return np.where(mask == 0, 255, mask)


@pytest.mark.parametrize('folder, damage, said', [
    ('Pseudo', lambda folder: None, []),
    ('Pseudo', lambda folder: rewrite(folder, WEAK, unlearned), []),
    ('Pseudo', lambda folder: rewrite(folder, WEAK, ALL_IGNORED), ['8 of 8 masks are 255']),
    ('Pseudo', lambda folder: rewrite(folder, WEAK[2:4], ALL_IGNORED), ['2 of 8 masks are 255']),
    ('Pseudo', lambda folder: rewrite(folder, WEAK, ALL_BACKGROUND), ['8 of 8 masks hold no obj']),
    ('Pseudo', lambda folder: rewrite(folder, WEAK[:1], ALL_BACKGROUND), []),
    ('Pseudo', lambda folder: shift(folder, WEAK), ['8 of 8 masks contradict the boxes']),
    ('Pseudo', lambda folder: rewrite(folder, WEAK, lambda mask: mask % 2 + (mask > 0)),
     ['8 of 8 masks contradict']),  # red and green change places
    ('Pseudo', lambda folder: rewrite(folder, WEAK[:1], lambda mask: mask % 2 + (mask > 0)), []),
    ('SegmentationClass', lambda folder: shift(folder, STRONG), ['4 of 4 masks contradict']),
    ('SegmentationClass', lambda folder: rewrite(folder, STRONG, ALL_IGNORED),
     ['4 of 4 masks are 255']),
    ('SegmentationClass', lambda folder: rewrite(folder, STRONG, ALL_BACKGROUND),
     ['4 of 4 masks hold no object', '4 of 4 masks contradict']),
    ('SegmentationClass', lambda folder: shift(folder, VAL), ['3 of 3 masks contradict'])], ids=[
        'good', 'no background', 'all ignored', 'two ignored', 'all background', 'one background',
        'shifted', 'classes swapped', 'one swapped', 'strong shifted', 'strong ignored',
        'strong background', 'val shifted'])
def test_labels_that_teach_nothing_or_teach_wrong(check, tmp_path, folder, damage, said):
    use_pseudo_masks(tmp_path)
    damage(tmp_path / folder)
    code, report = check()
    found = warnings_of(report)
    assert code == 0 and not faults(report)
    assert len(found) == len(said) and f'0 fault(s), {len(said)} warning(s);' in report
    assert all(words in warning for words, warning in zip(said, found))


def test_images_that_the_network_sees_larger_than_in_training(check, tmp_path):
    for path in tmp_path.glob('*/v*.*g'):
        with Image.open(path) as image:
            image.resize((96, 72), Image.Resampling.NEAREST).save(path)
    for path in tmp_path.glob('Annotations/v*'):  # masks are compared with boxes
        path.unlink()
    code, report = check()
    assert code == 0 and 'val: 96 x 72 pixels, resized by 1.00; objects of 36 pixels' in report
    assert [re.search('objects of (.*) pixels, but .* those of (.*) [(]', warning).groups()
            for warning in warnings_of(report)] == [('36', '6')]


def test_no_boxes_to_compare(check, tmp_path):
    shift(use_pseudo_masks(tmp_path), WEAK)
    for file in (tmp_path / 'Annotations').glob('w*.xml'):
        file.unlink()
    assert not warnings_of(check()[1])


def test_scribbles_of_other_images(check, tmp_path):
    use_pseudo_masks(tmp_path).rename(tmp_path / 'ScribbleLabels')
    rewrite(tmp_path / 'ScribbleLabels', WEAK, unlearned)
    config = tmp_path / 'config.py'
    config.write_text(config.read_text().replace("'pseudo', pseudo_mask='Pseudo'", "'scribble'"))
    report = check()[1]
    assert not warnings_of(report)
    assert "supervision 'scribble', 2 of 3 classes seen (not background)" in report
    shift(tmp_path / 'ScribbleLabels', WEAK)
    warning, = warnings_of(check()[1])
    assert '8 of 8 masks contradict' in warning and 'source 1' in warning


def test_val_without_a_labelled_pixel(check, tmp_path):
    rewrite(tmp_path / 'SegmentationClass', VAL, ALL_IGNORED)
    code, report = check()
    fault, = faults(report)
    assert code == 1 and 'val.txt' in fault and 'mIoU would be NaN' in fault
    assert len(warnings_of(report)) == 1  # test is the same list
    assert report.count("'pixel', 0 of 3 classes seen (not background, red, green)") == 2
    write_mask(tmp_path / 'SegmentationClass/v2.png', np.zeros((12, 16), np.uint8))
    assert check()[0] == 0


def test_shares_of_the_classes(check, tmp_path):
    """Squares of 6x6 in 12x16 pixels, red and green in turn; boxes give shares of the images."""
    rewrite(tmp_path / 'SegmentationClass', VAL[:1], ALL_IGNORED)
    report = check()[1].splitlines()
    start = next(i for i, line in enumerate(report) if line.startswith('class'))
    square, val = 100 * 36 / 192, 100 / 3
    expected = [
        ['background', 100 - square, 100, 2 * val - 2 * val * square / 100],
        ['red', square / 2, 50, val * square / 100], ['green', square / 2, 50, val * square / 100],
        ['(ignored)', 0, 0, val]]
    assert report[start].split() == ['class', 'source', '0', 'source', '1', 'val', 'test']
    assert report[start + 1].split() == ['%', 'of', 'pixels', 'images', 'pixels', 'pixels']
    for line, (name, *shares) in zip(report[start + 2:], expected):
        cells = line.split()[1:]
        assert cells[0] == name and cells[3] == cells[4]
        assert [float(cell.replace('-', '0')) for cell in cells[1:4]] == pytest.approx(
            shares, abs=0.006)


def test_labels_of_mmsegs_data_sets_are_counted_as_trained(check, tmp_path):
    """reduce_zero_label: 0 is ignored, 1 and 2 are the first two classes."""
    config = tmp_path / 'config.py'
    with open(config, 'a') as file:
        file.write(f"""
train_dataloader = dict(dataset=dict(
    type='BaseSegDataset', data_root={str(tmp_path)!r}, reduce_zero_label=True,
    ann_file='ImageSets/Segmentation/strong.txt', metainfo=dict(classes=['red', 'green', 'blue']),
    data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'), pipeline=[]))
""")
    report = check()[1]
    assert "2 of 3 classes seen (not blue)" in report
    assert re.search(r'\n0 red +9.38\n1 green +9.38\n2 blue +-\n255 \(ignored\) +81.25\n', report)


@pytest.mark.parametrize('name, text', [
    ('instances.json', '{"images": [], "annotations": [], "categories": []}'),
    ('s0.json', '{"version": "5.5.0", "shapes": [], "imagePath": "s0.jpg"}')])
def test_exports_of_labelling_tools_are_named(check, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    code, report = check('--cfg-options', f'train_dataloader.dataset.datasets.0.ann_file={name}')
    assert code == 1 and len(faults(report)) == 1
    assert re.search(rf'{name}: this is an export.*import_labels.py .*{name} --out', report)


# ---- the model

MODEL = """
pipeline = [dict(type='LoadImageFromFile'), dict(type='mmseg_wss.LoadWeakLabels'),
            dict(type='mmseg_wss.PackWeakSegInputs')]
for one in train_dataloader['dataset']['datasets']:
    one['pipeline'] = pipeline
model = dict(
    type='mmseg_wss.WeakEncoderDecoder', train_cfg=dict(), test_cfg=dict(mode='whole'),
    data_preprocessor=dict(type='mmseg_wss.WeakSegDataPreprocessor', mean=[120.] * 3,
                           std=[60.] * 3),
    backbone=dict(type='UNet', base_channels=4, num_stages=2, strides=(1, 1), downsamples=(True, ),
                  enc_num_convs=(1, 1), dec_num_convs=(1, ), enc_dilations=(1, 1),
                  dec_dilations=(1, )),
    decode_head=dict(type='mmseg_wss.EMHead', num_classes=3, head=dict(
        type='FCNHead', in_channels=8, in_index=0, channels=4, num_convs=1, num_classes=21,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))))
"""


def test_a_batch_of_every_source_runs_through_the_loss(tmp_path, run_tool):
    make_devkit(tmp_path, strong=4, weak=8, val=3)
    config = tmp_path / 'config.py'
    config.write_text(CONFIG.format(root=str(tmp_path)) + MODEL)
    code, report = run_tool('check_data.py', config)
    assert code == 0 and 'the model: 0 fault(s)' in report
    code, report = run_tool('check_data.py', config, '--cfg-options',
                            'model.decode_head.e_step.type=box')
    found, = faults(report)
    assert code == 1 and re.search('fails in the loss: .*jpg: it has no mask .*PseudoMask', found)
    code, report = run_tool('check_data.py', config, '--cfg-options',
                            'model.decode_head.num_classes=4')
    assert code == 1 and 'the model: not run, since there are faults above' in report
    code, report = run_tool('check_data.py', config, '--no-model')
    assert code == 0 and 'the model' not in report


def test_absent_data_are_not_a_fault_of_the_classes(tmp_path, run_tool, monkeypatch):
    monkeypatch.setenv('MSRC_ROOT', str(tmp_path / 'nowhere'))
    code, report = run_tool('check_data.py', Path(__file__).parents[2]
                            / 'configs/msrc/mixed_dual_efflite0_msrc.py')
    assert code == 1 and 'the data are not there' in report
    assert 'tools/dataset_converters/msrc.py' in report
    assert 'num_classes' not in report and 'classes.txt' not in report
    assert len(faults(report)) == 4 and '1 fault(s), 0 warning(s)' in report
