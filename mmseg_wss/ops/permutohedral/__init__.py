"""Gaussian filters of many dimensions on a permutohedral lattice, in linear time."""


def permutohedral_lattice(features):
    """Approximate the sums over the points of an image, weighted by exp(-|f_i - f_j|^2 / 2).

    Args:
        features (Tensor): float32 (N, D, n), finite: n points for each of N images.

    Returns:
        NumbaLattice or TorchLattice: called as ``lattice(values, reverse=False)`` with values,
        float32 (N, K, n), on the device of `features`; returns out, float32 (N, K, n), out_i about
        the sum over j of exp(-|f_i - f_j|^2 / 2) values_j, j = i included. ``reverse=True`` applies
        the transposed operator, which differs a little, since the blurs along different directions
        do not commute on a lattice with holes. ``lattice.normalized(symmetric, factor)`` is the
        lattice with weights k_ij / sqrt(n_i n_j), if `symmetric`, or k_ij / n_i, with n_i the sum
        over j of k_ij, times factor (float). ``lattice.number`` is N.

    Raises:
        ValueError: the vertices cannot be numbered, see `geometry.key_layout`.
    """
    if features.device.type == 'cpu':
        from mmseg_wss.ops.permutohedral.numba_lattice import NumbaLattice
        return NumbaLattice(features)
    from mmseg_wss.ops.permutohedral.torch_lattice import TorchLattice
    return TorchLattice(features)
