"""Which sample of a batch trains which branch of a two-branch head."""
from mmseg_wss.labels.kinds import is_truth


def route_samples(supervisions, mix_ratio=None, carry=0):
    """Route the samples of a batch to the strong and the weak branch.

    Strong images (`is_truth`) go to the strong branch, weak ones to the weak branch. With
    ``mix_ratio=(a, b)`` the strong branch also gets weak images, so that the images it has seen are
    a : b strong to weak (mixed-dual-head, section 3.3). With S strong images in a step it is owed
    S * b / a weak ones; the whole part is served, the first weak images of the batch first, and the
    rest carried, in units of 1/a of an image, so nothing is lost to rounding:

        due = carry + S * b,   m = min(due // a, W),   carry' = due - m * a

    Args:
        supervisions (Sequence[str]): supervision of each of N samples.
        mix_ratio (tuple[int, int], optional): (a, b); None keeps the branches apart.
        carry (int): what the last step returned; 0 at the start.

    Returns:
        tuple: indices for the strong branch (list[int], strong images first), indices for the weak
        branch (list[int]), and the new carry (int). A carry of `a` or more says that the batch had
        too few weak images to serve what was due.
    """
    strong = [i for i, kind in enumerate(supervisions) if is_truth(kind)]
    weak = [i for i, kind in enumerate(supervisions) if not is_truth(kind)]
    if mix_ratio is None:
        return strong, weak, carry
    a, b = mix_ratio
    due = carry + len(strong) * b
    mixed = min(due // a, len(weak))
    return strong + weak[:mixed], weak, due - mixed * a
