"""Region hierarchies of an image: trees of superpixels, as tables that answer in constant time.

The trees are MCG's (Pont-Tuset et al., TPAMI 2017, section 4), with untrained gradients
(`contour_maps`): oriented watersheds merged by mean contour strength at several scales, and those
scales aligned and averaged; and Ward's tree of the superpixels' colours and textures.
"""
import numpy as np

from mmseg_wss.proposals.gradients import contour_maps

MAX_SUPERPIXELS = 500  # of each tree: its finest regions are merged down to this number


class RegionHierarchy:
    """A tree of regions over superpixels.

    The superpixels are numbered in depth-first order, so that a region is a range of them:
    `superpixels >= first[r]` and `< last[r]`. Sums over regions are then differences of prefix
    sums, and no region is ever written out as a mask.

    Attributes:
        superpixels (np.ndarray): int64 (H, W), 0..S - 1.
        first, last (np.ndarray): int64 (R,), half-open range of each region; the S superpixels
            and the root are regions, too.

    Args:
        superpixels (np.ndarray): int (H, W), 0..S - 1, in any order.
        parents (np.ndarray): int (R,), parent of each region, larger than its own number; the
            first S are the superpixels, the root is the last and its own parent.
        strengths (np.ndarray): float (H, W), contour strength of the image.
    """

    def __init__(self, superpixels, parents, strengths):
        num = int(superpixels.max()) + 1
        self.first, self.last = _leaf_ranges(parents, num)
        self.superpixels = self.first[:num][superpixels]
        self._area_sums = _prefix_sums(np.bincount(self.superpixels.ravel(), minlength=num))
        lengths, totals = border_tables(self.superpixels, strengths, num)
        self._length_sums, self._strength_sums = map(_prefix_sums_2d, (lengths, totals))

    @property
    def areas(self):
        """Pixels of each region, int64 (R,)."""
        return self._area_sums[self.last] - self._area_sums[self.first]

    def counts(self, window):
        """Pixels of each region in a window: int64 (R,).

        Args:
            window (tuple): slices of rows and columns.
        """
        counts = np.bincount(self.superpixels[window].ravel(), minlength=self.num_superpixels)
        sums = _prefix_sums(counts)
        return sums[self.last] - sums[self.first]

    @property
    def num_superpixels(self):
        return len(self._area_sums) - 1

    def borders(self, regions):
        """Common borders of pairs of regions that do not overlap.

        Args:
            regions (np.ndarray): numbers of N regions.

        Returns:
            tuple: length int64 (N, N), in pixel edges; strength summed along it, float64 (N, N).
        """
        first, last = self.first[regions], self.last[regions]
        return tuple(_range_sums(sums, (first[:, None], last[:, None]), (first, last))
                     for sums in (self._length_sums, self._strength_sums))

    def contours(self, regions):
        """Contours of regions, without the image's frame.

        Args:
            regions (np.ndarray): numbers of N regions.

        Returns:
            tuple: length int64 (N,), in pixel edges; strength summed along it, float64 (N,).
        """
        inner, everything = (self.first[regions], self.last[regions]), (0, self.num_superpixels)
        return tuple(_range_sums(sums, inner, everything) - _range_sums(sums, inner, inner)
                     for sums in (self._length_sums, self._strength_sums))

    def union(self, regions, window=np.s_[:, :]):
        """Mask of the union of regions in a window: bool (h, w)."""
        labels = self.superpixels[window]
        mask = np.zeros(labels.shape, bool)
        for first, last in zip(self.first[regions], self.last[regions]):
            mask |= (labels >= first) & (labels < last)
        return mask


def region_hierarchies(image, max_superpixels=MAX_SUPERPIXELS):
    """The trees that proposals are taken from.

    Args:
        image (np.ndarray): uint8 (H, W, 3), RGB.
        max_superpixels (int): of each tree.

    Returns:
        list[RegionHierarchy]: multiscale, middle scale, coarse scale, Ward.

    Raises:
        ImportError: higra is not installed.
    """
    try:
        import higra as hg
    except ImportError as error:
        raise ImportError('Region proposals need the library higra. Install it with '
                          'pip install -e ".[proposals]".') from error
    if image.shape[0] * image.shape[1] == 1:  # higra has no graph without edges
        return []
    maps, features = contour_maps(image)
    shape = image.shape[:2]
    graph = hg.get_4_adjacency_graph(shape)
    weights = [hg.weight_graph(graph, strengths.astype(np.float64), hg.WeightFunction.mean)
               for strengths in maps]
    fine, *coarser = (hg.mean_pb_hierarchy(graph, weight, shape) for weight in weights)
    trees = [_cut(hg, tree, shape, max_superpixels)
             for tree in (_align(hg, graph, fine, coarser), *(tree for tree, _ in coarser))]
    superpixels = trees[1][0]
    trees.append((superpixels, _ward_parents(hg, superpixels, features)))
    return [RegionHierarchy(*tree, strengths=maps[1]) for tree in trees]


