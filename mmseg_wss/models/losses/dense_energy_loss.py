"""RRM's dense energy loss."""
import warnings

import torch
from torch import nn

from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.models.losses.dense_energy import downscale, paper_energy, released_energy
from mmseg_wss.ops.bilateral_filter import BACKENDS
from mmseg_wss.registry import MODELS

FORMULATIONS = {'released': released_energy, 'paper': paper_energy}
ROUNDING = 1e-3  # how far outside 0..1 half precision may bring a probability


@MODELS.register_module()
class DenseEnergyLoss(nn.Module):
    """Pull neighbouring pixels of like colour to one class (RRM, eq. 10 to 14).

    It trains labelled and unlabelled pixels alike, without any label: labels only say which pixels
    count less, the more confident the network is of them (`soft_filter`).

    Args:
        sigma_rgb (float): standard deviation of the kernel in levels of 0..255. (The paper has the
            two sigmas the other way round; these defaults are those of the released code.)
        sigma_xy (float): standard deviation in pixels of the images that come in.
        scale_factor (float): the energy is computed on images of this size relative to those that
            come in, in (0, 1].
        formulation (str): 'released' (see `released_energy`): not normalised, so its value grows
            with the number of pixels, and its weight, 1e-7, belongs to crops of about 321 pixels at
            scale 0.5. 'paper' (see `paper_energy`): a mean over the pixels, in 0..1, and a weight
            of 0.1 to 1.
        loss_weight (float): factor of the loss; the default is that of 'released'.
        backend (str): see `bilateral_filter`.

    Raises:
        ValueError: an unknown formulation or backend, a sigma that is not positive, a scale factor
            outside (0, 1].
    """

    loss_name = 'loss_energy'

    def __init__(self, sigma_rgb=15., sigma_xy=100., scale_factor=0.5, formulation='released',
                 loss_weight=1e-7, backend='auto'):
        super().__init__()
        if formulation not in FORMULATIONS:
            raise ValueError(
                f'formulation must be one of {", ".join(FORMULATIONS)}; got {formulation!r}.')
        if backend not in BACKENDS:
            raise ValueError(f'backend must be one of {", ".join(BACKENDS)}; got {backend!r}.')
        if not (sigma_rgb > 0 and sigma_xy > 0):
            raise ValueError('sigma_rgb and sigma_xy must be positive; got '
                             f'sigma_rgb={sigma_rgb}, sigma_xy={sigma_xy}.')
        if not 0 < scale_factor <= 1:
            raise ValueError(f'scale_factor must lie in (0, 1]; got {scale_factor}.')
        if formulation == 'paper' and 0 < loss_weight < 1e-4:
            warnings.warn(
                f"loss_weight={loss_weight} switches formulation='paper' off in all but name: its "
                'value lies in 0..1. Set loss_weight to 0.1 to 1.', stacklevel=2)
        self.sigma_rgb = sigma_rgb
        self.sigma_xy = sigma_xy
        self.scale_factor = scale_factor
        self.formulation = formulation
        self.loss_weight = loss_weight
        self.backend = backend

    def forward(self, images, probs, labels, valid):
        """The energy of a batch, times `loss_weight`. What lies on the padding does not matter.

        Args:
            images (Tensor): (N, 3, H, W), RGB in 0..255.
            probs (Tensor): float (N, K, H, W), softmax; half precision is computed in float32.
            labels (Tensor): (N, H, W), 255 where unlabelled.
            valid (Tensor): (N, H, W), 1 inside the image and 0 on padding.

        Returns:
            Tensor: scalar, float32 (float64 for such `probs`).

        Raises:
            ValueError: shapes that do not agree, images or probabilities out of range or NaN.
        """
        _check_shapes(images, probs, labels, valid, self.scale_factor)
        if probs.dtype != torch.float64:
            probs = probs.float()
        images, probs, labels, valid = downscale(
            images, probs, labels, valid.bool(), self.scale_factor)
        _check_probs(probs)
        energy = FORMULATIONS[self.formulation](
            images, probs, labels != IGNORE, valid, self.sigma_rgb,
            self.sigma_xy * self.scale_factor, self.backend)
        return self.loss_weight * energy

    def extra_repr(self):
        return (f'sigma_rgb={self.sigma_rgb}, sigma_xy={self.sigma_xy}, '
                f'scale_factor={self.scale_factor}, formulation={self.formulation!r}, '
                f'loss_weight={self.loss_weight}')


def _check_shapes(images, probs, labels, valid, scale_factor):
    if probs.dim() != 4:
        raise ValueError(f'probs must be (N, K, H, W); got shape {tuple(probs.shape)}.')
    number, _, height, width = probs.shape
    for name, tensor, expected in (('images', images, (number, 3, height, width)),
                                   ('labels', labels, (number, height, width)),
                                   ('valid', valid, (number, height, width))):
        if tuple(tensor.shape) != expected:
            raise ValueError(f'{name} must have shape {expected}, to match probs '
                             f'{tuple(probs.shape)}; got {tuple(tensor.shape)}.')
    if not number or min(height, width) * scale_factor < 1:
        raise ValueError(f'probs of shape {tuple(probs.shape)} leave no pixel at '
                         f'scale_factor={scale_factor}.')


def _check_probs(probs):
    lowest, highest = torch.stack(probs.detach().aminmax()).tolist()  # one wait for the GPU
    if not (lowest >= -ROUNDING and highest <= 1 + ROUNDING):  # NaN too
        raise ValueError('probs must be probabilities (a softmax over the classes); got values in '
                         f'{lowest:.4g}..{highest:.4g}.')
