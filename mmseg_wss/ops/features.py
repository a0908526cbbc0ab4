"""Places and colours of pixels, in units of standard deviations.

On a CPU they are made by NumPy: the threads that PyTorch would start for each small step wait for
one another longer than the step takes when the cores are shared, as in training.
"""
import torch


def bilateral_features(images, sigma_rgb, sigma_xy, dtype=torch.float32):
    """Columns, rows and colours of all pixels.

    Args:
        images (Tensor): (N, 3, H, W), RGB in 0..255.
        sigma_rgb, sigma_xy (float): standard deviations in levels and pixels.
        dtype (torch.dtype): float32 or float64.

    Returns:
        Tensor: (N, 5, H W), on the device of `images`.

    Raises:
        ValueError: a wrong shape, colours that are not finite or not in 0..255, a sigma that is not
            positive. (Colours may be out by less than 1: resizing overshoots.)
    """
    check_sigmas(sigma_rgb=sigma_rgb, sigma_xy=sigma_xy)
    check_shape(images)
    check_colours(images)
    out = torch.empty(len(images), 5, *images.shape[2:], dtype=dtype, device=images.device)
    images = images.detach()
    if images.dtype == torch.bfloat16:  # NumPy has no bfloat16
        images = images.float()
    colours, features = _arrays(images, out)
    _fill_places(features, sigma_xy)
    features[:, 2:] = colours
    features[:, 2:] /= sigma_rgb
    return out.flatten(2)


def position_features(shape, sigma_xy, device):
    """Columns and rows of all pixels of an image of shape (H, W): float32 (1, 2, H W)."""
    out = torch.empty(1, 2, *shape, device=device)
    _fill_places(_arrays(out)[0], sigma_xy)
    return out.flatten(2)


def check_shape(images):
    """Raise ValueError unless images are (N, 3, H, W), H and W at least 1."""
    if images.dim() != 4 or images.shape[1] != 3:
        raise ValueError(f'images must be (N, 3, H, W); got shape {tuple(images.shape)}.')
    if 0 in images.shape[2:]:
        raise ValueError('images must have at least one row and one column; got (N, 3, H, W) = '
                         f'{tuple(images.shape)}.')


def check_colours(images):
    """Raise ValueError unless images are RGB in 0..255, but for what resizing may add to that."""
    if images.dtype == torch.uint8 or not images.numel():
        return
    if images.device.type == 'cpu':
        colours = images.detach().float().numpy()
        darkest, brightest = float(colours.min()), float(colours.max())
    else:
        darkest, brightest = torch.stack(images.detach().aminmax()).tolist()  # one wait for the GPU
    if not (darkest > -1 and brightest < 256):  # NaN too
        raise ValueError('images must be RGB in 0..255, as they were before normalisation; got '
                         f'values in {darkest:.4g}..{brightest:.4g}.')


def check_sigmas(**sigmas):
    """Raise ValueError unless all standard deviations are positive and finite."""
    for name, sigma in sigmas.items():
        if not 0 < sigma < float('inf'):
            raise ValueError(f'{name} must be positive and finite; got {sigma}.')


def _fill_places(features, sigma_xy):
    """Write columns and rows into features (N, 2 or more, H, W), an array of either library."""
    height, width = features.shape[2:]
    columns, rows = torch.arange(width), torch.arange(height)
    if isinstance(features, torch.Tensor):
        columns, rows = columns.to(features), rows.to(features)
    else:
        columns, rows = _arrays(columns, rows)
    features[:, 0] = columns
    features[:, 1] = rows[:, None]
    features[:, :2] /= sigma_xy


def _arrays(*tensors):
    """NumPy's views of tensors on a CPU; other tensors as they are."""
    return [tensor.numpy() if tensor.device.type == 'cpu' else tensor for tensor in tensors]
