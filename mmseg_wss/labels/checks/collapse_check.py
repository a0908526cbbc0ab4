"""Whether the masks of weak images have collapsed, beside those of the strong images."""
from dataclasses import dataclass, field

import numpy as np

from mmseg_wss.errors import abridged
from mmseg_wss.labels.checks.label_check import IGNORE, label_counts

CHANCE = 1e-4  # what is less likely than that is no accident
TIMES = 10  # the odds of a class in the strong masks
KEPT = 0.05  # share of the pixels that have a label
ALMOST_NONE = 0.01  # of the strong masks' share of objects
FEW_IMAGES = 10  # that say nothing about their source


@dataclass
class MaskCounts:
    """What the masks of a source's samples hold. An image may come again, with another crop.

    Args:
        pixels (np.ndarray): int64 (256,), pixels of each label, 255 included.
        shown (dict[str, int]): image -> the labels that its masks have shown, as bits.
        empty (set[str]): the images that are known to be empty.
        empty_pixels (int): labelled pixels of those.
    """
    pixels: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))
    shown: dict = field(default_factory=dict)
    empty: set = field(default_factory=set)
    empty_pixels: int = 0

    def add(self, image, mask, known_empty=False):
        """Count a sample: the name of its image, its mask (uint8 (H, W)), and if it is empty."""
        counts = label_counts(mask).astype(np.int64)
        bits = int.from_bytes(np.packbits(counts > 0, bitorder='little').tobytes(), 'little')
        self.pixels += counts
        self.shown[image] = self.shown.get(image, 0) | bits
        if known_empty:
            self.empty.add(image)
            self.empty_pixels += int(counts[:IGNORE].sum())

    def __add__(self, other):
        shown = dict(self.shown)
        for image, bits in other.shown.items():
            shown[image] = shown.get(image, 0) | bits
        return MaskCounts(self.pixels + other.pixels, shown, self.empty | other.empty,
                          self.empty_pixels + other.empty_pixels)

    @property
    def labelled(self):
        """Pixels that have a label."""
        return int(self.pixels[:IGNORE].sum())

    @property
    def shares(self):
        """Share of each label of the labelled pixels, (255,)."""
        return self.pixels[:IGNORE] / max(1, self.labelled)

    @property
    def object_share(self):
        """Share of the objects of the labelled pixels, without images that are known to be empty.
        """
        return self.pixels[1:IGNORE].sum() / max(1, self.labelled - self.empty_pixels)

    def images_with(self, *labels):
        """How many images have shown one of the labels."""
        wanted = sum(1 << label for label in labels)
        return sum(1 for bits in self.shown.values() if bits & wanted)


def find_collapses(weak, strong, num_classes, is_partial=False):
    """Find what of a weak source's masks is hardly an accident.

    - 'unlabelled': fewer than 5 % of the pixels have a label; of points and scribbles, none,
    - 'background': of the labelled pixels of images that are not known to be empty, the objects
      have less than a hundredth of the strong masks' share (without strong images: nothing),
    - 'hidden': a class that k of S strong images show, but none of the W weak images that show an
      object. If both lists were drawn from the same images, all k would be strong with a chance of
      (S / (S + W))^k at most; it is below 1e-4,
    - 'swollen': a class whose odds, share / (1 - share) of the labelled pixels, are ten times those
      that it would have in the strong masks, were there one more, filled with it. (Of rare classes
      the odds are the share; a frequent class has no ten times its share. The one more mask stands
      for what so few do not show.) Not the background, nor of points and scribbles, whose share of
      a class is that of its clicks.

    The chance counts for 'background' too (k strong images show an object, none of the W weak ones
    that are not known to be empty), and fewer than 10 images are not judged.

    Args:
        weak (MaskCounts): of a source.
        strong (MaskCounts): of all strong sources that have its classes; empty where there is none.
        num_classes (int): K, with the background.
        is_partial (bool): the weak masks are points or scribbles.

    Returns:
        dict[str, list[int]]: what was found -> the labels that it is about, 255 and 0 for the first
        two.
    """
    num_weak, num_strong = len(weak.shown), len(strong.shown)
    if num_weak < FEW_IMAGES:
        return {}
    labelled, total = weak.labelled, int(weak.pixels.sum())
    if not labelled or not is_partial and labelled < KEPT * total:
        return dict(unlabelled=[IGNORE])

    def is_no_accident(images, others):
        return (num_strong / (num_strong + others)) ** images < CHANCE

    objects, is_open = range(1, num_classes), num_weak - len(weak.empty)
    if is_open >= FEW_IMAGES and weak.object_share <= ALMOST_NONE * strong.object_share and (
            not num_strong or is_no_accident(strong.images_with(*objects), is_open)):
        return dict(background=[0])
    shows = weak.images_with(*objects)
    hidden = [label for label in objects if not weak.images_with(label)
              and is_no_accident(strong.images_with(label), shows)]
    expected = (strong.shares * num_strong + 1) / (num_strong + 1)
    is_swollen = weak.shares * (1 - expected) > TIMES * expected * (1 - weak.shares)
    swollen = [] if is_partial else [label for label in objects if is_swollen[label]]
    return {what: labels for what, labels in [('hidden', hidden), ('swollen', swollen)] if labels}


def collapse_warning(what, labels, weak, strong, classes):
    """Say what `find_collapses` has found, in numbers, and what it means.

    Args:
        what (str), labels (list[int]): an item of its result.
        weak, strong (MaskCounts): its arguments.
        classes (Sequence[str]): class names, background first.

    Returns:
        str: some sentences.
    """
    num_weak, num_strong = len(weak.shown), len(strong.shown)
    if what == 'unlabelled':
        share = weak.labelled / max(1, int(weak.pixels.sum()))
        return (f'only {share:.1%} of the pixels of {num_weak} images are labelled, the rest is '
                '255 ("ignored"), so these images teach almost nothing. If a threshold (tau) '
                'leaves pixels out, lower it.')
    if what == 'background':
        beside = (f' ({strong.object_share:.1%} of those of {num_strong} strong images)'
                  if num_strong else '')
        return (f'{weak.object_share:.2%} of the labelled pixels of {num_weak - len(weak.empty)} '
                f'images are objects{beside}, the rest is background. A network learns from them '
                'that there are no objects.')
    if what == 'hidden':
        names = [f'{classes[label]} ({strong.images_with(label)} of {num_strong} strong images '
                 'show it)' for label in labels]
        shows = weak.images_with(*range(1, len(classes)))
        return (f'none of {shows} images with objects shows {abridged(names, 5)}. A network learns '
                'from them that this is something else.')
    names = [f'{classes[label]} has {weak.shares[label]:.1%} of the labelled pixels '
             f'({strong.shares[label]:.1%} of those of {num_strong} strong images)'
             for label in labels]
    return (f'{abridged(names, 5)}. A network learns from them to see it where it is not.')
