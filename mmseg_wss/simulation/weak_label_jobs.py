"""The weak label of an image from its true mask, as a job for another process."""
import hashlib
import os.path as osp
from typing import NamedTuple

import numpy as np

from mmseg_wss.errors import DataError
from mmseg_wss.labels.checks.label_check import IGNORE, labelled_names, mask_faults
from mmseg_wss.labels.formats.image_file import read_image_shape
from mmseg_wss.labels.formats.mask_file import read_mask
from mmseg_wss.simulation.partial_labels import (
    background_region,
    draw_points,
    draw_scribbles,
    object_regions,
)

VERSION = 1  # of the labels: raise it whenever the same masks and options would give others
KINDS = ('tags', 'boxes', 'points', 'scribbles')


class Objects(NamedTuple):
    """The label of the kind 'boxes'."""
    names: list  # M class names
    boxes: np.ndarray  # int (M, 4), (x1, y1, x2, y2) in pixels, half-open
    shape: tuple  # (H, W) of the image
    file_name: str  # of the image


class MakeWeakLabel:
    """A function that makes the weak label of an image; it can be pickled.

    Each image has a generator of its own, from `seed` and its ID, so a label depends on nothing but
    the files of its image and the options here (and, where these draw otherwise, on the versions
    of numpy, OpenCV and SciPy).

    Args:
        kind (str): one of `KINDS`.
        classes (Sequence[str]): class names, background first.
        seed (int): not negative; of points and scribbles.
        min_area (int): objects of fewer pixels get no box, point or scribble.
        radius (float): of points, in pixels.
        background_points (int): points on the background of each image.

    Raises:
        ValueError: an unknown kind.
    """

    def __init__(self, kind, classes, seed=0, min_area=25, radius=3, background_points=1):
        if kind not in KINDS:
            raise ValueError(f'kind must be one of {", ".join(KINDS)}, got {kind!r}.')
        self.kind = kind
        self.classes = list(classes)
        self.seed = seed
        self.min_area = min_area
        self.radius = radius
        self.background_points = background_points

    def __call__(self, name, img_path, mask_path, instance_path=None):
        """Make the label of the image with the ID `name`.

        Args:
            name, img_path, mask_path (str): the image's header alone is read.
            instance_path (str, optional): its instance mask; without one, the objects are the
                connected pieces of a class.

        Returns:
            list[str] | Objects | np.ndarray: class names ('tags'), `Objects` ('boxes'), or uint8
            (H, W), class indices, 255 unlabelled ('points', 'scribbles').

        Raises:
            DataError: a file is missing, unreadable or wrong, or there is nothing to label.
        """
        mask = self._read_mask(mask_path, img_path)
        if self.kind == 'tags':
            names = labelled_names(mask, self.classes)
            if not names:
                raise DataError(f'{mask_path}: the mask has no object, so the image has no tags: '
                                'remove it from the list.')
            return names
        objects = self._objects(mask, mask_path, instance_path)
        if self.kind == 'boxes':
            return self._boxes(objects, mask.shape, img_path, mask_path)
        return self._draw(objects, mask, mask_path, _generator(self.seed, name))

    def _read_mask(self, path, img_path):
        mask = read_mask(path)
        faults = mask_faults(mask, len(self.classes), read_image_shape(img_path))
        if faults:
            raise DataError(f'{path}: the mask {"; it ".join(faults)}.')
        return mask.astype(np.uint8)

    def _objects(self, mask, mask_path, instance_path):
        """The objects that are large enough, list of `Region`."""
        instances = None
        if instance_path is not None:
            instances = read_mask(instance_path)
            if instances.shape != mask.shape:
                raise DataError(
                    f'{instance_path}: the instance mask has shape {instances.shape}, but the '
                    f'class mask {mask_path} has {mask.shape}: make them agree.')
        objects = object_regions(mask, instances)
        for label, pixels in objects:
            if label == 0:
                y, x = np.argwhere(pixels)[0]
                raise DataError(
                    f'{instance_path}: the instance {instances[y, x]} lies on the background of '
                    f'the class mask {mask_path}: correct one of the masks.')
        return [region for region in objects if np.count_nonzero(region.pixels) >= self.min_area]

    def _boxes(self, objects, shape, img_path, mask_path):
        if not objects:
            raise DataError(
                f'{mask_path}: the mask has no object of {self.min_area} pixels, so the image has '
                'no boxes: remove it from the list, or lower the least area.')
        boxes = []
        for _, pixels in objects:
            rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
            boxes.append((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
        names = [self.classes[label] for label, _ in objects]
        return Objects(names, np.array(boxes), shape, osp.basename(img_path))

    def _draw(self, objects, mask, path, rng):
        background = background_region(mask, self.min_area)
        if self.kind == 'points':
            labels = draw_points(
                objects + background * self.background_points, mask.shape, rng, self.radius)
        else:
            labels = draw_scribbles(objects + background, mask.shape, rng)
        if (labels == IGNORE).all():
            raise DataError(f'{path}: the mask has nothing to label (objects and background of at '
                            f'least {self.min_area} pixels): remove the image from the list, or '
                            'lower the least area.')
        return labels


def _generator(seed, name):
    """A generator for one image, which does not depend on the images before it."""
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], 'little')])
