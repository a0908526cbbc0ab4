"""Gaussian filters by their definition."""
import torch

CHUNK = 1 << 22  # kernel values that exist at a time


class ExactSums:
    """The sums over the points of an image, weighted by exp(-|f_i - f_j|^2 / 2), pair by pair.

    It takes time in the square of the number of points and a bounded amount of memory.

    Args:
        features (Tensor): (N, D, n), floating point.
    """

    def __init__(self, features):
        self.features = features

    def __call__(self, values, reverse=False):
        """Filter values (N, K, n) in their own precision; the operator is its own transpose."""
        out = torch.empty_like(values)
        rows = max(1, CHUNK // values.shape[-1])
        for features, image, result in zip(self.features.to(values.dtype), values, out):
            points = features.T
            for begin in range(0, len(points), rows):
                distances = torch.cdist(points, points[begin:begin + rows],
                                        compute_mode='donot_use_mm_for_euclid_dist')
                result[:, begin:begin + rows] = image @ distances.pow_(2).div_(-2).exp_()
        return out
