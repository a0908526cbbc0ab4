"""The way of a scribble through a region: along its middle, from one far end to another."""
import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter1d
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

_MAX_NODES = 3000  # of the graph that the way is looked for in; larger regions get a coarser one
_CORE = 0.3  # an end lies where the outline is at least this share of the largest distance away
_FAR = 0.9  # an end is drawn among the pixels that are at least this share of the farthest away
_CUT = 0.1  # up to this share of the way is left out at each end
_SWAY = 0.35  # the way sways from the middle by at most this share of the distance to the outline
_NEIGHBOURS = (0, 1), (1, 0), (1, 1), (1, -1)  # the other four are these, reversed


def inner_distance(region):
    """Distance of each pixel of a region to the nearest pixel that is not in it.

    Args:
        region (np.ndarray): bool (H, W); what lies outside the picture is not in it.

    Returns:
        np.ndarray: float64 (H, W), in pixels, the root of a whole number; 0 outside the region, at
        least 1 in it. (OpenCV's distances differ from call to call in the last digits, so that
        the same labels would not be drawn twice.)
    """
    return distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]


def medial_path(region, rng):
    """Find a smooth way through a region that keeps to its middle.

    Its ends are two pixels far from each other, by the way through the region, and not close to
    the outline; among those that qualify they are drawn at random. Between them it is the way of
    the least integral of 1 / (distance to the outline), which follows the medial axis. Then a
    random part is cut from both ends, and the rest is smoothed and sways as a hand does.

    Args:
        region (np.ndarray): bool (H, W), one 8-connected piece.
        rng (np.random.Generator): source of all randomness.

    Returns:
        np.ndarray: float64 (L, 2), L >= 1 points (row, column), each of them, rounded, in `region`.
    """
    distance = inner_distance(region)
    nodes, edges = _grid_graph(distance)
    room = distance[tuple(nodes.T)]
    lengths = np.hypot(*(nodes[edges[0]] - nodes[edges[1]]).T)
    start, end = _far_ends(_sparse(edges, lengths, len(nodes)), room, rng)
    costs = lengths * (1 / room[edges[0]] + 1 / room[edges[1]]) / 2
    way = _shortest_way(_sparse(edges, costs, len(nodes)), start, end)
    first, last = (rng.uniform(0, _CUT, 2) * len(way)).astype(int)
    way = way[first:len(way) - last]
    return _drawn_by_hand(nodes[way], room[way], region, rng)


def _grid_graph(distance):
    """The 8-neighbour graph of the pixels inside; of a large region, of one pixel in each cell.

    The cells are squares as small as `_MAX_NODES` lets them be, and the pixel of a cell is its
    innermost one. Cells of neighbouring pixels are neighbours, so one piece gives one graph.

    Returns:
        tuple: nodes (N, 2), row and column; edges (2, E), each with the numbers of its two nodes.
    """
    cell = max(1, int(np.ceil(np.sqrt(np.count_nonzero(distance) / _MAX_NODES))))
    height, width = (-(-side // cell) for side in distance.shape)
    padded = np.zeros((height * cell, width * cell))
    padded[:distance.shape[0], :distance.shape[1]] = distance
    cells = padded.reshape(height, cell, width, cell).swapaxes(1, 2).reshape(height, width, -1)
    rows, columns = np.nonzero(cells.max(2))
    innermost = cells[rows, columns].argmax(1)
    nodes = np.stack([rows * cell + innermost // cell, columns * cell + innermost % cell], 1)

    number = np.full((height + 1, width + 2), -1)  # a frame, so that every cell has neighbours
    number[rows, columns + 1] = np.arange(len(nodes))
    edges = []
    for down, right in _NEIGHBOURS:
        other = number[rows + down, columns + 1 + right]
        edges.append(np.stack([np.flatnonzero(other >= 0), other[other >= 0]]))
    return nodes, np.concatenate(edges, 1)


def _sparse(edges, weights, num_nodes):
    return coo_matrix((weights, tuple(edges)), (num_nodes, num_nodes)).tocsr()


def _far_ends(graph, room, rng):
    """Two nodes: one that is far from a random node, and one that is far from the first."""
    core = room >= _CORE * room.max()
    node = rng.choice(np.flatnonzero(core))
    ends = []
    for _ in range(2):
        away = dijkstra(graph, directed=False, indices=node)
        node = rng.choice(np.flatnonzero(core & (away >= _FAR * away[core].max())))
        ends.append(node)
    return ends


def _shortest_way(graph, start, end):
    """Numbers of the nodes from `end` to `start`, both included, (L,)."""
    _, before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
    way = [end]
    while way[-1] != start:
        way.append(before[way[-1]])
    return np.array(way)


def _drawn_by_hand(points, room, region, rng):
    """Smooth a way and let it sway; a point that would leave the region stays where it is."""
    points = points.astype(np.float64)
    if len(points) == 1:
        return points
    step = np.hypot(*np.diff(points, axis=0).T).mean()
    smooth = _smoothed(points, max(3, room.mean() / 4) / step)
    along = np.gradient(smooth, axis=0)
    along /= np.maximum(np.hypot(*along.T), 1e-6)[:, None]  # the ends of a short way may coincide
    sway = _smoothed(rng.normal(size=(len(points), 1)), max(6, room.mean()) / step)
    sway *= _SWAY * room[:, None] / np.abs(sway).max()
    moved = smooth + sway * along[:, ::-1] * (-1, 1)
    rows, columns = np.rint(moved).astype(int).T.clip(0, np.array(region.shape)[:, None] - 1)
    return np.where(region[rows, columns][:, None], moved, points)


def _smoothed(values, sigma):
    """Gaussian mean along the first axis of (L, C); beyond the ends the last values go on."""
    return gaussian_filter1d(
        values, sigma, axis=0, mode='nearest', radius=int(np.ceil(3 * sigma)))
