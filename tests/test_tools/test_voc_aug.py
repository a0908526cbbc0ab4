"""A devkit and an SBD folder of a few images, laid out as the releases are."""
import numpy as np
import pytest
import scipy.io as scipy_io
from devkit import crashing_mat, make_devkit, mask_files, read_mask, write_mask
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.converters.sbd import read_sbd_mask

SHAPE = 12, 16
LISTS = 'ImageSets/Segmentation'


def write_mat(path, mask, **fields):
    """A file as SBD has them: boundaries of each class, the mask, and the classes in it."""
    boundaries = np.empty((20, 1), object)
    boundaries[:, 0] = [np.zeros(SHAPE, bool)] * 20
    content = dict(Boundaries=boundaries, Segmentation=mask,
                   CategoriesPresent=np.array([[1], [2]], np.uint8), **fields)
    scipy_io.savemat(path, dict(GTcls=content), do_compression=True)


def sbd_mask(name):
    rng = np.random.default_rng(ord(name[0]) * 10 + int(name[1]))
    return rng.integers(0, 21, SHAPE, dtype=np.uint8)


@pytest.fixture
def roots(tmp_path):
    """VOC: train s0 s1, val v0 v1. SBD: train s0 w0 w1, val v0 w2."""
    voc, sbd = tmp_path / 'VOC2012', tmp_path / 'benchmark_RELEASE'
    make_devkit(voc, strong=2, weak=3, val=2, size=SHAPE)
    (voc / LISTS / 'strong.txt').rename(voc / LISTS / 'train.txt')
    (voc / LISTS / 'weak.txt').unlink()
    void = np.full(SHAPE, 255, np.uint8)
    void[2:9, 2:9] = 20
    write_mask(voc / 'SegmentationClass/s0.png', void)
    (sbd / 'dataset/cls').mkdir(parents=True)
    for name in ('s0', 'w0', 'w1', 'v0', 'w2'):
        write_mat(sbd / f'dataset/cls/{name}.mat', sbd_mask(name))
    for i in range(3):
        (voc / f'SegmentationClass/w{i}.png').unlink()
    (sbd / 'dataset/train.txt').write_text('s0\nw0\nw1\n')
    (sbd / 'dataset/val.txt').write_text('v0\nw2\n')
    return voc, sbd


@pytest.fixture
def convert(roots, run_tool):
    """A function that runs the tool; returns its exit code and what it printed at last."""
    def convert(*args, folders=roots, workers=1):
        return run_tool('dataset_converters/voc_aug.py', *folders, '--workers', workers, *args)

    return convert


def test_masks_and_lists(roots, convert):
    voc, sbd = roots
    code, report = convert(workers=2)
    assert code == 0 and '7 made' in report and '7 images (4 masks of VOC, 3 of SBD)' in report
    out = voc / 'SegmentationClassAug'
    for name in ('s0', 's1', 'v0', 'v1'):
        assert np.array_equal(read_mask(out / f'{name}.png'),
                              read_mask(voc / f'SegmentationClass/{name}.png'))
    assert 255 in read_mask(out / 's0.png')
    for name in ('w0', 'w1', 'w2'):
        assert np.array_equal(read_mask(out / f'{name}.png'), sbd_mask(name))
    assert (voc / LISTS / 'trainaug.txt').read_text().split() == ['s0', 's1', 'w0', 'w1', 'w2']
    assert (voc / LISTS / 'aug.txt').read_text().split() == ['w0', 'w1', 'w2']
    assert 'trainaug.txt: 5 images (of the whole releases: 10582)' in report

    made = mask_files(out)
    (out / 'w1.png').unlink()
    (out / '.tmp-1-abc-w1.png').touch()  # of a run that was killed
    code, report = convert()
    assert code == 0 and '6 up to date, 1 to make' in report and not list(out.glob('.tmp*'))
    again = mask_files(out)
    assert again.pop('w1.png')[0] == made.pop('w1.png')[0] and again == made


@pytest.mark.parametrize('workers', [1, 2])
def test_a_mat_file_that_crashes_scipy(roots, convert, workers):
    """It is refused before SciPy sees it, and named; the others are made."""
    path = roots[1] / 'dataset/cls/w1.mat'
    path.write_bytes(crashing_mat('GTcls'))
    code, report = convert(workers=workers)
    assert code == 1 and '6 made' in report and '1 failed' in report
    (line, ) = [line for line in report.splitlines() if line.startswith('w1: ')]
    assert line.startswith(f'w1: {path}: not a readable .mat file')
    assert 'Unpack benchmark.tgz again' in line


def test_lists_with_any_line_ends(roots, convert):
    voc, sbd = roots
    (sbd / 'dataset/train.txt').write_bytes(b'\xef\xbb\xbfs0\r\nw0 \r\n\r\nw1')
    (voc / LISTS / 'train.txt').write_bytes(b's0\r\ns1\r\n')
    assert convert()[0] == 0
    assert (voc / LISTS / 'trainaug.txt').read_bytes() == b's0\ns1\nw0\nw1\nw2\n'


def test_lists_that_are_there(roots, convert):
    voc, _ = roots
    (voc / LISTS / 'aug.txt').write_text('w2\nw0\nw1\n')
    assert convert()[0] == 0
    assert (voc / LISTS / 'aug.txt').read_text() == 'w2\nw0\nw1\n'  # the same images
    for text in ('w0\nw1\n', '/JPEGImages/w0.jpg /x/w0.png\n'):
        (voc / LISTS / 'aug.txt').write_text(text)
        code, error = convert()
        assert code == 1 and 'aug.txt: there is such a list already' in error
        assert (voc / LISTS / 'aug.txt').read_text() == text


