"""Precomputed MCG proposals, against all of their masks written out."""
import numpy as np
import pytest
import scipy.io
from scipy.sparse import csc_matrix

from mmseg_wss.errors import DataError
from mmseg_wss.labels.boxes import pixel_windows
from mmseg_wss.proposals.mcg import mcg_masks

SHAPE = 30, 40
NUM = 20  # superpixels
BOXES = np.array([[4, 3, 21, 22], [0, 0, 40, 30], [15.6, 8, 31, 29], [33, 20, 39.4, 30]])


@pytest.fixture
def proposals():
    """Superpixels uint16 (H, W) from 1, and which of them each proposal has, bool (N, NUM)."""
    rng = np.random.RandomState(0)
    superpixels = (np.arange(30)[:, None] // 8 * 5 + np.arange(40) // 8 + 1).astype(np.uint16)
    superpixels[rng.rand(*SHAPE) < 0.02] = 7
    return superpixels, rng.rand(60, NUM) < rng.choice([0.05, 0.1, 0.3], (60, 1))


def cells(members):
    labels = np.empty((len(members), 1), object)
    labels[:, 0] = [np.flatnonzero(row)[None].astype(np.uint16) + 1 for row in members]
    return labels


def save(path, **fields):
    scipy.io.savemat(path, fields, do_compression=True)
    return path


def tight_box(mask):
    rows, columns = np.nonzero(mask)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def rectangle(box):
    mask = np.zeros(SHAPE, bool)
    mask[box[1]:box[3], box[0]:box[2]] = True
    return mask


def brute_force(superpixels, members):
    """The masks that `mcg_masks` must return for BOXES."""
    masks = [np.isin(superpixels, np.flatnonzero(row) + 1) for row in members if row.any()]
    for window in pixel_windows(BOXES, SHAPE):
        given = rectangle(window)
        overlaps = []
        for mask in masks:
            tight = rectangle(tight_box(mask))
            overlaps.append(((tight & given).sum() / (tight | given).sum(), mask.sum()))
        best = masks[max(range(len(masks)), key=overlaps.__getitem__)] & given
        yield best if best.any() else given


def test_the_proposal_whose_box_overlaps_most_is_chosen(tmp_path, proposals):
    superpixels, members = proposals
    members[3] = False
    path = save(tmp_path / 'a.mat', superpixels=superpixels, labels=cells(members))
    masks = mcg_masks(path, BOXES, SHAPE)
    assert masks.dtype == bool and masks.shape == (4, *SHAPE)
    np.testing.assert_array_equal(masks, list(brute_force(superpixels, members)))


def test_scores_boxes_and_order_of_the_file_are_ignored(tmp_path, proposals):
    superpixels, members = proposals
    members = np.concatenate([members, members[:, ::-1]])
    rng = np.random.RandomState(1)
    expected = None
    for i in range(4):
        shuffled = members[rng.permutation(len(members))] if i else members
        path = save(tmp_path / f'{i}.mat', superpixels=superpixels, labels=cells(shuffled),
                    scores=rng.rand(len(members), 1), bboxes=rng.rand(7, 4))
        masks = mcg_masks(path, BOXES, SHAPE)
        expected = masks if expected is None else expected
        np.testing.assert_array_equal(masks, expected)


@pytest.mark.parametrize('convert', [
    lambda members: members.T, lambda members: members, lambda members: csc_matrix(members.T),
    lambda members: members.T.astype(float)])
def test_a_matrix_says_the_same_as_lists(tmp_path, proposals, convert):
    superpixels, members = proposals
    lists = save(tmp_path / 'lists.mat', superpixels=superpixels, labels=cells(members))
    matrix = save(tmp_path / 'matrix.mat', superpixels=superpixels.astype(float),
                  sp2reg=convert(members))
    np.testing.assert_array_equal(mcg_masks(matrix, BOXES, SHAPE), mcg_masks(lists, BOXES, SHAPE))


def test_boxes_without_a_proposal_become_masks_whole(tmp_path, proposals):
    superpixels, _ = proposals
    corner = np.zeros((1, NUM), bool)
    corner[0, 0] = True
    boxes = np.array([[20, 10, 30, 20], [5, 5, 5, 9]])
    for number, members in enumerate((corner, corner[:0])):
        path = save(tmp_path / f'{number}.mat', superpixels=superpixels, labels=cells(members))
        masks = mcg_masks(path, boxes, SHAPE)
        np.testing.assert_array_equal(masks, [rectangle(box) for box in boxes])
    assert mcg_masks(path, np.zeros((0, 4)), SHAPE).shape == (0, *SHAPE)


def changed(**changes):
    def fields(superpixels, members):
        all_fields = dict(superpixels=superpixels, labels=cells(members))
        all_fields.update(changes)
        return {name: value for name, value in all_fields.items() if value is not None}
    return fields


@pytest.mark.parametrize('fields, says', [
    (changed(superpixels=None), 'superpixels.*missing'),
    (changed(labels=None, scores=np.zeros((60, 1))), r'labels and sp2reg.*scores \(60, 1\)'),
    (changed(superpixels=np.ones((40, 30))), r'\(40, 30\), but the image is \(30, 40\)'),
    (changed(superpixels=np.zeros(SHAPE)), 'whole numbers from 1'),
    (changed(superpixels=np.full(SHAPE, 1.5)), 'whole numbers from 1'),
    (changed(superpixels=np.full(SHAPE, np.nan)), 'whole numbers from 1'),
    (changed(superpixels=np.full(SHAPE, 4e9)), 'whole numbers from 1'),
    (changed(superpixels=csc_matrix(np.ones(SHAPE))), 'whole numbers from 1'),
    (changed(labels=np.zeros((60, 4))), 'cell array'),
    (changed(labels=np.array([[{'a': 1}]], object)), 'cell array'),
    (changed(labels=cells(np.ones((3, NUM + 1)))), r'other than 1\.\.20'),
    (changed(labels=None, sp2reg=np.ones((NUM + 1, 60))), 'one side of 20'),
    (changed(labels=None, sp2reg=cells(np.ones((NUM, 1)))), 'one side of 20'),
])
def test_a_wrong_file_is_refused_by_name(tmp_path, proposals, fields, says):
    path = save(tmp_path / 'wrong.mat', **fields(*proposals))
    with pytest.raises(DataError, match=says) as error:
        mcg_masks(path, BOXES, SHAPE)
    assert str(path) in str(error.value) and 'Fields found' in str(error.value)


@pytest.mark.parametrize('content, says', [
    (None, 'no such file'), (b'', 'not a readable'), (b'no matrix' * 99, 'not a readable'),
    (b'MATLAB 7.3 MAT-file'.ljust(124) + b'\x00\x02IM' + b'\x89HDF' * 99, r"save\(name, '-v7'\)"),
])
def test_an_unreadable_file_is_refused_with_the_remedy(tmp_path, content, says):
    path = tmp_path / 'broken.mat'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=says) as error:
        mcg_masks(path, BOXES, SHAPE)
    assert str(path) in str(error.value)


def test_a_truncated_file_is_refused(tmp_path, proposals):
    superpixels, members = proposals
    path = save(tmp_path / 'cut.mat', superpixels=superpixels, labels=cells(members))
    content = path.read_bytes()
    path.write_bytes(content[:len(content) // 2])
    with pytest.raises(DataError, match='cut.mat'):
        mcg_masks(path, BOXES, SHAPE)


@pytest.mark.parametrize('index', [10 ** 6, -10 ** 6])
def test_a_sparse_matrix_whose_indices_lead_out_of_it(tmp_path, proposals, index):
    superpixels, members = proposals
    matrix = csc_matrix(members.T.astype(float))
    matrix.indices[3] = index
    path = save(tmp_path / 'a.mat', superpixels=superpixels, sp2reg=matrix)
    with pytest.raises(DataError, match=r'a\.mat: sp2reg is neither'):
        mcg_masks(path, BOXES, SHAPE)
