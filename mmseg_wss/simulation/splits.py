"""Which images get masks: subsets of a list in which every class has its share."""
import numpy as np

VERSION = 1  # of the rule below; it is in the name of every list that is made by it


def class_balanced_order(tags, seed=0):
    """An order of images such that any beginning of it has about as many images of every class.

    Round after round, each class in turn, the rarest first, adds one more of its images that is not
    there yet, by chance; a class without any left is passed over. So the first n times C images
    have, for each of C classes, n images or more, as far as there are such. Images without any
    class come last, in random order. Any shorter subset is part of any longer one.

    Args:
        tags (dict[str, Collection[str]]): name of an image -> its classes.
        seed (int): the same tags and seed give the same order, whatever the order of `tags`.

    Returns:
        list[str]: all names.
    """
    names = np.random.default_rng(seed).permutation(sorted(tags)).tolist()
    images = {}
    for name in names:
        for label in tags[name]:
            images.setdefault(label, []).append(name)
    queues = [iter(images[label]) for label in sorted(images, key=lambda c: (len(images[c]), c))]
    order = {}  # as an ordered set
    while queues:
        left = []
        for queue in queues:
            name = next((name for name in queue if name not in order), None)
            if name is not None:
                order[name] = None
                left.append(queue)
        queues = left
    return [*order, *(name for name in names if name not in order)]
