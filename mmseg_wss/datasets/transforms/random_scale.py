"""Random scale, relative to the file."""
import numpy as np
from mmcv.transforms import BaseTransform, Resize
from mmcv.transforms.utils import cache_randomness

from mmseg_wss.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomScale(BaseTransform):
    """Resize an image and its labels by a random factor, which both sides have in common.

    ``RandomResize`` draws the size that all images get, whatever they had; here "scales of 0.5 to
    1.5" are those of the file, for a data set of images of any size.

    Modified keys: those of mmcv's ``Resize``.

    Args:
        ratio_range (tuple[float, float]): smallest and largest factor; it is uniform between them.

    Raises:
        ValueError: the factors are not positive, or in the wrong order.
    """

    def __init__(self, ratio_range):
        low, high = ratio_range
        if not 0 < low <= high:
            raise ValueError(f'RandomScale: ratio_range must be 0 < smallest <= largest, got '
                             f'{tuple(ratio_range)}.')
        self.ratio_range = low, high
        self._resize = Resize(scale_factor=1., keep_ratio=True)

    @cache_randomness
    def _draw_factor(self):
        return np.random.uniform(*self.ratio_range)

    def transform(self, results):
        """Resize; for a given seed the factors are those that ``RandomResize`` would draw."""
        factor = self._draw_factor()
        self._resize.scale_factor = factor, factor
        return self._resize(results)
