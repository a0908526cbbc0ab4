"""Mean-field inference in a fully connected conditional random field."""
import math
from operator import index

import torch

from mmseg_wss.ops.features import check_colours, check_shape, check_sigmas
from mmseg_wss.ops.mean_field import MeanField
from mmseg_wss.ops.pydensecrf_inference import NORMALIZATIONS, PyDenseCRF

BACKENDS = {'torch': MeanField, 'pydensecrf': PyDenseCRF}
FLOOR = 1e-12  # probabilities below it count as this much: no neighbour outweighs log(0)


def dense_crf(probs, images, iterations=10, sxy_gaussian=3, compat_gaussian=3, sxy_bilateral=80,
              srgb=13, compat_bilateral=10, backend='torch', normalization='symmetric'):
    """Sharpen class probabilities along the edges of their images (Kraehenbuehl, Koltun, 2011).

    With p the given probabilities, positions x and colours I, every pixel i starts with
    Q_i = p_i, and each iteration sets, for all pixels at once,

        Q_i(l)  proportional to  p_i(l) exp( sum over m of w_m sum over j of k_m(i, j) Q_j(l) )

    with two kernels (j = i included) and their weights, the Potts compatibilities:

        k_1 = exp(-|x_i - x_j|^2 / 2 sxy_gaussian^2),                               compat_gaussian
        k_2 = exp(-|x_i - x_j|^2 / 2 sxy_bilateral^2 - |I_i - I_j|^2 / 2 srgb^2),  compat_bilateral

    With n_i the sum over j of k(i, j), k(i, j) is divided by sqrt(n_i n_j) ('symmetric',
    pydensecrf's default) or by n_i ('after', as in the library that DeepLab was released with). The
    sums are those of a permutohedral lattice, so approximate.

    To refine several probabilities of the same images, build a `DenseCRF`.

    Args:
        probs (Tensor): float (N, K, H, W), non-negative; values below 1e-12 count as 1e-12.
        images (Tensor): (N, 3, H, W), RGB in 0..255; rounded to integers.
        iterations (int): 0 gives the normalised `probs`.
        sxy_gaussian, sxy_bilateral (float): standard deviations in pixels.
        srgb (float): standard deviation in levels of 0..255.
        compat_gaussian, compat_bilateral (float): weights of the kernels; 0 turns one off.
        backend (str): 'torch', on the device of `images` and for the whole batch at once (on a CPU
            the lattice is compiled by Numba), or 'pydensecrf', the library, on the CPU, in as many
            processes as torch has threads. Both are float32 and do the same, but for the order of
            their sums.
        normalization (str): 'symmetric' or 'after'.

    Returns:
        Tensor: (N, K, H, W), marginals that sum to 1 over K; dtype and device of `probs`, without a
        gradient.

    Raises:
        ValueError: a wrong shape, images without a pixel or not in 0..255, probabilities that are
            not floating point, negative or not finite, iterations below 0, an unknown backend or
            normalization, a standard deviation that is not positive, a weight that is not finite.
        TypeError: iterations that are no whole number.
        ImportError: the library of the backend is not installed.
    """
    return DenseCRF(
        images, sxy_gaussian=sxy_gaussian, compat_gaussian=compat_gaussian,
        sxy_bilateral=sxy_bilateral, srgb=srgb, compat_bilateral=compat_bilateral, backend=backend,
        normalization=normalization)(probs, iterations)


class DenseCRF:
    """The `dense_crf` of given images, for any number of probabilities.

    Backend 'torch' builds its lattices here, once.

    Args:
        images: see `dense_crf`, as are the options.
    """

    def __init__(self, images, *, sxy_gaussian=3, compat_gaussian=3, sxy_bilateral=80, srgb=13,
                 compat_bilateral=10, backend='torch', normalization='symmetric'):
        if backend not in BACKENDS:
            raise ValueError(f'backend must be one of {", ".join(BACKENDS)}; got {backend!r}.')
        if normalization not in NORMALIZATIONS:
            raise ValueError(f'normalization must be one of {", ".join(NORMALIZATIONS)}; got '
                             f'{normalization!r}.')
        check_shape(images)
        check_sigmas(sxy_gaussian=sxy_gaussian, sxy_bilateral=sxy_bilateral, srgb=srgb)
        if not math.isfinite(compat_gaussian + compat_bilateral):
            raise ValueError('compat_gaussian and compat_bilateral must be finite; got '
                             f'{compat_gaussian} and {compat_bilateral}.')
        self.images = images
        self.inference = BACKENDS[backend](
            _levels(images.detach()), sxy_gaussian, compat_gaussian, sxy_bilateral, srgb,
            compat_bilateral, normalization)

    @torch.no_grad()
    def __call__(self, probs, iterations=10):
        """Marginals of probabilities (N, K, H, W), see `dense_crf`; or of S for each image at once.

        Args:
            probs (Tensor): (N, K, H, W), or (N, S, K, H, W): S distributions for each pixel, which
                do not see one another, and are refined in less time than one after another.
            iterations (int): see `dense_crf`.

        Returns:
            Tensor: shape, dtype and device of `probs`.
        """
        single = probs.dim() != 5
        _check_shapes(probs if single else probs.flatten(1, 2), self.images)
        if index(iterations) < 0:
            raise ValueError(f'iterations must be at least 0; got {iterations}.')
        values = probs.to(self.images.device, torch.float32)
        _check_values(values)
        unary = values.clamp(min=FLOOR).log()
        if single:
            unary = unary[:, None]
        return self.inference(unary, iterations).view_as(probs).to(probs)


def _levels(images):
    """Images as uint8."""
    check_colours(images)
    if images.dtype == torch.uint8:
        return images
    return images.float().round().clamp(0, 255).to(torch.uint8)


def _check_values(probs):
    if not probs.numel():
        return
    lowest, highest = torch.stack(probs.aminmax()).tolist()
    if not (lowest >= 0 and highest < math.inf):  # NaN too
        raise ValueError('probs must be finite and not negative, probabilities (a softmax over the '
                         f'classes) and not logits; got values in {lowest:.4g}..{highest:.4g}.')


def _check_shapes(probs, images):
    if probs.dim() != 4 or not probs.is_floating_point():
        raise ValueError(f'probs must be floating point (N, K, H, W); got {probs.dtype} of shape '
                         f'{tuple(probs.shape)}.')
    expected = (len(probs), 3, *probs.shape[2:])
    if tuple(images.shape) != expected:
        raise ValueError(f'images must be (N, 3, H, W) = {expected}, to match probs; got shape '
                         f'{tuple(images.shape)}.')
