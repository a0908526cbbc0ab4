"""Mean-field inference by the library pydensecrf."""
import torch

NORMALIZATIONS = {'symmetric': 'NORMALIZE_SYMMETRIC', 'after': 'NORMALIZE_AFTER'}


class PyDenseCRF:
    """The updates of `dense_crf` on the CPU, one image after another.

    The library keeps the interpreter's lock while it works, so threads would not help.

    Args:
        images (Tensor): uint8 (N, 3, H, W), RGB.
        others: see `dense_crf`.

    Raises:
        ImportError: the library is not installed.
    """

    def __init__(self, images, sxy_gaussian, compat_gaussian, sxy_bilateral, srgb, compat_bilateral,
                 normalization):
        self.library = _library()
        normalize = getattr(self.library, NORMALIZATIONS[normalization])
        self.images = images.cpu().permute(0, 2, 3, 1).contiguous()
        self.gaussian = dict(sxy=sxy_gaussian, compat=compat_gaussian, normalization=normalize)
        self.bilateral = dict(
            sxy=sxy_bilateral, srgb=srgb, compat=compat_bilateral, normalization=normalize)

    def __call__(self, unary, iterations):
        """Marginals of logarithms of probabilities, both float32 (N, S, K, H, W)."""
        energies = -unary.cpu()
        marginals = torch.empty_like(energies, memory_format=torch.contiguous_format)
        for i, image in enumerate(self.images):
            for energy, marginal in zip(energies[i], marginals[i]):
                marginal.copy_(self._infer(energy, image, iterations))
        return marginals.to(unary.device)

    def _infer(self, energy, image, iterations):
        import numpy as np
        number, height, width = energy.shape
        crf = self.library.DenseCRF2D(width, height, number)
        crf.setUnaryEnergy(np.ascontiguousarray(energy.reshape(number, -1).numpy()))
        crf.addPairwiseGaussian(**self.gaussian)
        crf.addPairwiseBilateral(rgbim=image.numpy(), **self.bilateral)
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
