"""Mean-field inference on permutohedral lattices."""
from mmseg_wss.ops.features import bilateral_features, position_features
from mmseg_wss.ops.permutohedral import permutohedral_lattice


class MeanField:
    """The updates of `dense_crf`; see there for the formula.

    Args:
        images (Tensor): uint8 (N, 3, H, W), RGB.
        others: see `dense_crf`.
    """

    def __init__(self, images, sxy_gaussian, compat_gaussian, sxy_bilateral, srgb, compat_bilateral,
                 normalization):
        symmetric = normalization == 'symmetric'
        self.lattices = []
        if compat_gaussian:  # the same for all images
            features = position_features(images.shape[2:], sxy_gaussian, images.device)
            self.lattices.append(
                permutohedral_lattice(features).normalized(symmetric, compat_gaussian))
        if compat_bilateral:
            features = bilateral_features(images, srgb, sxy_bilateral)
            self.lattices.append(
                permutohedral_lattice(features).normalized(symmetric, compat_bilateral))

    def __call__(self, unary, iterations):
        """Marginals of logarithms of probabilities, both float32 (N, S, K, H, W)."""
        if not unary.numel() or not self.lattices or not iterations:
            return unary.softmax(2)
        if unary.device.type == 'cpu':
            from mmseg_wss.ops.permutohedral.numba_mean_field import numba_mean_field as infer
        else:
            infer = mean_field
        return infer(unary.flatten(3), self.lattices, iterations).view_as(unary)


def mean_field(unary, lattices, iterations):
    """Marginals of pixels that see one another through lattices.

    Starting with Q = softmax(unary), each iteration sets Q = softmax(unary + sum of lattice(Q)).

    Args:
        unary (Tensor): float32 (N, S, K, n), S distributions over K classes for each pixel.
        lattices (Sequence): see `permutohedral_lattice`; of N images each, or of one that stands
            for all.
        iterations (int): at least 0.

    Returns:
        Tensor: float32 (N, S, K, n).
    """
    marginals = unary.softmax(2)
    for _ in range(iterations):
        logits = unary.clone()
        for lattice in lattices:  # one image that stands for all sees their classes side by side
            values = marginals.reshape(lattice.number, -1, unary.shape[3])
            logits += lattice(values).view_as(unary)
        marginals = logits.softmax(2)
    return marginals
