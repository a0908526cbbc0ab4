"""The choice of regions for a box, against every candidate written out as a mask."""
from itertools import combinations

import cv2
import numpy as np
import pytest
from PIL import Image
from region_trees import border, random_hierarchy

from mmseg_wss.labels.boxes import pixel_windows
from mmseg_wss.labels.formats.voc_xml import read_voc_objects
from mmseg_wss.proposals.region import Candidates, best_region, region_masks


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def tight_box_iou(mask):
    """Of a mask that lies in a window, with the window."""
    rows, columns = np.nonzero(mask)
    return (np.ptp(rows) + 1) * (np.ptp(columns) + 1) / mask.size


def brute_force(masks, strengths, window):
    """Every candidate: {bytes of the mask: (overlap, quality, contrast)}."""
    area = masks[0][window].size
    fit = [mask for mask in masks
           if mask[window].sum() >= max(0.7 * mask.sum(), 0.01 * area)]
    found = {}
    for size in (1, 2, 3, 4):
        for group in combinations(range(len(fit)), size):
            union = np.any([fit[i] for i in group], 0)
            if union.sum() < sum(fit[i].sum() for i in group):
                continue  # they overlap
            linked, queue = {group[0]}, [group[0]]
            while queue:
                one = queue.pop()
                new = {i for i in group if border(fit[one], fit[i], strengths)[0]} - linked
                linked |= new
                queue += new
            if len(linked) < size:
                continue  # not connected
            overlap = tight_box_iou(union[window])
            length, strength = border(union, ~union, strengths)
            found[union.tobytes()] = (
                overlap, overlap * union[window].sum() / union.sum(),
                strength / max(length, 1) * np.sqrt(union[window].sum() / area))
    return found


@pytest.mark.parametrize('seed', range(6))
def test_candidates_are_all_connected_unions_of_up_to_four_regions(seed):
    hierarchy, masks, strengths = random_hierarchy(seed)
    window = np.s_[1:9, 2:12]
    expected = brute_force(masks, strengths, window)
    candidates = Candidates(hierarchy, window)
    contrasts = candidates.contrasts()
    found, index = {}, 0
    for tuples in candidates.tuples:
        for row in tuples:
            union = hierarchy.union(candidates.regions[row])
            np.testing.assert_array_equal(candidates.mask(index), union[window])
            found[union.tobytes()] = (
                candidates.overlaps[index], candidates.qualities[index], contrasts[index])
            index += 1
    assert found.keys() == expected.keys() and len(found) >= 3
    for key in expected:
        assert found[key] == pytest.approx(expected[key], abs=1e-9)


@pytest.mark.parametrize('seed', range(6))
def test_the_choice_follows_its_definition(seed):
    hierarchies = [random_hierarchy(seed + 10 * i) for i in range(2)]
    window = np.s_[0:8, 1:12]
    values, masks = [], []
    for _, regions, strengths in hierarchies:
        for key, value in brute_force(regions, strengths, window).items():
            values.append(value)
            masks.append(np.frombuffer(key, bool).reshape(strengths.shape)[window])
    overlaps, qualities, contrasts = np.transpose(values)
    for select, eligible in (('strict', overlaps >= overlaps.max() - 1e-9),
                             ('sel', qualities >= qualities.max() - 0.2)):
        best = best_region([hierarchy for hierarchy, *_ in hierarchies], window, select)
        scores = np.where(eligible, contrasts, -1)
        winners = [mask for mask, score in zip(masks, scores) if score > scores.max() - 1e-9]
        assert any((mask == best).all() for mask in winners)


@pytest.fixture(scope='module')
def discs():
    """Two discs on grass of noise: image, their masks, their tight boxes."""
    pytest.importorskip('higra')
    rng = np.random.RandomState(0)
    image = np.uint8(rng.randint(0, 40, (90, 120, 3)) + (20, 90, 20))
    y, x = np.mgrid[:90, :120]
    masks = np.stack([(y - 40) ** 2 + (x - 35) ** 2 < 25 ** 2,
                      (y - 60) ** 2 + (x - 90) ** 2 < 18 ** 2])
    for mask, colour in zip(masks, ((200, 40, 40), (60, 60, 200))):
        image[mask] = colour
    boxes = np.array([[10, 15, 60, 65], [72, 42, 108, 78]], np.float64) + [1, 1, 0, 0]
    return image, masks, boxes


