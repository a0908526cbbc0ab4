"""The bilateral filter: sums over all pixels that are near in place and colour."""
import torch

from mmseg_wss.ops.exact_sums import ExactSums
from mmseg_wss.ops.features import bilateral_features
from mmseg_wss.ops.permutohedral import permutohedral_lattice

BACKENDS = ('auto', 'lattice', 'exact')


def bilateral_filter(values, images, sigma_rgb, sigma_xy, backend='auto'):
    r"""Sum values over all pixels of an image, weighted by nearness in place and colour.

    .. math::
        out_i = \sum_j \exp\left(-\frac{|p_i - p_j|^2}{2 \sigma_{xy}^2}
                                 -\frac{|I_i - I_j|^2}{2 \sigma_{rgb}^2}\right) v_j

    with positions p and colours I; j = i is included, and the weights do not sum to 1. To filter
    several values of the same images, build a `BilateralFilter` once.

    Args:
        values (Tensor): (N, K, H, W), floating point. float16 and bfloat16 are filtered in float32.
        images (Tensor): (N, 3, H, W), RGB in 0..255, on the device of `values`.
        sigma_rgb (float): standard deviation in levels of 0..255.
        sigma_xy (float): standard deviation in pixels.
        backend (str): 'lattice', the permutohedral lattice of Adams et al. (2010), takes time and
            memory linear in the number of pixels and works in float32. Its sums have the scale of
            the released implementations: they are not those of the formula but about a constant
            times them (0.6, say), and divided by the filter of ones they differ from the exact
            ones by some percent. 'exact' is the formula, in the precision of `values` and time
            quadratic in the number of pixels. 'auto' is 'lattice'.

    Returns:
        Tensor: (N, K, H, W), dtype and device of `values`; differentiable in `values`, twice too,
        and without a gradient to `images`.

    Raises:
        ValueError: shapes or devices that disagree, images without a pixel, colours that are not
            finite or not in 0..255, a sigma that is not positive or so small that the lattice
            cannot number its vertices, an unknown backend.
        ImportError: Numba is not installed (backend 'lattice', on a CPU).
    """
    return BilateralFilter(images, sigma_rgb, sigma_xy, backend)(values)


class BilateralFilter:
    """The `bilateral_filter` of given images, for any number of values.

    Args:
        images, sigma_rgb, sigma_xy, backend: see `bilateral_filter`.
    """

    def __init__(self, images, sigma_rgb, sigma_xy, backend='auto'):
        if backend not in BACKENDS:
            raise ValueError(f'backend must be one of {", ".join(BACKENDS)}; got {backend!r}.')
        self.shape, self.device = images.shape, images.device
        if backend == 'exact':
            self.sums = ExactSums(
                bilateral_features(images, sigma_rgb, sigma_xy, dtype=torch.float64))
        else:
            self.sums = permutohedral_lattice(bilateral_features(images, sigma_rgb, sigma_xy))

    def __call__(self, values):
        """Filter values (N, K, H, W), see `bilateral_filter`."""
        if values.dim() != 4 or not values.is_floating_point():
            raise ValueError('values must be floating point (N, K, H, W); got '
                             f'{values.dtype} of shape {tuple(values.shape)}.')
        number, _, height, width = self.shape
        if (len(values), *values.shape[2:]) != (number, height, width):
            raise ValueError(f'values (N, K, H, W) must match images (N, 3, H, W); got shapes '
                             f'{tuple(values.shape)} and {tuple(self.shape)}.')
        if values.device != self.device:
            raise ValueError(f'values are on {values.device}, images on {self.device}: move them '
                             'to one device.')
        return LinearFilter.apply(values.flatten(2), self.sums, False).view_as(values)


class LinearFilter(torch.autograd.Function):
    """A linear operator on (N, K, n) whose transpose is ``sums(..., reverse=True)``."""

    @staticmethod
    def forward(ctx, values, sums, reverse):
        ctx.sums, ctx.reverse = sums, reverse
        dtype = torch.float64 if values.dtype == torch.float64 and isinstance(
            sums, ExactSums) else torch.float32
        if values.numel() == 0:
            return values.clone()
        with torch.autocast(values.device.type, enabled=False):
            return sums(values.detach().to(dtype), reverse).to(values.dtype)

    @staticmethod
    def backward(ctx, grad):
        return LinearFilter.apply(grad, ctx.sums, not ctx.reverse), None, None
