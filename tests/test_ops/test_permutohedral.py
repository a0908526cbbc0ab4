"""The lattice against its geometry, and its two implementations against one another."""
import threading

import numpy as np
import pytest
import torch

from mmseg_wss.ops.permutohedral import permutohedral_lattice
from mmseg_wss.ops.permutohedral.geometry import key_layout, scales
from mmseg_wss.ops.permutohedral.torch_lattice import TorchLattice, embed

LATTICES = pytest.mark.parametrize('make', [permutohedral_lattice, TorchLattice])


def make_features(number=2, dimension=5, points=300, spread=4., seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(number, dimension, points, generator=generator) * spread


def make_values(number=2, channels=3, points=300, seed=1):
    return torch.randn(number, channels, points, generator=torch.Generator().manual_seed(seed))


def layout_of(features):
    lows, highs = features.amin((0, 2)).tolist(), features.amax((0, 2)).tolist()
    return key_layout(lows, highs)


def decode(keys, layout):
    """Coordinates (N, n, D) of vertices; `origin` has those of 0 as digits."""
    ends = [*layout.strides[1:-1], layout.size]
    return np.stack([(keys // stride) % (end // stride) - layout.origin // stride % (end // stride)
                     for stride, end in zip(layout.strides, ends)], -1)


def elevate(features):
    """The points in the hyperplane, (N, n, D + 1): columns that are orthogonal to (1, ..., 1)."""
    D = features.shape[1]
    basis = torch.zeros(D + 1, D, dtype=torch.double)
    for j in range(D):
        basis[:j + 1, j], basis[j + 1, j] = 1, -(j + 1)
    return ((basis * torch.tensor(scales(D))) @ features.double()).transpose(1, 2)


@pytest.mark.parametrize('dimension', [1, 2, 3, 5])
def test_the_vertices_are_the_lattice_points_around_a_point(dimension):
    """Vertex k has coordinates that are k modulo D + 1, of sum 0, less than D + 1 away.

    The weights are barycentric: not negative, of sum 1, and the weighted vertices are the point.
    """
    features = make_features(dimension=dimension)
    layout = layout_of(features)
    keys, weights = embed(features, layout)
    points, mean = elevate(features), 0
    for k in range(dimension + 1):
        vertices = decode(keys[k].numpy(), layout)
        vertices = np.concatenate([vertices, -vertices.sum(-1, keepdims=True)], -1)
        assert (vertices % (dimension + 1) == k).all()
        assert np.abs(vertices - points.numpy()).max() < dimension + 1 + 1e-4
        mean = mean + weights[k].numpy()[..., None] * vertices
    assert np.abs(mean - points.numpy()).max() < 1e-4
    assert weights.min() > -1e-5 and (weights.sum(0) - 1).abs().max() < 1e-5


@LATTICES
@pytest.mark.parametrize('dimension', [1, 2, 3, 5])
def test_dense_points_are_filtered_as_by_the_sum(make, dimension):
    """Up to one constant factor, and a few percent of the rest."""
    features = make_features(1, dimension, 2000, spread=1.)
    values = make_values(1, 4, 2000).cumsum(2) / 40
    kernel = (-torch.cdist(features[0].T, features[0].T) ** 2 / 2).exp()
    found = make(features)(torch.cat([values, torch.ones(1, 1, 2000)], 1))[0]
    exact = torch.cat([values[0], torch.ones(1, 2000)]) @ kernel
    found, exact = found[:-1] / found[-1], exact[:-1] / exact[-1]
    assert (found - exact).norm() / exact.norm() < 0.05


@pytest.mark.parametrize('spread', [0.5, 4., 50.])
@pytest.mark.parametrize('dimension', [1, 2, 5])
def test_both_implementations_are_one_operator(dimension, spread):
    features, values = make_features(dimension=dimension, spread=spread), make_values()
    ours, theirs = permutohedral_lattice(features), TorchLattice(features)
    assert sum(image.m for image in ours.images) == theirs.m
    for a, b in ((ours, theirs), *((lattice.normalized(symmetric, 3.) for lattice in (ours, theirs))
                                   for symmetric in (True, False))):
        for reverse in (False, True):
            found, expected = a(values, reverse), b(values, reverse)
            assert (found - expected).norm() / expected.norm() < 1e-5


@LATTICES
def test_normalized_divides_by_the_sums_of_weights(make):
    features, values = make_features(), make_values()
    lattice = make(features)
    mass = lattice(torch.ones(2, 1, 300))
    after, symmetric = (lattice.normalized(kind, 2.) for kind in (False, True))
    assert torch.allclose(after(values), 2 * lattice(values) / mass, atol=1e-5)
    assert torch.allclose(after(torch.ones(2, 1, 300)), torch.tensor(2.))
    assert torch.allclose(after(values, reverse=True), 2 * lattice(values / mass, reverse=True),
                          atol=1e-5)
    root = mass.sqrt()
    assert torch.allclose(symmetric(values), 2 * lattice(values / root) / root, atol=1e-5)


@LATTICES
def test_reverse_is_the_transposed_matrix(make):
    lattice = make(make_features(1, points=40, spread=1.))
    forward, backward = (lattice(torch.eye(40)[None], reverse)[0] for reverse in (False, True))
    assert torch.allclose(forward, backward.T, atol=1e-6)
    assert (forward - forward.T).abs().max() > 1e-4  # so there is something to tell apart


@LATTICES
def test_far_points_do_not_see_one_another(make):
    """A lone point keeps the centre of the blur, whatever a second one has."""
    far = torch.zeros(1, 5, 2)
    far[0, :, 1] = 300
    both = make(far)(torch.tensor([[[3., 5]]]))
    alone = make(far[..., :1])(torch.tensor([[[3.]]]))
    assert torch.equal(both[..., :1], alone) and 0 < alone < 3


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize('number, points', [(1, 70000), (3, 20000)])
def test_the_number_of_threads_does_not_change_a_bit(threads, number, points):
    features = make_features(number, points=points, spread=1.5)
    values = make_values(number, 5, points)
    results = []
    for count in (1, 2, 3):
        threads(count)
        lattice = permutohedral_lattice(features)
        results.append(torch.stack([lattice(values), lattice(values, reverse=True)]))
    assert len(permutohedral_lattice(features).images[0].bands) > 1
    assert torch.equal(results[0], results[1]) and torch.equal(results[0], results[2])


def test_two_threads_may_share_a_lattice(threads):
    threads(2)
    features = make_features(1, points=40000, spread=1.5)
    lattice = permutohedral_lattice(features)
    inputs = [make_values(1, 4, 40000, seed) for seed in range(2)]
    expected, found = [lattice(values) for values in inputs], [[], []]

    def work(i):
        for _ in range(3):
            found[i].append(lattice(inputs[i]))

    workers = [threading.Thread(target=work, args=(i, )) for i in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(torch.equal(result, want) for want, results in zip(expected, found)
               for result in results) and [len(results) for results in found] == [3, 3]


@pytest.mark.parametrize('channels', [1, 2, 7, 8, 9, 32, 33, 81])
def test_channels_are_filtered_each_by_itself(channels):
    lattice, values = permutohedral_lattice(make_features()), make_values(channels=channels)
    assert torch.equal(lattice(values)[:, -1:], lattice(values[:, -1:]))
    assert lattice(values).shape == values.shape


@pytest.mark.parametrize('points', [1, 2, 63, 64, 65, 8193, 20000])
def test_any_number_of_points(points):
    """At one and the same place they are all summed up, with one weight."""
    lattice = permutohedral_lattice(torch.full((1, 5, points), 3.))
    out = lattice(torch.ones(1, 1, points))
    alone = permutohedral_lattice(torch.full((1, 5, 1), 3.))(torch.ones(1, 1, 1))
    assert torch.allclose(out, points * alone.expand_as(out), rtol=1e-4)


@LATTICES
def test_every_point_may_have_vertices_of_its_own(make):
    """The table of vertices grows with them; 12 bits for each coordinate would not do."""
    grid = torch.stack(torch.meshgrid(*[torch.arange(6.)] * 5, indexing='ij')).flatten(1)[None]
    lattice = make(grid * torch.tensor([900., 10, 10, 10, 10])[:, None])
    m = lattice.m if make is TorchLattice else lattice.images[0].m
    assert m == 6 * 6 ** 5
    out = lattice(torch.ones(1, 1, 6 ** 5))
    assert out.min() > 0 and out.max() < 1  # each by itself


@LATTICES
def test_vertices_that_cannot_be_numbered_are_an_error(make):
    with pytest.raises(ValueError, match='bits to number its vertices, of 62. Use larger sigmas'):
        make(make_features(spread=1e5))


def test_nan_stays_nan():
    values = make_values(1)
    values[0, 1, 7] = float('nan')
    out = permutohedral_lattice(make_features(1))(values)
    assert out[0, 1].isnan().any() and not out[0, [0, 2]].isnan().any()
