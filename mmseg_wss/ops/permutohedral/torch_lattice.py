"""The permutohedral lattice in PyTorch alone, for tensors on any device."""
import torch

from mmseg_wss.ops.permutohedral.geometry import EPS, LARGEST_KEY, gain, key_layout, scales


class TorchLattice:
    """A Gaussian filter between the points of each image; see `permutohedral_lattice`.

    Sums are made with ``index_add_``, whose order on a GPU is only fixed under
    ``torch.use_deterministic_algorithms(True)``.
    """

    def __init__(self, features):
        self.number, dimension = features.shape[:2]
        self.factor = gain(dimension)
        lows, highs = (f(features.flatten(2), (0, 2)).tolist() for f in (torch.amin, torch.amax))
        layout = key_layout(lows, highs)
        if layout.size * len(features) > LARGEST_KEY:
            raise ValueError(f'the vertices of {len(features)} images do not fit into 62 bits: '
                             'filter fewer images at a time, or use larger sigmas.')
        keys, weights = embed(features, layout)
        keys += layout.size * torch.arange(len(features), device=keys.device)[:, None]
        keys, self.index = keys.flatten(1).unique(return_inverse=True)
        self.splat_weight = self.slice_weight = weights.flatten(1)  # (D + 1, N n)
        self.m = len(keys)
        self.neighbours = torch.stack([
            torch.stack([_find(keys, keys + step), _find(keys, keys - step)])
            for step in layout.steps()])

    def __call__(self, values, reverse=False):
        splat_weight, slice_weight = self.splat_weight, self.slice_weight
        neighbours = self.neighbours
        if reverse:
            splat_weight, slice_weight = slice_weight, splat_weight
            neighbours = neighbours.flip(0)
        pixels = values.transpose(1, 2).flatten(0, 1)
        rows = pixels.new_zeros(self.m + 1, pixels.shape[1])  # the last is the missing neighbour
        for index, weight in zip(self.index, splat_weight):
            rows.index_add_(0, index, pixels * weight[:, None])
        for one, other in neighbours:
            rows[:-1] += 0.5 * (rows[one] + rows[other])
        pixels = torch.zeros_like(pixels)
        for index, weight in zip(self.index, slice_weight):
            pixels.addcmul_(rows[index], weight[:, None], value=self.factor)
        return pixels.unflatten(0, (len(values), -1)).transpose(1, 2).contiguous()

    def normalized(self, symmetric, factor):
        points = self.splat_weight.shape[1] // self.number
        mass = self(self.splat_weight.new_ones(self.number, 1, points)) + EPS
        weight = self.slice_weight * (mass.rsqrt() if symmetric else 1 / mass).flatten()
        lattice = object.__new__(type(self))
        lattice.__dict__.update(
            self.__dict__, factor=self.factor * factor, slice_weight=weight,
            splat_weight=weight if symmetric else self.splat_weight)
        return lattice


def embed(features, layout):
    """The D + 1 vertices around each point, and the point's barycentric coordinates.

    Args:
        features (Tensor): float32 (N, D, n).
        layout (KeyLayout): numbers the vertices.

    Returns:
        tuple: keys, int64 (D + 1, N, n), by remainder; weights, float32 (D + 1, N, n), sum to 1.
    """
    D = features.shape[1]
    device = features.device
    places = torch.arange(D + 1, device=device)
    strides = torch.tensor(layout.strides, device=device) * (D + 1)
    steps = features.movedim(1, -1) * torch.tensor(scales(D), device=device)
    sums = steps.flip(-1).cumsum(-1).flip(-1)
    zeros = torch.zeros_like(sums[..., :1])
    coordinates = torch.cat([sums, zeros], -1) - places * torch.cat([zeros, steps], -1)
    rounded = (coordinates / (D + 1) + .5).floor()
    rest = coordinates / (D + 1) - rounded
    corner = rounded.long()
    # the rounded coordinates sum to total, not to 0: correct those that rounding changed most
    ordered, order = rest.sort(dim=-1, descending=True, stable=True)
    total = corner.sum(-1, keepdim=True)
    turns = (places + total < 0).long() - (places + total > D).long()
    turned = (places - total) % (D + 1)
    ordered, strides_of = ((x.gather(-1, turned)) for x in (ordered - turns, strides[order]))
    base = layout.origin + (corner * strides).sum(-1, keepdim=True) + (
        turns * strides[order]).sum(-1, keepdim=True)
    jumps = torch.cat([torch.zeros_like(base), strides_of.flip(-1)[..., :-1]], -1)
    keys = base + layout.ones * places - jumps.cumsum(-1)
    following = torch.cat([ordered[..., 1:], ordered[..., :1] - 1], -1)
    return keys.movedim(-1, 0), (ordered - following).flip(-1).movedim(-1, 0)


def _find(keys, wanted):
    """Place of each wanted key in sorted keys; len(keys) where it is none of them."""
    places = torch.searchsorted(keys, wanted).clamp_(max=len(keys) - 1)
    return torch.where(keys[places] == wanted, places, len(keys))
