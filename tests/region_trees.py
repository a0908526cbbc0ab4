"""A random region hierarchy, and what it stands for written out pixel by pixel."""
import numpy as np

from mmseg_wss.proposals.region_hierarchy import RegionHierarchy


def random_hierarchy(seed, num=6):
    """Hierarchy of random patches.

    Returns:
        tuple: RegionHierarchy; mask of each of its regions, bool (R, 9, 16); contour strengths.
    """
    rng = np.random.RandomState(seed)
    superpixels = rng.randint(num, size=(3, 4)).repeat(3, 0).repeat(4, 1)
    superpixels.flat[:num] = range(num)
    strengths = rng.rand(*superpixels.shape)
    parents = random_tree(rng, num)
    masks = superpixels == np.arange(len(parents))[:, None, None]
    for region, parent in enumerate(parents[:-1]):
        masks[parent] |= masks[region]
    return RegionHierarchy(superpixels, parents, strengths), masks, strengths


def random_tree(rng, num):
    """Parents of a random binary tree over `num` leaves."""
    parents, roots = np.arange(2 * num - 1), list(range(num))
    for node in range(num, 2 * num - 1):
        for _ in range(2):
            parents[roots.pop(rng.randint(len(roots)))] = node
        roots.append(node)
    return parents


def border(one, other, strengths):
    """Length of the pixel edges from mask `one` to mask `other`, and the strength along them."""
    length = total = 0
    for y, x in zip(*np.nonzero(one)):
        for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if 0 <= near[0] < one.shape[0] and 0 <= near[1] < one.shape[1] and other[near]:
                length += 1
                total += (strengths[y, x] + strengths[near]) / 2
    return length, total
