"""Region hierarchies against masks written out, and against higra's own functions."""
import runpy
import sys

import numpy as np
import pytest
from region_trees import border, random_hierarchy
from scipy import ndimage

from mmseg_wss.proposals import gradients
from mmseg_wss.proposals.region_hierarchy import (
    RegionHierarchy,
    _align,
    _cut,
    border_tables,
    region_hierarchies,
)


@pytest.fixture(scope='module')
def photo():
    """Smooth noise under a red square: contours of every strength."""
    pytest.importorskip('higra')
    rng = np.random.RandomState(1)
    noise = ndimage.gaussian_filter(rng.rand(60, 80, 3), (3, 3, 0))
    image = np.uint8(np.interp(noise, (noise.min(), noise.max()), (0, 200)))
    image[15:45, 20:55] = 220, 20, 30
    return image


def test_a_region_is_what_its_mask_is():
    window = np.s_[2:7, 3:11]
    for seed in range(5):
        hierarchy, masks, strengths = random_hierarchy(seed)
        np.testing.assert_array_equal(hierarchy.areas, masks.sum((1, 2)))
        np.testing.assert_array_equal(hierarchy.counts(window), masks[:, 2:7, 3:11].sum((1, 2)))
        regions = np.arange(len(masks))
        contours = np.array([border(mask, ~mask, strengths) for mask in masks])
        np.testing.assert_allclose(np.transpose(hierarchy.contours(regions)), contours, atol=1e-9)
        for region in regions:
            np.testing.assert_array_equal(hierarchy.union([region]), masks[region])
        np.testing.assert_array_equal(
            hierarchy.union([0, 1], window), (masks[0] | masks[1])[window])


def test_common_borders_of_regions_that_do_not_overlap():
    for seed in range(5):
        hierarchy, masks, strengths = random_hierarchy(seed)
        lengths, totals = hierarchy.borders(np.arange(len(masks)))
        for i, j in np.ndindex(lengths.shape):
            if not (masks[i] & masks[j]).any():
                assert (lengths[i, j], totals[i, j]) == pytest.approx(
                    border(masks[i], masks[j], strengths))


def test_border_tables_of_a_known_picture():
    superpixels = np.array([[0, 0, 1], [2, 2, 1]])
    strengths = np.array([[1., 2, 4], [8, 16, 32]])
    lengths, totals = border_tables(superpixels, strengths, 3)
    np.testing.assert_array_equal(lengths, [[0, 1, 2], [1, 0, 1], [2, 1, 0]])
    np.testing.assert_array_equal(totals, [[0, 3, 13.5], [3, 0, 24], [13.5, 24, 0]])


def test_regions_are_connected_and_nested(photo):
    for hierarchy in region_hierarchies(photo, 60):
        assert hierarchy.num_superpixels == len(np.unique(hierarchy.superpixels)) <= 60
        assert hierarchy.areas[-1] == hierarchy.superpixels.size
        assert len(hierarchy.areas) == 2 * hierarchy.num_superpixels - 1
        for region in range(len(hierarchy.areas)):
            assert ndimage.label(hierarchy.union([region]))[1] == 1


def test_the_square_is_a_region_of_every_tree(photo):
    square = np.zeros(photo.shape[:2], bool)
    square[15:45, 20:55] = True
    best = []
    for hierarchy in region_hierarchies(photo):
        masks = [hierarchy.union([region]) for region in range(len(hierarchy.areas))]
        best.append(max((mask & square).sum() / (mask | square).sum() for mask in masks))
    assert best[0] > 0.95 and min(best) > 0.8, best  # the coarser scales see it blurred


def pb_trees(hg, image):
    """Graph, edge weights and mean-pb trees of the image's three contour maps."""
    graph = hg.get_4_adjacency_graph(image.shape[:2])
    weights = [hg.weight_graph(graph, strengths.astype(np.float64), hg.WeightFunction.mean)
               for strengths in gradients.contour_maps(image)[0]]
    return graph, weights, [hg.mean_pb_hierarchy(graph, weight, image.shape[:2])
                            for weight in weights]


def test_the_cut_is_higras_horizontal_cut(photo):
    hg = pytest.importorskip('higra')
    graph, _, trees = pb_trees(hg, photo)
    for number in (2, 7, 20):
        superpixels, parents = _cut(hg, trees[0][0], photo.shape[:2], number)
        cut = hg.HorizontalCutExplorer(*trees[0]).horizontal_cut_from_num_regions(number)
        expected = cut.labelisation_leaves(trees[0][0]).reshape(photo.shape[:2])
        assert same_partition(superpixels, expected)
        assert len(np.unique(superpixels)) == number == (len(parents) + 1) // 2


def same_partition(one, other):
    pairs = {*zip(one.ravel().tolist(), other.ravel().tolist())}
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_the_multiscale_tree_is_higras(photo):
    hg = pytest.importorskip('higra')
    graph, weights, (fine, *coarser) = pb_trees(hg, photo)
    shape = photo.shape[:2]
    expected = hg.multiscale_mean_pb_hierarchy(graph, weights[0], tuple(weights[1:]), shape)[0]

    def regions(tree):
        hierarchy = RegionHierarchy(*_cut(hg, tree, shape, 10 ** 6), np.zeros(shape))
        return {hierarchy.union([region]).tobytes() for region in range(len(hierarchy.areas))}
    assert regions(_align(hg, graph, fine, coarser)) == regions(expected)


def test_a_texture_of_the_same_mean_colour_has_a_contour():
    image = np.full((80, 80, 3), 120, np.uint8)
    image[:, 40::4] = image[:, 41::4] = 160
    image[:, 42::4] = image[:, 43::4] = 80
    for strengths in gradients.contour_maps(image)[0][1:]:
        profile = strengths[20:60, :70].mean(0)
        assert 35 <= profile.argmax() <= 45
        assert profile.max() > 5 * profile[:15].max()


def test_words_are_the_clusters():
    rng = np.random.RandomState(0)
    centres = np.array([[0, 0], [10, 0], [20, 0], [30, 5]], np.float32)
    features = centres[rng.randint(4, size=(30, 40))] + rng.rand(30, 40, 2).astype(np.float32)
    words = gradients.learn_words(features, 4)
    np.testing.assert_allclose(words[words[:, 0].argsort()], centres + 0.5, atol=0.1)


@pytest.mark.filterwarnings('ignore:.*found in sys.modules:RuntimeWarning')
def test_a_missing_higra_is_named_when_it_is_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, 'higra', None)
    module = runpy.run_module('mmseg_wss.proposals.region_hierarchy')  # a fresh copy
    with pytest.raises(ImportError, match=r'pip install -e "\.\[proposals\]"'):
        module['region_hierarchies'](np.zeros((5, 5, 3), np.uint8))
