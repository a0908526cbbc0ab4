"""The size at which a network sees images and objects, in training and in evaluation."""
from dataclasses import dataclass

import numpy as np

from mmseg_wss.datasets.pipeline_facts import resize_factors

APART = 2  # by this factor; a training that draws scales of 0.5 to 2 has seen as much


@dataclass(frozen=True)
class SeenSizes:
    """Median sizes of a list's images and objects, as lengths sqrt(area) in pixels.

    Args:
        files (tuple): (W, H) of the files, each a median.
        factors (tuple): smallest and largest factor of the pipeline (`resize_factors`), medians.
        objects (float, optional): of the objects, in pixels of the file; None where none is known.
        seen_images, seen_objects (float): the same as the network sees them, with the geometric
            mean of both factors.
    """
    files: tuple
    factors: tuple
    objects: float | None
    seen_images: float
    seen_objects: float | None

    def __str__(self):
        low, high = self.factors
        factors = f'{low:.2f}' if f'{low:.2f}' == f'{high:.2f}' else f'{low:.2f} to {high:.2f}'
        said = '{} x {} pixels, resized by {}'.format(*self.files, factors)
        return said if self.objects is None else (
            f'{said}; objects of {self.objects:.0f} pixels, seen with {self.seen_objects:.0f}')


def seen_sizes(facts, pipeline):
    """Sizes of the images of a list and of their objects.

    Args:
        facts (Sequence[LabelFacts]): of the images.
        pipeline (Sequence[dict]): configs of the transforms that they go through.

    Returns:
        SeenSizes: None where no image has a shape.
    """
    facts = [fact for fact in facts if fact.shape]
    if not facts:
        return None
    shapes = np.array([fact.shape for fact in facts])
    factors = np.array([resize_factors(pipeline, fact.shape) for fact in facts])
    means = np.sqrt(factors.prod(1))
    objects = [(size, size * mean) for fact, mean in zip(facts, means)
               for size in fact.object_sizes]
    median, seen_median = np.median(objects, axis=0) if objects else (None, None)
    return SeenSizes(
        tuple(int(side) for side in np.median(shapes, axis=0)[::-1]),
        tuple(np.median(factors, axis=0)), median,
        float(np.median(np.sqrt(shapes.prod(1)) * means)), seen_median)


def scale_warning(trained, evaluated):
    """Whether a network sees the images of an evaluation at another size than in training.

    Objects are compared where both lists tell their sizes, else images.

    Args:
        trained, evaluated (SeenSizes): of a training source and of the other list.

    Returns:
        str or None: what to say, with the size to resize to.
    """
    if None in (trained.objects, evaluated.objects):
        return image_size_warning(trained.seen_images, evaluated)
    return _warning('objects', trained.seen_objects, evaluated.seen_objects, evaluated)


def image_size_warning(expected, sizes):
    """`scale_warning` by images alone.

    Args:
        expected (float): `SeenSizes.seen_images` of the training.
        sizes (SeenSizes): of the list to evaluate or predict.
    """
    return _warning('images', expected, sizes.seen_images, sizes)


def _warning(what, expected, seen, sizes):
    if 1 / APART <= seen / expected <= APART:
        return None
    factor = np.sqrt(np.prod(sizes.factors)) * expected / seen
    return (f'the network sees {what} of {seen:.0f} pixels, but is trained with those of '
            f'{expected:.0f} (medians of the square root of the area), so it may find little. '
            "Resize these images as in training: put dict(type='Resize', "
            f'scale_factor={factor:.2g}, keep_ratio=True) behind LoadImageFromFile, in place of a '
            'Resize that is there. Predictions are given at the size of the file.')
