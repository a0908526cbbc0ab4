import functools
import json
import os
import re
import signal
import sys
import threading

import numpy as np
import pytest
from devkit import CLASSES, crashing_mat, make_devkit, read_mask, write_annotation
from PIL import Image
from scipy.io import savemat
from tiny_run import ROOT, descendants, kill_all, launch, wait_for, wait_for_the_end_of
from tiny_segmenters import import_transformers, save_segmenter

from mmseg_wss.labels.formats.voc_xml import read_voc_objects
from mmseg_wss.labels.stores.mask_folder import MaskFolder, read_records
from mmseg_wss.utils.fileio import file_sha256

TOOL = 'generate_proposals.py'
LIST = 'ImageSets/Segmentation/weak.txt'
CONFIG = """
def source(name, supervision='pixel', **kwargs):
    return dict(type='mmseg_wss.VOCWeakSegDataset', data_root={root!r}, supervision=supervision,
                ann_file='ImageSets/Segmentation/' + name + '.txt', **kwargs)

train_dataloader = dict(dataset=dict(type='ConcatDataset', datasets=[
    source('strong'), source('weak', 'pseudo', pseudo_mask='not/there/yet'),
    source('weak', 'image')]))
del source
"""


@pytest.fixture
def run(run_tool):
    return functools.partial(run_tool, TOOL)


@pytest.fixture
def generate(run, tmp_path):
    """Make a devkit with 5 weak images, and a function that runs the tool on it."""
    make_devkit(tmp_path / 'kit', weak=5)

    def generate(*args, out='out', method='rect', workers=1):
        return run(tmp_path / 'kit', '--ann-file', LIST, '--out', tmp_path / out, '--method',
                   method, '--workers', workers, *args)

    return generate


