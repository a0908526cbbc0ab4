"""The weak label of an image from its true mask, as a job for another process."""
import hashlib
import os.path as osp
from typing import NamedTuple

import numpy as np

from mmseg_wss.errors import DataError
from mmseg_wss.labels import kinds
from mmseg_wss.labels.boxes import tight_box
from mmseg_wss.labels.checks.label_check import IGNORE, labelled_names, mask_faults
from mmseg_wss.labels.formats.class_names import devkit_classes
from mmseg_wss.labels.formats.id_list import read_id_list
from mmseg_wss.labels.formats.image_file import read_image_shape
from mmseg_wss.labels.formats.image_name import find_image
from mmseg_wss.labels.formats.mask_file import read_mask
from mmseg_wss.labels.objects import read_instances
from mmseg_wss.simulation.partial_labels import (
    background_region,
    draw_points,
    draw_scribbles,
    object_regions,
)
from mmseg_wss.utils.file_names import FolderIndex

VERSION = 1  # of the labels: raise it whenever the same masks and options would give others
# what is made -> the supervision that it is for
KINDS = {kind.made_as: name for name, kind in kinds.KINDS.items() if kind.made_as}


class Option(NamedTuple):
    """An option of `MakeWeakLabel`."""
    default: float
    least: float
    users: tuple  # the kinds that depend on it


OPTIONS = dict(
    seed=Option(0, 0, ('points', 'scribbles')),
    min_area=Option(25, 1, ('boxes', 'points', 'scribbles')),  # pixels of the smallest object
    radius=Option(3, 0, ('points', )),  # pixels
    background_points=Option(1, 0, ('points', )))  # on the background of each image


def label_options(kind, **options):
    """All options that a kind of label depends on.

    Args:
        kind (str): one of `KINDS`.
        **options: values of `OPTIONS`; None for the default.

    Returns:
        dict: name -> value.

    Raises:
        ValueError: an unknown kind; an option is out of range, or would be ignored.
    """
    if kind not in KINDS:
        raise ValueError(f'kind must be one of {", ".join(KINDS)}, got {kind!r}.')
    found = {name: option.default for name, option in OPTIONS.items() if kind in option.users}
    for name, value in options.items():
        if value is None:
            continue
        option = OPTIONS[name]
        if not value >= option.least:
            raise ValueError(f'{name} must be at least {option.least}, got {value}.')
        if kind not in option.users:
            raise ValueError(f'{name} is for {" or ".join(option.users)}, got {kind}.')
        found[name] = value
    return found


def label_place(kind, options):
    """Name of the file or folder of the labels: how they are made is in it."""
    label = kinds.KINDS[KINDS[kind]]
    if label.tag_file == 'instead':
        return f'tags_v{VERSION}.txt'
    seed = f'_seed{options["seed"]}' if 'seed' in options else ''
    return f'{label.file.folder}_v{VERSION}{seed}'


def source_options(kind, path):
    """The options of a data set that reads the labels at `path`, as a config writes them."""
    label = kinds.KINDS[KINDS[kind]]
    option = (f'tag_file={path!r}' if label.tag_file == 'instead' else
              f'data_prefix=dict({label.file.option}={path!r})')
    return f'supervision={KINDS[kind]!r}, {option}'


class Job(NamedTuple):
    """The arguments of `MakeWeakLabel`'s call."""
    name: str
    img_path: str
    mask_path: str
    instance_path: str | None  # None where the image has no instance mask


def find_instances(devkit, folder=None):
    """The folder of instance masks in a devkit, or None: SegmentationObject, if there is one.

    Raises:
        ValueError: `folder` is given, but not there.
    """
    if folder is not None and not osp.isdir(osp.join(devkit, folder)):
        raise ValueError(f'instances {folder}: there is no such folder in {devkit}.')
    name = folder or 'SegmentationObject'
    return name if osp.isdir(osp.join(devkit, name)) else None


