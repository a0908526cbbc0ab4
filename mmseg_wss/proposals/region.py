"""Region proposals: for each box, the union of neighbouring regions that fills it best.

This is MCG (Pont-Tuset et al., TPAMI 2017) without its ranking, which was trained on masks: the
mixed-dual-head paper (section 3.1) takes for each object the proposal whose box overlaps most with
the given one.
"""
import numpy as np
from scipy.ndimage import find_objects

from mmseg_wss.labels.boxes import pixel_windows
from mmseg_wss.proposals.region_hierarchy import region_hierarchies

_MIN_INSIDE = 0.7  # share of a region's pixels that must lie in the box
_MIN_FILL = 0.01  # share of the box's pixels that a region must have
_MAX_REGIONS = 250  # of one tree and box, the largest
_MAX_TUPLE = 4  # regions of a candidate
_MAX_TUPLES = 1000  # candidates kept of each size
_BEAM = 150  # candidates of a size that grow into the next
# select -> what is measured, and how far below the best of it a candidate is still eligible
SELECTIONS = dict(sel=('qualities', 0.2), strict=('overlaps', 0))


def region_masks(image, boxes, select='sel'):
    """One foreground mask per box, made of regions of the image.

    Candidates are the regions of several hierarchies that lie mostly in the box, clipped to it,
    and unions of 2 to 4 of them that touch. With

    - the overlap: IoU of the candidate's tight box with the given box,
    - the quality: overlap x share of the candidate's pixels, before clipping, that lie in the box,
    - the contrast: mean contour strength x sqrt(area / box area),

    `select` picks the largest contrast among

    - ``'strict'``: the candidates with the highest overlap. This is the paper's sentence, which
      leaves open which of them: hundreds may touch all four sides of a box.
    - ``'sel'``: the candidates whose quality is at most 0.2 below the best. It keeps thin frames
      and slivers from winning, and uses no trained ranking either.

    The result is a function of the arguments alone; no random generator is used.

    Args:
        image (np.ndarray): uint8 (H, W, 3), RGB.
        boxes (np.ndarray): float (M, 4), (x1, y1, x2, y2) in pixels, half-open.
        select (str): ``'sel'`` or ``'strict'``.

    Returns:
        np.ndarray: bool (M, H, W). Each mask lies within its box's pixels (`pixel_windows`); it is
        the whole box where there is no candidate.

    Raises:
        ValueError: `select` is unknown, or the image is no uint8 (H, W, 3).
        ImportError: higra is not installed.
    """
    if select not in SELECTIONS:
        raise ValueError(f'select must be one of {tuple(SELECTIONS)}. Got: {select!r}')
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError('The image must be uint8 (H, W, 3) in RGB. '
                         f'Got: {image.dtype} {image.shape}')
    windows = pixel_windows(boxes, image.shape[:2])
    masks = np.zeros((len(windows), *image.shape[:2]), bool)
    hierarchies = region_hierarchies(image) if len(windows) else []
    for mask, (x1, y1, x2, y2) in zip(masks, windows):
        if x1 < x2 and y1 < y2:
            window = np.s_[y1:y2, x1:x2]
            mask[window] = best_region(hierarchies, window, select)
    return masks


def best_region(hierarchies, window, select):
    """Mask of the best candidate within a window, cropped to it.

    Args:
        hierarchies (list[RegionHierarchy]): of the image.
        window (tuple): slices of rows and columns, not empty.
        select (str): see `region_masks`.

    Returns:
        np.ndarray | bool: bool (h, w) of the window, or True where there is no candidate.
    """
    pool = [candidates for candidates in (
        Candidates(hierarchy, window) for hierarchy in hierarchies) if candidates.tuples]
    if not pool:
        return True
    measure, band = SELECTIONS[select]
    values = [getattr(candidates, measure) for candidates in pool]
    lowest = max(value.max() for value in values) - band
    scores = [np.where(value >= lowest, candidates.contrasts(), -1)
              for value, candidates in zip(values, pool)]
    winner = int(np.argmax([score.max() for score in scores]))
    return pool[winner].mask(int(scores[winner].argmax()))