def files(folder, pattern='*'):
    """Name -> bytes."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob(pattern))
            if not path.name.startswith('.lock')}


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob('[!.]*.png')}


def test_masks_are_the_painted_boxes(generate, tmp_path):
    code, report = generate()
    assert code == 0
    assert '5 images: 0 up to date, 5 to make\n5 made in ' in report
    assert f"pseudo_mask={str(tmp_path / 'out')!r}, made_by='rect'" in report
    for i in range(5):
        names, boxes = read_voc_objects(tmp_path / f'kit/Annotations/w{i}.xml')
        x1, y1, x2, y2 = boxes[0].astype(int)
        expected = np.zeros((12, 16), np.uint8)
        expected[y1:y2, x1:x2] = CLASSES.index(names[0])
        np.testing.assert_array_equal(read_mask(tmp_path / f'out/w{i}.png'), expected)
    records = read_records(tmp_path / 'out')
    assert sorted(records) == ['w0', 'w1', 'w2', 'w3', 'w4']
    recipe = records['w0']['recipe']
    assert recipe['method'] == 'rect' and recipe['classes'] == list(CLASSES)


def test_only_what_is_missing_or_made_otherwise_is_made(generate, tmp_path):
    out = tmp_path / 'out'
    generate()
    first = times(out)
    code, report = generate()
    assert code == 0 and '5 images: 5 up to date, 0 to make' in report
    assert times(out) == first

    write_annotation(tmp_path / 'kit/Annotations/w1.xml', 'green', (2, 3, 9, 8))
    assert '4 up to date, 1 to make' in generate()[1]
    second = times(out)
    assert [name for name in first if first[name] != second[name]] == ['w1.png']

    (out / 'w3.png').unlink()
    assert '4 up to date, 1 to make' in generate()[1]
    (tmp_path / 'kit/classes.txt').write_text('background\ngreen\nred\n')
    assert '0 up to date, 5 to make' in generate()[1]
    assert '0 up to date, 5 to make' in generate(method='grabcut')[1]

    two = dict(out='two', method='region')
    val = '--ann-file', 'ImageSets/Segmentation/val.txt'
    assert '0 up to date, 2 to make' in generate(*val, **two)[1]
    assert '2 up to date, 0 to make' in generate(*val, '--select', 'sel', **two)[1]
    assert '0 up to date, 2 to make' in generate(*val, '--select', 'strict', **two)[1]


def test_any_number_of_workers_gives_the_same_bytes(generate, tmp_path):
    assert generate(out='one', method='grabcut', workers=1)[0] == 0
    assert generate(out='two', method='grabcut', workers=2)[0] == 0
    assert len(files(tmp_path / 'one')) == 5
    assert files(tmp_path / 'one') == files(tmp_path / 'two')


def test_shards(generate, tmp_path, monkeypatch):
    assert 'Train with them' in generate(out='whole')[1].splitlines()[-1]
    report = generate('--shard', '0/2')[1]
    assert '3 images (shard 0/2): 0 up to date, 3 to make' in report
    assert 'Train with them' not in report
    last = report.splitlines()[-1]
    assert last.startswith('Only shard 0/2 is made')
    assert sorted(files(tmp_path / 'out', '*.png')) == ['w0.png', 'w2.png', 'w4.png']
    monkeypatch.setenv('SLURM_PROCID', '0')
    monkeypatch.setenv('SLURM_NTASKS', '3')
    monkeypatch.setenv('RANK', '1')
    monkeypatch.setenv('WORLD_SIZE', '2')  # torchrun inside a job of SLURM
    assert '2 images (shard 1/2): 0 up to date, 2 to make' in generate()[1]
    monkeypatch.delenv('RANK')
    assert '2 images (shard 0/3): 2 up to date, 0 to make' in generate()[1]
    assert read_records(tmp_path / 'out') == read_records(tmp_path / 'whole')
    before = times(tmp_path / 'out')
    assert '5 images: 5 up to date, 0 to make' in generate('--shard', '0/1')[1]
    assert times(tmp_path / 'out') == before
    assert files(tmp_path / 'out') == files(tmp_path / 'whole')


def test_images_that_fail(generate, tmp_path):
    kit = tmp_path / 'kit'
    picture = kit / 'JPEGImages/w0.jpg'
    whole = picture.read_bytes()
    picture.write_bytes(whole[:len(whole) // 2])
    write_annotation(kit / 'Annotations/w1.xml', 'red', (10, 2, 17, 8))
    (kit / 'Annotations/w2.xml').write_text('<annotation><object>')
    (kit / 'Annotations/w3.xml').write_text('<a></a>')
    code, report = generate(workers=2)
    assert code == 1
    assert '5 images: 0 up to date, 3 to make' in report
    failed = sorted(line for line in report.splitlines() if re.match(r'w\d: ', line))
    for line, (file, what) in zip(failed, [
            ('w0.jpg', 'corrupt'), ('w1.xml', 'outside'), ('w2.xml', 'XML'),
            ('w3.xml', 'no annotation file of VOC')]):
        assert file in line and what in line
    assert len(failed) == 4 and '1 made in' in report and '4 failed' in report
    assert sorted(files(tmp_path / 'out')) == ['w4.png']

    picture.write_bytes(whole)
    code, report = generate()
    assert code == 1 and '5 images: 1 up to date, 2 to make' in report and '3 failed' in report


def test_an_image_that_is_known_to_be_empty_is_background(generate, tmp_path):
    path = tmp_path / 'kit/Annotations/w3.xml'
    content = path.read_text()
    path.write_text('<annotation></annotation>')
    code, report = generate()
    assert code == 0 and '5 made' in report
    assert not read_mask(tmp_path / 'out/w3.png').any()
    assert '5 up to date' in generate()[1]
    path.write_text(content)
    assert '4 up to date, 1 to make' in generate()[1] and read_mask(tmp_path / 'out/w3.png').any()


@pytest.mark.parametrize('spoil, named', [
    (lambda folder: (folder / 'kit/JPEGImages/w1.jpg').unlink(), 'JPEGImages/w1.jpg'),
    (lambda folder: (folder / 'kit/Annotations/w1.xml').unlink(), 'Annotations/w1.xml'),
    (lambda folder: (folder / 'out/w1.png/full').mkdir(parents=True), 'w1.png')],
    ids=['no image', 'no boxes', 'a folder in the place of the mask'])
def test_a_missing_file_is_the_failure_of_its_image(generate, tmp_path, spoil, named):
    spoil(tmp_path)
    code, report = generate()
    assert code == 1 and '4 made' in report and '1 failed' in report
    assert len([line for line in report.splitlines()
                if line.startswith('w1: ') and named in line]) == 1


def test_a_full_disk_stops_all(generate, tmp_path, full_disk):
    """Not one failure for each image that is left."""
    with full_disk(1) as left:
        code, error = generate()
    assert code == 1
    assert 'out/w1.png: ' in error and 'Free space on this disk' in error
    assert left == [-1]
    assert sorted(files(tmp_path / 'out')) == ['w0.png']
    code, report = generate()
    assert code == 0 and '5 images: 1 up to date, 4 to make' in report


def test_the_folder_is_not_taken_from_a_shard_at_work(generate, tmp_path):
    generate('--shard', '0/2')
    with MaskFolder(tmp_path / 'out', {}, (1, 2)):
        for shard in ('0/1', '1/2'):
            code, error = generate('--shard', shard)
            assert code == 1 and 'another process' in error
        assert generate('--shard', '0/2')[0] == 0
    assert generate()[0] == 0


def test_the_weak_sources_of_a_config(run, tmp_path):
    make_devkit(tmp_path, weak=3)
    for path in (tmp_path / 'SegmentationClass').iterdir():
        path.unlink()  # true masks are not opened, proposals are not there yet
    config = tmp_path / 'config.py'
    config.write_text(CONFIG.format(root=str(tmp_path)))
    args = config, '--method', 'rect', '--workers', 1
    assert run(*args, '--out', tmp_path / 'a')[0] == 0
    assert sorted(files(tmp_path / 'a', '*.png')) == ['w0.png', 'w1.png', 'w2.png']
    assert run(*args, '--out', tmp_path / 'b', '--ann-file',
               'ImageSets/Segmentation/val.txt')[0] == 0
    assert sorted(files(tmp_path / 'b', '*.png')) == ['v0.png', 'v1.png']
    make_devkit(tmp_path / 'more', weak=1)
    code, error = run(*args, '--out', tmp_path / 'c', '--cfg-options',
                      f'train_dataloader.dataset.datasets.2.data_root={tmp_path / "more"}')
    assert code == 1 and 'w0.png' in error and 'rename' in error


def test_turned_photographs(generate, tmp_path):
    """A mask has the size of the image as training loads it: turned as its EXIF data say."""
    path = tmp_path / 'kit/JPEGImages/w0.jpg'
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(path) as image:
        image.save(path, exif=exif)
    write_annotation(tmp_path / 'kit/Annotations/w0.xml', 'red', (1, 10, 5, 16))
    assert generate()[0] == 0
    mask = read_mask(tmp_path / 'out/w0.png')
    assert mask.shape == (16, 12) and mask[10:16, 1:5].all()


def test_mcg_proposals_made_elsewhere(generate, tmp_path):
    """One superpixel for each half of the image: the proposal is what a box has of its half."""
    halves = np.repeat([[1, 2]], 8, 1).repeat(12, 0)
    labels = np.empty((2, 1), object)
    labels[:, 0] = [np.array([[1]]), np.array([[2]])]
    savemat(tmp_path / 'w0.mat', dict(superpixels=halves.astype(np.uint16), labels=labels))
    write_annotation(tmp_path / 'kit/Annotations/w0.xml', 'green', (0, 2, 9, 12))
    code, report = generate('--mcg-dir', tmp_path, method='mcg')
    expected = np.zeros((12, 16), np.uint8)
    expected[2:, :8] = 2
    np.testing.assert_array_equal(read_mask(tmp_path / 'out/w0.png'), expected)
    assert code == 1 and '1 made' in report and '4 failed' in report
    assert [line[:2] for line in report.splitlines() if '.mat' in line] == ['w1', 'w2', 'w3', 'w4']

    (tmp_path / 'elsewhere').mkdir()
    mcg = (tmp_path / 'w0.mat').rename(tmp_path / 'elsewhere/w0.mat')  # as another machine has them
    args = '--mcg-dir', tmp_path / 'elsewhere'
    assert '5 images: 1 up to date, 4 to make' in generate(*args, method='mcg')[1]
    savemat(mcg, dict(superpixels=(3 - halves).astype(np.uint16), labels=labels))
    assert '5 images: 0 up to date, 5 to make' in generate(*args, method='mcg')[1]
    mcg.unlink()  # nothing says that the mask is wrong
    assert '5 images: 1 up to date, 4 to make' in generate(*args, method='mcg')[1]


def test_a_mat_file_that_crashes_scipy(generate, tmp_path):
    mat = tmp_path / 'w1.mat'
    savemat(mat, dict(superpixels=np.ones((12, 16), np.uint16)))
    mat.write_bytes(mat.read_bytes() + crashing_mat('labels')[128:])  # behind the file's header
    code, report = generate('--mcg-dir', tmp_path, method='mcg')
    (line, ) = [line for line in report.splitlines() if line.startswith('w1: ')]
    assert code == 1 and line.startswith(f'w1: {mat}: not a readable .mat file')


def test_a_promptable_segmenter(generate, tmp_path):
    """The folder of the model may move: name and weights count."""
    import_transformers()
    one, two = (save_segmenter(tmp_path / f'{seed}/model', 'sam', seed) for seed in (3, 4))
    code, report = generate('--sam-model', one, method='sam+rect')
    assert code == 0 and '5 images: 0 up to date, 5 to make' in report
    assert 'Loading' not in report  # transformers' own progress bars
    (options, ) = {json.dumps(record['recipe']['options'])
                   for record in read_records(tmp_path / 'out').values()}
    assert json.loads(options)['sam'] == dict(
        model='model', weights={'model.safetensors': file_sha256(one / 'model.safetensors')})
    one.parent.rename(tmp_path / 'elsewhere')
    moved = tmp_path / 'elsewhere/model'
    assert '5 up to date, 0 to make' in generate('--sam-model', moved, method='sam+rect')[1]
    assert '0 up to date, 5 to make' in generate('--sam-model', two, method='sam+rect')[1]
    (two / 'config.json').unlink()
    code, error = generate('--sam-model', two, method='sam')
    assert code == 1 and error.splitlines()[-1].startswith(f'{two}/config.json does not name')


@pytest.mark.parametrize('args, message', [
    (['--sam-model', '.'], '--sam-model and the method sam'),
    (['--method', 'sam'], '--sam-model and the method sam'),
    (['--method', 'grabcat'], "unknown proposal method 'grabcat'"),
    (['--ann-file', 'lists/none.txt'], 'none.txt: there is no such list'),
    (['--shard', '3/2'], "'3/2' is no shard"),
    (['--shard', '1'], "'1' is no shard"),
    (['--select', 'strict'], '--select is for'),
    (['--alpha', '0.4'], '--alpha is a share between 0 and 1, for the method bbox_seg'),
    (['--mcg-dir', '.'], '--mcg-dir and the method mcg'),
    (['--method', 'mcg'], '--mcg-dir and the method mcg'),
    (['--method', 'mcg', '--mcg-dir', 'no/such'], 'no/such: there is no such folder'),
    (['--workers', '0'], 'argument --workers: expected at least 1'),
    (['--cfg-options', 'a=1'], '--cfg-options is for a config'),
])
def test_wrong_arguments(generate, tmp_path, args, message):
    code, error = generate(*args)
    assert code in (1, 2) and message in error
    assert not (tmp_path / 'out').exists()


def test_wrong_places(generate, run, tmp_path):
    code, error = run(tmp_path / 'kit', '--out', tmp_path / 'out')
    assert code == 2 and '--ann-file' in error
    code, error = run(tmp_path / 'no.py', '--out', tmp_path / 'out')
    assert code == 2 and 'no.py: there is no such config' in error
    (tmp_path / 'file').touch()
    code, error = generate(out='file/out')
    assert code == 1 and 'file/out' in error
    code, error = generate(out='kit/SegmentationClass')  # true masks
    assert code == 1 and 'empty folder' in error


def test_a_stop_in_the_middle(generate, tmp_path):
    """SIGTERM, as Ctrl-C, ends a run in good order; the next run goes on."""
    make_devkit(tmp_path / 'kit', weak=24, size=(60, 80))
    out = tmp_path / 'out'

    def stop():
        wait_for(lambda: len(times(out)) >= 3)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=stop)
    thread.start()
    code, report = generate(method='grabcut', workers=2)
    thread.join()
    assert code == 130 and 'Stopped. The finished' in report.splitlines()[-1]
    made = times(out)
    assert 3 <= len(made) < 24
    assert not list(out.glob('.tmp-*'))
    code, report = generate(method='grabcut')
    assert code == 0 and f'24 images: {len(made)} up to date' in report
    assert {name: times(out)[name] for name in made} == made


def test_a_killed_run_goes_on_to_the_same_folder(generate, tmp_path):
    make_devkit(tmp_path / 'kit', weak=24, size=(60, 80))
    out = tmp_path / 'out'
    process = launch(sys.executable, ROOT / 'tools' / TOOL, tmp_path / 'kit', '--ann-file', LIST,
                     '--out', out, '--method', 'grabcut', '--workers', 2)
    try:
        wait_for(lambda: len(times(out)) >= 3 or process.poll() is not None)
        workers = descendants(process.pid)[1:]
        process.kill()  # this process alone: the others must leave on their own
        process.wait()
        assert len(workers) >= 2
        wait_for_the_end_of(workers)
    finally:
        kill_all(process)
        process.stdout.close()
    made = times(out)
    assert 3 <= len(made) < 24
    (out / '.tmp-1-left.png').write_bytes(b'half')
    code, report = generate(method='grabcut')
    assert code == 0 and report.startswith('24 images: ')
    assert not re.match('24 images: 0 up to date', report)
    generate(out='whole', method='grabcut')
    assert files(out, '*.png') == files(tmp_path / 'whole', '*.png')
    assert read_records(out) == read_records(tmp_path / 'whole')
    assert not list(out.glob('.tmp-*'))
