"""Mean-field inference in a fully connected conditional random field."""
import torch

BACKENDS = ('pydensecrf', )
NORMALIZATIONS = {'symmetric': 'NORMALIZE_SYMMETRIC', 'after': 'NORMALIZE_AFTER'}
FLOOR = 1e-12  # probabilities below it count as this much: log(0) has no neighbour to argue with


def dense_crf(probs, images, iterations=10, sxy_gaussian=3, compat_gaussian=3, sxy_bilateral=80,
              srgb=13, compat_bilateral=10, backend='pydensecrf', normalization='symmetric'):
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

    Args:
        probs (Tensor): float (N, K, H, W), non-negative; values below 1e-12 count as 1e-12.
        images (Tensor): (N, 3, H, W), RGB in 0..255; rounded to integers.
        iterations (int): 0 gives the normalised `probs`.
        sxy_gaussian, sxy_bilateral (float): standard deviations in pixels.
        srgb (float): standard deviation in levels of 0..255.
        compat_gaussian, compat_bilateral (float): weights of the kernels; 0 turns one off.
        backend (str): 'pydensecrf', on the CPU, one image after another.
        normalization (str): 'symmetric' or 'after'.

    Returns:
        Tensor: (N, K, H, W), marginals that sum to 1 over K; dtype and device of `probs`, without a
        gradient.

    Raises:
        ValueError: a wrong shape, an unknown backend or normalization.
        ImportError: the library of the backend is not installed.
    """
    if backend not in BACKENDS:
        raise ValueError(f'backend must be one of {", ".join(BACKENDS)}; got {backend!r}.')
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f'normalization must be one of {", ".join(NORMALIZATIONS)}; got {normalization!r}.')
    if probs.dim() != 4:
        raise ValueError(f'probs must be (N, K, H, W); got shape {tuple(probs.shape)}.')
    expected = (probs.shape[0], 3, *probs.shape[2:])
    if tuple(images.shape) != expected:
        raise ValueError(f'images must be (N, 3, H, W) = {expected}, to match probs; got shape '
                         f'{tuple(images.shape)}.')
    library = _library()
    normalize = getattr(library, NORMALIZATIONS[normalization])
    gaussian = dict(sxy=sxy_gaussian, compat=compat_gaussian, normalization=normalize)
    bilateral = dict(sxy=sxy_bilateral, srgb=srgb, compat=compat_bilateral, normalization=normalize)
    energies = -probs.detach().cpu().float().clamp(min=FLOOR).log()
    levels = images.detach().cpu().float().round().clamp(0, 255).to(torch.uint8)
    marginals = torch.empty_like(energies)
    for energy, image, marginal in zip(energies, levels.permute(0, 2, 3, 1), marginals):
        marginal.copy_(_infer(library, energy, image, gaussian, bilateral, iterations))
    return marginals.to(probs)


def _infer(library, energy, image, gaussian, bilateral, iterations):
    """Marginals, float32 (K, H, W), of unary energies (K, H, W) and an image, uint8 (H, W, 3)."""
    import numpy as np
    number, height, width = energy.shape
    crf = library.DenseCRF2D(width, height, number)
    crf.setUnaryEnergy(np.ascontiguousarray(energy.reshape(number, -1).numpy()))
    crf.addPairwiseGaussian(**gaussian)
    crf.addPairwiseBilateral(rgbim=np.ascontiguousarray(image.numpy()), **bilateral)
    return torch.from_numpy(np.array(crf.inference(iterations))).reshape(energy.shape)


def _library():
    try:
        from pydensecrf import densecrf
    except ImportError as error:
        raise ImportError(
            f"dense_crf(backend='pydensecrf') cannot import the library pydensecrf ({error}). "
            'Install it: pip install pydensecrf2, or pip install -e ".[crf]" from a checkout of '
            'mmseg_wss.'
        ) from error
    return densecrf