@pytest.mark.parametrize('select', ['sel', 'strict'])
def test_discs_are_found_within_their_boxes(discs, select):
    image, truth, boxes = discs
    masks = region_masks(image, boxes, select)
    assert masks.dtype == bool and masks.shape == truth.shape
    for mask, disc, (x1, y1, x2, y2) in zip(masks, truth, pixel_windows(boxes, (90, 120))):
        assert iou(mask, disc) > 0.9
        assert mask.sum() == mask[y1:y2, x1:x2].sum()


def test_a_mask_depends_on_image_and_box_only(discs):
    image, _, boxes = discs
    cv2.setRNGSeed(7)
    drawn = cv2.randu(np.zeros(3), 0, 1)
    cv2.setRNGSeed(7)
    before = np.random.get_state()[1].copy()
    both = region_masks(image, boxes)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.testing.assert_array_equal(cv2.randu(np.zeros(3), 0, 1), drawn)
    for mask, box in zip(both, boxes):
        np.testing.assert_array_equal(region_masks(image, box[None])[0], mask)


def pictures():
    rng = np.random.RandomState(0)
    grey = rng.randint(0, 256, (40, 50, 1))
    return dict(
        tiny=rng.randint(0, 256, (12, 16, 3)), one_colour=np.full((30, 40, 3), 90),
        grey=grey.repeat(3, 2), speck=(grey == grey.max()) * 255 * np.ones(3),
        pixel=np.zeros((1, 1, 3)), row=rng.randint(0, 256, (1, 9, 3)),
        column=rng.randint(0, 256, (9, 1, 3)))


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize('select', ['sel', 'strict'])
@pytest.mark.parametrize('name', pictures())
def test_odd_images_and_boxes(name, select):
    pytest.importorskip('higra')
    image = pictures()[name].astype(np.uint8)
    height, width = image.shape[:2]
    boxes = np.array([[0, 0, width, height], [0, 0, 1, 1], [-9, -9, width / 2, height + 9],
                      [width / 4, height / 4, width, height], [width, height, width + 3, height]])
    masks = region_masks(image, boxes, select)
    for mask, (x1, y1, x2, y2) in zip(masks, pixel_windows(boxes, (height, width))):
        assert mask.any() == ((x2 - x1) * (y2 - y1) > 0)
        assert mask.sum() == mask[y1:y2, x1:x2].sum()
    if name == 'one_colour':  # nothing to choose from: the whole box
        assert masks[1].sum() == 1 and masks[2].sum() == width / 2 * height
    assert region_masks(image, np.zeros((0, 4)), select).shape == (0, height, width)


def test_wrong_arguments_are_named():
    image, boxes = np.zeros((8, 8, 3), np.uint8), np.zeros((1, 4))
    with pytest.raises(ValueError, match=r"\('sel', 'strict'\). Got: 'best'"):
        region_masks(image, boxes, 'best')
    for wrong in (image[..., 0], image / 255, image[..., :2]):
        with pytest.raises(ValueError, match='uint8'):
            region_masks(wrong, boxes)


def test_photographs_are_cut_out_better_than_by_their_boxes(msrc):
    pytest.importorskip('higra')
    scores = []
    for image_id in ('1_11_s', '5_25_s', '7_30_s', '9_9_s', '9_27_s', '17_22_s'):
        image = np.array(Image.open(msrc / f'JPEGImages/{image_id}.jpg').convert('RGB'))
        instances = np.array(Image.open(msrc / f'SegmentationObject/{image_id}.png'))
        boxes = read_voc_objects(msrc / f'Annotations/{image_id}.xml')[1]
        known = instances < 255
        for number, (mask, (x1, y1, x2, y2)) in enumerate(
                zip(region_masks(image, boxes), pixel_windows(boxes, known.shape)), 1):
            box = np.zeros_like(mask)
            box[y1:y2, x1:x2] = True
            scores.append([iou(found & known, instances == number) for found in (box, mask)])
    of_box, of_mask = np.mean(scores, 0)
    assert len(scores) >= 9 and of_mask > of_box + 0.08
