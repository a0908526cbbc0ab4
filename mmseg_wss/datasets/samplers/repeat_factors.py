"""How often images are drawn, so that rare classes are met more often."""
import numpy as np


def repeat_factors(table, threshold):
    r"""How often each image comes in a pass over a source, on average.

    With f(c) the share of the images that have class c, and t the threshold,

    .. math::
        r(c) = \max\big(1, \sqrt{t / f(c)}\big), \qquad r_i = \max_{c \in i} r(c)

    so nothing changes for classes that at least a share t of the images has. An image without any
    class comes once.

    Source: Gupta et al., LVIS, CVPR 2019, appendix B.2 (repeat factor sampling), after Mahajan et
    al., ECCV 2018.

    Args:
        table (np.ndarray): bool (N, K), the classes of N images.
        threshold (float): t, in 0..1.

    Returns:
        np.ndarray: float64 (N,), at least 1.
    """
    shares = table.sum(0).clip(min=1) / max(1, len(table))  # what no image has counts nowhere
    return np.where(table, np.maximum(1, np.sqrt(threshold / shares)), 1.).max(1, initial=1.)


def source_classes(source, number):
    """The classes of the images of a source of the sampler, bool (N, K).

    Args:
        source (Dataset): has ``class_table()``, as `WeakSegDataset`, or is a ``ConcatDataset``.
        number (int): which one it is, for the message.

    Raises:
        ValueError: it does not know the classes of its images.
    """
    parts = getattr(source, 'datasets', None)
    if parts is not None:
        return np.concatenate([source_classes(part, number) for part in parts])
    if not hasattr(source, 'class_table'):
        raise ValueError(
            f'repeat_threshold needs the classes of each image, but source {number}, a '
            f'{type(source).__name__}, has no class_table(): use VOCWeakSegDataset or '
            'COCOWeakSegDataset, or leave repeat_threshold out.')
    return source.class_table()
