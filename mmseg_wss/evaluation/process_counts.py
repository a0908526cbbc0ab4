"""What all processes of a test have written."""
from mmengine.dist import all_reduce


def sum_over_processes(counts, size):
    """Add up the counts of all processes; waits for them.

    mmengine would gather a metric's results through files in a shared folder and cut them to
    `size`.

    Args:
        counts (Tensor): int64 (N, ), those of this process; the first one is of images. It is
            changed in place.
        size (int): images of the data set.

    Returns:
        list[int]: N sums.

    Raises:
        RuntimeError: not every image of the data set was written exactly once.
    """
    all_reduce(counts)
    if counts[0] != size:
        raise RuntimeError(f'{int(counts[0])} masks were written for {size} images: use '
                           'DefaultSampler(shuffle=False, round_up=False) for this data set.')
    return counts.tolist()