class Candidates:
    """Candidates of one hierarchy for one box.

    Everything about a union follows from tables of its regions and pairs of regions; a mask is
    made of the winner alone.

    Attributes:
        tuples (list[np.ndarray]): int (T, t) for t = 1, 2, ..: indices into the regions that lie
            in the box; empty where no region does.
        overlaps, qualities (np.ndarray): float64 (N,) for the N rows of all tuples; see
            `region_masks`.
    """

    def __init__(self, hierarchy, window):
        self.hierarchy, self.window = hierarchy, window
        inside = hierarchy.counts(window)
        self._box_area = hierarchy.superpixels[window].size
        fit = np.flatnonzero((inside >= _MIN_INSIDE * hierarchy.areas)
                             & (inside >= _MIN_FILL * self._box_area))
        self.regions = fit[np.argsort(-inside[fit], kind='stable')][:_MAX_REGIONS]
        self._inside = inside[self.regions]
        self._areas = hierarchy.areas[self.regions]
        self._boxes = clipped_boxes(hierarchy, self.regions, window)
        self._border_lengths, self._border_strengths = hierarchy.borders(self.regions)
        self.tuples, overlaps, qualities = [], [], []
        for tuples in self._grow():
            self.tuples.append(tuples)
            overlap, quality = self._fit(tuples)
            overlaps.append(overlap)
            qualities.append(quality)
        if self.tuples:
            self.overlaps, self.qualities = map(np.concatenate, (overlaps, qualities))

    def _grow(self):
        """Yield singles, pairs, triplets, ..: the best of those that touch and do not overlap."""
        if not len(self.regions):
            return
        first, last = self.hierarchy.first[self.regions], self.hierarchy.last[self.regions]
        apart = (last[:, None] <= first) | (last <= first[:, None])
        touching = apart & (self._border_lengths > 0)
        tuples = np.arange(len(self.regions))[:, None]
        yield tuples
        beam = tuples
        for _ in range(1, _MAX_TUPLE):
            tuples = grow_tuples(beam, touching, apart)
            if not len(tuples):
                return
            ranked = np.argsort(-self._fit(tuples)[1], kind='stable')[:_MAX_TUPLES]
            tuples = tuples[ranked]
            beam = tuples[:_BEAM]
            yield tuples

    def _fit(self, tuples):
        """Overlap and quality of unions: float64 (T,), float64 (T,)."""
        boxes = np.concatenate([self._boxes[tuples, :2].min(1), self._boxes[tuples, 2:].max(1)], 1)
        # tight boxes are clipped: their union with the given box is the given box
        overlaps = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) / self._box_area
        return overlaps, overlaps * self._inside[tuples].sum(1) / self._areas[tuples].sum(1)

    def contrasts(self):
        """Mean strength along the contour x sqrt(area / box area), float64 (N,)."""
        lengths, strengths = self.hierarchy.contours(self.regions)
        values = []
        for tuples in self.tuples:
            length, strength = lengths[tuples].sum(1), strengths[tuples].sum(1)
            for one, other in zip(*np.triu_indices(tuples.shape[1], 1)):
                pair = tuples[:, one], tuples[:, other]
                length = length - 2 * self._border_lengths[pair]
                strength = strength - 2 * self._border_strengths[pair]
            fill = self._inside[tuples].sum(1) / self._box_area
            values.append(strength / np.maximum(length, 1) * np.sqrt(fill))
        return np.concatenate(values)

    def mask(self, index):
        """Mask of candidate `index`, cropped to the window: bool (h, w)."""
        for tuples in self.tuples:
            if index < len(tuples):
                break
            index -= len(tuples)
        return self.hierarchy.union(self.regions[tuples[index]], self.window)


def grow_tuples(tuples, touching, apart):
    """Add to each tuple every region that touches one of its regions and overlaps with none.

    Args:
        tuples (np.ndarray): int (T, t), numbers of regions.
        touching, apart (np.ndarray): bool (N, N), relations between the N regions.

    Returns:
        np.ndarray: int (U, t + 1), each set of regions once, in lexicographic order.
    """
    num = len(apart)
    rows, added = np.nonzero(touching[tuples].any(1) & apart[tuples].all(1))
    grown = np.sort(np.column_stack([tuples[rows], added]), 1)
    base = num ** np.arange(grown.shape[1] - 1, -1, -1)
    _, first = np.unique(grown @ base, return_index=True)
    return grown[first]


def clipped_boxes(hierarchy, regions, window):
    """Tight boxes of the parts of regions within a window, in the window's coordinates.

    Returns:
        np.ndarray: int64 (N, 4), (x1, y1, x2, y2), half-open.
    """
    labels = hierarchy.superpixels[window]
    nothing = (*labels.shape[::-1], 0, 0)  # leaves every minimum and maximum as it is
    boxes = np.array(
        [nothing if part is None else (part[1].start, part[0].start, part[1].stop, part[0].stop)
         for part in find_objects(labels + 1, hierarchy.num_superpixels)] + [nothing])
    # `reduceat` reduces between every index and the next: only those from first to last count.
    # Index `last` may be S, hence the row after the last superpixel.
    ranges = np.column_stack([hierarchy.first[regions], hierarchy.last[regions]]).ravel()
    return np.concatenate([np.minimum.reduceat(boxes[:, :2], ranges)[::2],
                           np.maximum.reduceat(boxes[:, 2:], ranges)[::2]], 1)
