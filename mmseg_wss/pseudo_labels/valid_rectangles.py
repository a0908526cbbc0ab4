"""What of each image of a padded batch is image."""
import numpy as np


def valid_rectangles(valid):
    """Images grouped by the smallest rectangle around their valid pixels.

    Args:
        valid (Tensor): bool (N, H, W), False on padding.

    Yields:
        tuple: indices (list[int]), rows (slice) and columns (slice); no image without valid pixels.
    """
    groups = {}
    rows, columns = valid.any(2).cpu().numpy(), valid.any(1).cpu().numpy()
    for i in np.flatnonzero(rows.any(1)):
        y, x = np.flatnonzero(rows[i]), np.flatnonzero(columns[i])
        groups.setdefault((y[0], y[-1] + 1, x[0], x[-1] + 1), []).append(int(i))
    for (top, bottom, left, right), members in groups.items():
        yield members, slice(top, bottom), slice(left, right)