def read_jobs(devkit, ann_file, kind, masks='SegmentationClass', instances=None):
    """The images of a list.

    A mask that is missing is the failure of its image, so only the list itself must exist.

    Args:
        devkit (str): a folder in VOC layout.
        ann_file (str): the list of IDs, relative to it.
        kind (str): one of `KINDS`.
        masks (str): folder of the class masks, relative to `devkit`.
        instances (str, optional): folder of instance masks; not every image needs one.

    Returns:
        tuple: list of `Job`; and the class names.

    Raises:
        DataError: the list is missing, empty or holds an image twice, or one has several files.
        ValueError: there is no such devkit.
    """
    if not osp.isdir(devkit):
        raise ValueError(f'{devkit}: there is no such folder.')
    ids, faults = read_id_list(
        osp.join(devkit, ann_file), f'Set --ann-file (relative to {devkit}) to')
    index = FolderIndex()

    def image_path(name):
        path, found = find_image(osp.join(devkit, 'JPEGImages', name), None, index)
        if not osp.isabs(name) and '..' not in name.split('/'):  # these fail one by one
            faults.extend(found)
        return path

    def instance_path(name):
        path = index.path(osp.join(devkit, instances, f'{name}.png'))
        return path if osp.isfile(path) else None

    jobs = [Job(name, image_path(name), index.path(osp.join(devkit, masks, f'{name}.png')),
                instance_path(name) if instances and kind != 'tags' else None) for name in ids]
    if faults:
        raise DataError('\n'.join(faults))
    return jobs, devkit_classes(devkit)


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
        **options: see `OPTIONS`.

    Raises:
        ValueError: see `label_options`.
    """

    def __init__(self, kind, classes, **options):
        self.options = label_options(kind, **options)
        self.kind = kind
        self.classes = list(classes)

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
            DataError: a file is missing, unreadable or wrong, or there is nothing to label. (A mask
            that is background all over says that there is no object: no names, no boxes.)
        """
        mask = self._read_mask(mask_path, img_path)
        if self.kind == 'tags':
            names = labelled_names(mask, self.classes)
            if not names and mask.any():
                raise DataError(f'{mask_path}: the mask is 255 ("ignored") all over, so the tags '
                                'of the image are unknown: remove it from the list.')
            return names
        objects = self._objects(mask, mask_path, instance_path)
        if self.kind == 'boxes':
            return self._boxes(objects, mask, img_path, mask_path)
        return self._draw(objects, mask, mask_path, _generator(self.options['seed'], name))

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
            instances = read_instances(instance_path, mask, mask_path)
        objects = object_regions(mask, instances)
        for label, pixels in objects:
            if label == 0:
                y, x = np.argwhere(pixels)[0]
                raise DataError(
                    f'{instance_path}: the instance {instances[y, x]} lies on the background of '
                    f'the class mask {mask_path}: correct one of the masks.')
        return [region for region in objects
                if np.count_nonzero(region.pixels) >= self.options['min_area']]

    def _boxes(self, objects, mask, img_path, mask_path):
        if not objects and mask.any():
            raise DataError(
                f'{mask_path}: the mask has no object of {self.options["min_area"]} pixels, so the '
                'image has no boxes: remove it from the list, or lower the least area.')
        names = [self.classes[label] for label, _ in objects]
        boxes = np.array([tight_box(pixels) for _, pixels in objects])
        return Objects(names, boxes, mask.shape, osp.basename(img_path))

    def _draw(self, objects, mask, path, rng):
        min_area = self.options['min_area']
        background = background_region(mask, min_area)
        if self.kind == 'points':
            regions = objects + background * self.options['background_points']
            labels = draw_points(regions, mask.shape, rng, self.options['radius'])
        else:
            labels = draw_scribbles(objects + background, mask.shape, rng)
        if (labels == IGNORE).all():
            raise DataError(f'{path}: the mask has nothing to label (objects and background of at '
                            f'least {min_area} pixels): remove the image from the list, or '
                            'lower the least area.')
        return labels


def _generator(seed, name):
    """A generator for one image, which does not depend on the images before it."""
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], 'little')])