def _align(hg, graph, fine, coarser):
    """Tree over the superpixels of `fine`, merged by the mean saliency of all scales.

    This is higra's `multiscale_mean_pb_hierarchy` with its trees of the coarser scales reused, and
    without its second watershed, which finds the superpixels of `fine` again.
    """
    tree, altitudes = fine
    borders = hg.CptHierarchy.get_leaf_graph(tree)
    if borders.num_edges() == 0:  # one colour: a single superpixel
        return tree
    superpixels = hg.CptRegionAdjacencyGraph.get_vertex_map(borders)
    saliency = hg.saliency(tree, altitudes)
    for aligned in hg.align_hierarchies(graph, superpixels, coarser):
        saliency = saliency + aligned
    means = hg.rag_accumulate_on_edges(borders, hg.Accumulators.mean, saliency)
    lengths = hg.rag_accumulate_on_edges(borders, hg.Accumulators.sum, np.ones_like(saliency))
    return hg.binary_partition_tree_average_linkage(borders, means, lengths)[0]


def _cut(hg, tree, shape, max_superpixels):
    """Merge the leaves of higra's tree down to `max_superpixels`, in the tree's own order.

    A binary tree's inner nodes are numbered in the order of the merges, by increasing altitude, so
    undoing the last `max_superpixels - 1` merges leaves the wanted partition.

    Returns:
        tuple: superpixels int64 (H, W), 0..S - 1; parents int64 (R,), as `RegionHierarchy` wants.
    """
    parents = tree.parents().astype(np.int64)
    num = len(parents)
    parents[-1] = num  # the root: above every threshold
    threshold = tree.num_leaves() + max(tree.num_leaves() - max_superpixels, 0)

    tops = np.where(parents < threshold, parents, np.arange(num))[:threshold]
    while (tops[tops] != tops).any():
        tops = tops[tops]
    is_top = parents[:threshold] >= threshold
    numbers = np.concatenate([np.cumsum(is_top) - 1, is_top.sum() + np.arange(num - threshold)])

    kept = np.concatenate([np.flatnonzero(is_top), np.arange(threshold, num)])
    parents[-1] = num - 1
    rag = hg.CptHierarchy.get_leaf_graph(tree)
    leaves = hg.CptRegionAdjacencyGraph.get_vertex_map(rag).reshape(shape)
    return numbers[tops][leaves], numbers[parents[kept]]


def _ward_parents(hg, superpixels, features):
    """Parents of Ward's tree of the superpixels' mean features: int64 (2 S - 1,)."""
    areas = np.bincount(superpixels.ravel())
    means = np.stack([np.bincount(superpixels.ravel(), channel.ravel()) / areas
                      for channel in np.moveaxis(features, -1, 0)], 1)
    lengths, _ = border_tables(superpixels, np.zeros(superpixels.shape), len(areas))
    graph = hg.UndirectedGraph(len(areas))
    graph.add_edges(*np.nonzero(np.triu(lengths)))
    tree, _ = hg.binary_partition_tree_ward_linkage(
        graph, means, vertex_sizes=areas.astype(np.float64), altitude_correction='max')
    return tree.parents().astype(np.int64)


def border_tables(superpixels, strengths, num):
    """Borders between superpixels, on the edges between 4-neighbours.

    Args:
        superpixels (np.ndarray): int (H, W), 0..num - 1.
        strengths (np.ndarray): float (H, W); an edge has the mean of its two pixels.

    Returns:
        tuple: number of edges between superpixels, int64 (num, num); their summed strength,
        float64 (num, num). Both symmetric, with zeros on the diagonal.
    """
    lengths, totals = np.zeros((num, num), np.int64), np.zeros((num, num))
    for one, other in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        apart = superpixels[one] != superpixels[other]
        pairs = superpixels[one][apart] * num + superpixels[other][apart]
        weights = (strengths[one][apart] + strengths[other][apart]) / 2
        lengths += np.bincount(pairs, minlength=num * num).reshape(num, num)
        totals += np.bincount(pairs, weights, num * num).reshape(num, num)
    return lengths + lengths.T, totals + totals.T


def _leaf_ranges(parents, num_leaves):
    """Half-open ranges of each node's leaves in depth-first order: first (R,), last (R,)."""
    parents = parents.tolist()
    sizes = [1] * num_leaves + [0] * (len(parents) - num_leaves)
    for node, parent in enumerate(parents[:-1]):
        sizes[parent] += sizes[node]
    first, free = [0] * len(parents), [0] * len(parents)
    for node in range(len(parents) - 2, -1, -1):
        first[node] = free[node] = free[parents[node]]
        free[parents[node]] += sizes[node]
    first = np.array(first)
    return first, first + np.array(sizes)


def _prefix_sums(values):
    return np.concatenate([[0], np.cumsum(values)])


def _prefix_sums_2d(table):
    return np.pad(table.cumsum(0).cumsum(1), ((1, 0), (1, 0)))


def _range_sums(sums, rows, columns):
    """Sums of a table over rows[0]..rows[1] - 1 and columns[0]..columns[1] - 1."""
    return (sums[rows[1], columns[1]] - sums[rows[0], columns[1]]
            - sums[rows[1], columns[0]] + sums[rows[0], columns[0]])
