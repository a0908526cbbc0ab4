"""Mean-field inference by the library pydensecrf."""
import functools
import multiprocessing

import torch

from mmseg_wss.ops.processes import make_executor

NORMALIZATIONS = {'symmetric': 'NORMALIZE_SYMMETRIC', 'after': 'NORMALIZE_AFTER'}


class PyDenseCRF:
    """The updates of `dense_crf` on the CPU.

    The library keeps the interpreter's lock while it works, so several images, or several
    probabilities of one, are shared out to as many processes as torch has threads. They start with
    the first batch, which takes some seconds, and stay until this process ends; a script that does
    so needs its ``if __name__ == '__main__':``.

    Args:
        images (Tensor): uint8 (N, 3, H, W), RGB.
        others: see `dense_crf`.

    Raises:
        ImportError: the library is not installed.
    """

    def __init__(self, images, sxy_gaussian, compat_gaussian, sxy_bilateral, srgb, compat_bilateral,
                 normalization):
        _library()
        self.images = images.cpu().permute(0, 2, 3, 1).contiguous().numpy()
        self.gaussian = dict(sxy=sxy_gaussian, compat=compat_gaussian)
        self.bilateral = dict(sxy=sxy_bilateral, srgb=srgb, compat=compat_bilateral)
        self.normalization = NORMALIZATIONS[normalization]

    def __call__(self, unary, iterations):
        """Marginals of logarithms of probabilities, both float32 (N, S, K, H, W)."""
        energies = -unary.cpu().flatten(0, 1).contiguous().numpy()
        images = self.images.repeat(unary.shape[1], axis=0)  # those of an image follow one another
        infer = functools.partial(
            _infer, gaussian=self.gaussian, bilateral=self.bilateral,
            normalization=self.normalization, iterations=iterations)
        processes = min(torch.get_num_threads(), len(energies))
        if processes < 2 or multiprocessing.current_process().daemon:  # no child processes
            marginals = map(infer, energies, images)
        else:
            marginals = _executor(torch.get_num_threads()).map(infer, energies, images)
        marginals = [torch.from_numpy(marginal) for marginal in marginals]
        return torch.stack(marginals).view_as(unary).to(unary) if marginals else unary.clone()


_executor = functools.lru_cache(maxsize=1)(make_executor)


def _infer(energy, image, gaussian, bilateral, normalization, iterations):
    """Marginals of an energy (K, H, W) for an image (H, W, 3)."""
    import numpy as np
    library = _library()
    normalization = getattr(library, normalization)
    number, height, width = energy.shape
    crf = library.DenseCRF2D(width, height, number)
    crf.setUnaryEnergy(energy.reshape(number, -1))
    crf.addPairwiseGaussian(**gaussian, normalization=normalization)
    crf.addPairwiseBilateral(rgbim=image, **bilateral, normalization=normalization)
    return np.array(crf.inference(iterations)).reshape(energy.shape)


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