def test_masks_of_others_are_not_overwritten(roots, convert):
    voc, _ = roots
    (voc / 'SegmentationClassAug').mkdir()
    write_mask(voc / 'SegmentationClassAug/w0.png', np.zeros(SHAPE, np.uint8))
    before = mask_files(voc / 'SegmentationClassAug')
    code, error = convert()
    assert code == 1 and 'They are not overwritten' in error
    assert mask_files(voc / 'SegmentationClassAug') == before
    assert convert('--out', voc / 'Other')[0] == 0 and len(mask_files(voc / 'Other')) == 7


def test_all_faults_together(roots, convert):
    voc, sbd = roots
    write_mat(sbd / 'dataset/cls/w0.mat', np.zeros((16, 12), np.uint8))
    (voc / 'JPEGImages/w1.jpg').unlink()
    (sbd / 'dataset/cls/w2.mat').unlink()
    Image.new('RGB', SHAPE[::-1]).save(voc / 'SegmentationClass/s1.png')
    write_mask(voc / 'SegmentationClass/v1.png', np.full(SHAPE, 21, np.uint8))
    (voc / 'JPEGImages/v0.jpg').write_bytes(b'no picture')
    code, report = convert()
    assert code == 1 and '1 made' in report and '6 failed' in report
    lines = {line.split(':')[0]: line for line in report.splitlines()}
    for name, words in (
            ('w0', 'w0.mat: the mask is 12x16 (width x height) but its image'),
            ('w1', 'w1.jpg: there is no such image'),
            ('w2', 'w2.mat: there is no such mask'),
            ('s1', 's1.png: the mask is a colour picture'),
            ('v1', 'v1.png: the mask has labels [21], but there are 21 classes'),
            ('v0', 'v0.jpg: the image cannot be read (no picture of a known format)')):
        assert words in lines[name], lines[name]
    assert 'The lists are not written' in report
    assert not (voc / LISTS / 'trainaug.txt').exists() and not (voc / LISTS / 'aug.txt').exists()


def test_ctrl_c(roots, convert, ctrl_c):
    code, report = convert()
    assert code == 130 and 'Run the same command again' in report
    code, report = convert()
    assert code == 0 and any(f'{done} up to date' in report for done in (1, 2))
    assert len(mask_files(roots[0] / 'SegmentationClassAug')) == 7


@pytest.mark.parametrize('path, text, says', [
    ('VOC2012/ImageSets/Segmentation/val.txt', 's1\nv0\n', 'train.txt and val.txt share 1 image'),
    ('VOC2012/ImageSets/Segmentation/val.txt', None, 'val.txt: the list cannot be read'),
    ('benchmark_RELEASE/dataset/val.txt', '\n', 'val.txt: expected an image ID a line, got no'),
    ('benchmark_RELEASE/dataset/val.txt', '../w2\n', 'an image ID a line, got ../w2')])
def test_wrong_lists(roots, convert, path, text, says):
    path = roots[0].parent / path
    path.unlink() if text is None else path.write_text(text)
    code, error = convert()
    assert code == 1 and says in error and not (roots[0] / 'SegmentationClassAug').exists()


def test_wrong_arguments(roots, convert):
    code, error = convert(folders=roots[::-1])
    assert code == 2 and 'it has no folder JPEGImages and no SegmentationClass' in error


# ---- .mat files

@pytest.mark.parametrize('content', [
    dict(other=np.zeros(SHAPE)), dict(GTcls=np.zeros(SHAPE)),
    dict(GTcls=dict(Boundaries=np.zeros(SHAPE))), dict(GTcls=dict(Segmentation=np.zeros(0))),
    dict(GTcls=dict(Segmentation='text')), dict(GTcls=dict(Segmentation=np.zeros((3, 4, 3)))),
    dict(GTcls=np.array([(1, ), (2, )], [('Segmentation', object)]))])
def test_another_layout_is_refused(tmp_path, content):
    scipy_io.savemat(tmp_path / 'x.mat', content)
    with pytest.raises(DataError, match='x.mat: not laid out as the class masks of SBD'):
        read_sbd_mask(tmp_path / 'x.mat')


@pytest.mark.parametrize('value', [0.5, -1, 256, np.nan])
def test_labels_that_are_none(tmp_path, value):
    write_mat(tmp_path / 'x.mat', np.full(SHAPE, value))
    with pytest.raises(DataError, match='no class index'):
        read_sbd_mask(tmp_path / 'x.mat')


def test_numbers_of_any_type(tmp_path):
    write_mat(tmp_path / 'x.mat', sbd_mask('w0').astype(float))
    mask = read_sbd_mask(tmp_path / 'x.mat')
    assert mask.dtype == np.uint8 and np.array_equal(mask, sbd_mask('w0'))


@pytest.mark.parametrize('spoil, says', [
    (lambda content: b'', 'not a readable'),
    (lambda content: b'no matrix' * 99, 'not a readable'),
    (lambda content: content[:len(content) // 2], ''),
    (lambda content: b'MATLAB 7.3 MAT-file'.ljust(124) + b'\x00\x02IM' + b'\x89HDF' * 99,
     'MATLAB 7.3')])
def test_unreadable_files(tmp_path, spoil, says):
    write_mat(tmp_path / 'x.mat', sbd_mask('w0'))
    (tmp_path / 'x.mat').write_bytes(spoil((tmp_path / 'x.mat').read_bytes()))
    with pytest.raises(DataError, match=f'x.mat: .*{says}'):
        read_sbd_mask(tmp_path / 'x.mat')
