"""A thin and small object for the drawn data set."""
import cv2
import numpy as np

MIN_AREA = 10_000
"""int: pixels of an image in which a scratch is wide enough to be seen."""
MAX_SHARE = 0.003
"""float: of the pixels of the image, which a scratch has fewer than."""
_SHARES = 0.0015, 0.0026
_ASPECT = 4.  # length by width


def scratch_pixels(rng, instances):
    """Draw a bar, four times as long as wide, in a free place with two free pixels around.

    Args:
        rng (np.random.Generator): source of all randomness.
        instances (np.ndarray): uint8 (H, W), 0 where no object is; at least `MIN_AREA` pixels.

    Returns:
        np.ndarray: bool (H, W), under `MAX_SHARE` of the pixels; of none where no room was found.
    """
    free = np.zeros(instances.shape, bool)
    free[2:-2, 2:-2] = (cv2.dilate(instances, np.ones((5, 5), np.uint8)) == 0)[2:-2, 2:-2]
    height, width = instances.shape
    rows, columns = np.mgrid[:height, :width]
    for _ in range(200):
        area = rng.uniform(*_SHARES) * instances.size
        angle = rng.uniform(0, np.pi)
        y, x = rows - rng.uniform(0, height), columns - rng.uniform(0, width)
        along = np.abs(x * np.cos(angle) + y * np.sin(angle))
        across = np.abs(y * np.cos(angle) - x * np.sin(angle))
        side = np.sqrt(area / _ASPECT) / 2
        pixels = (along <= side * _ASPECT) & (across <= side)
        count = np.count_nonzero(pixels)
        if free[pixels].all() and instances.size / 1000 <= count < MAX_SHARE * instances.size:
            return pixels
    return np.zeros(instances.shape, bool)
