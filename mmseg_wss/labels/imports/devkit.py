"""A VOC devkit from what a labelling tool has exported."""
import os
import os.path as osp
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

import numpy as np

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.labels.formats.image_file import check_image_file, read_image_shape
from mmseg_wss.labels.formats.mask_file import write_mask
from mmseg_wss.labels.formats.text_list import write_lines
from mmseg_wss.labels.formats.voc_xml import voc_xml
from mmseg_wss.labels.imports.drawing import draw_shapes, read_colour_mask
from mmseg_wss.labels.imports.records import BACKGROUND_NAMES, LabelledImage
from mmseg_wss.utils.fileio import name_disk_faults
from mmseg_wss.utils.jobs import run_jobs

ORDER = 'pixel', 'box', 'scribble', 'point', 'image'  # kinds of labels, the richest first
_FLAG = re.compile(r'\s(?=(-1|0|1)$)')  # VOC's own lists have such a flag behind an ID


class Job(NamedTuple):
    """The arguments of `WriteImage`'s call."""
    name: str
    image: LabelledImage


class Written(NamedTuple):
    """What `WriteImage` has written."""
    kinds: tuple  # of `ORDER`
    tags: tuple  # class names, without the background
    is_empty: bool
    left_out: Counter


class WriteImage:
    """A function that writes the files of an image into a devkit; it can be pickled.

    Args:
        root (str): the devkit.
        classes (Sequence[str]): background first.
        ignored (Collection[str]): names of regions that are 255.
        link (bool): link images instead of copying them.
    """

    def __init__(self, root, classes, ignored=(), link=False):
        self.root = root
        self.labels = {name: number for number, name in enumerate(classes)}
        self.labels.update((name, 0) for name in BACKGROUND_NAMES)
        self.labels.update((name, IGNORE) for name in ignored)
        self.classes = list(classes)
        self.ignored = set(ignored)
        self.link = link

    def __call__(self, name, image):
        """Write an image and its labels.

        Args:
            name (str): its ID.
            image (LabelledImage): the image.

        Returns:
            Written

        Raises:
            DataError: the image or one of its labels is wrong; all are named.
            OSError: a file cannot be written.
        """
        shape = self._checked_shape(image)
        shapes = [item._replace(is_ignored=item.is_ignored or item.name in self.ignored)
                  for item in image.shapes]
        known = [item for item in shapes if item.is_ignored or item.name in self.labels]
        try:
            drawn = draw_shapes(known, self.labels, shape)
        except ValueError as error:
            raise DataError(f'{image.source}: {image.path}: {error}. Correct or remove them, or '
                            'leave the image out by --skip-faulty.') from error
        drawn.left_out['shapes of classes that are not in --classes'] = len(shapes) - len(known)
        tags = {item.name for item in known if not item.is_ignored} | set(image.tags)
        if image.mask:
            self._add_mask(image, drawn, tags, shape)
        tags = tuple(label for label in self.classes[1:] if label in tags)
        is_empty = image.is_labelled and not image.shapes and not image.tags and not (
            image.mask and drawn.mask.any())
        if is_empty:
            drawn.mask = np.zeros(shape, np.uint8)
        kinds = self._write_labels(name, drawn, tags, shape, image, is_empty)
        suffix = osp.splitext(image.path)[1].lower().replace('.jpeg', '.jpg')
        self._place_image(image.path, self._path('JPEGImages', name, suffix))
        return Written(kinds, tags, is_empty, +drawn.left_out)

    def _checked_shape(self, image):
        check_image_file(image.path)
        shape = read_image_shape(image.path)
        if image.size and tuple(image.size) != shape:
            turned = (' (it is turned by its EXIF data when it is loaded)'
                      if tuple(image.size[::-1]) == shape else '')
            raise DataError(
                f'{image.path}: the image is {shape[1]}x{shape[0]} (width x height){turned}, but '
                f'{image.source} says {image.size[1]}x{image.size[0]}. Take the images that were '
                'labelled.')
        return shape

    def _add_mask(self, image, drawn, tags, shape):
        mask = read_colour_mask(image.mask, self.labels)
        if mask.shape != shape:
            raise DataError(f'{image.mask.path}: the mask is {mask.shape[1]}x{mask.shape[0]} (width'
                            f' x height), but its image {image.path} is {shape[1]}x{shape[0]}. '
                            'Take the images that were labelled.')
        drawn.mask = mask
        tags.update(self.classes[label] for label in np.unique(mask) if 0 < label < IGNORE)

    def _write_labels(self, name, drawn, tags, shape, image, is_empty):
        """Write what there is; returns the kinds of labels that the image has."""
        found = dict(pixel=drawn.mask, scribble=drawn.scribbles, point=drawn.points)
        folders = dict(pixel='SegmentationClass', scribble='ScribbleLabels', point='PointLabels')
        kinds = {kind for kind, mask in found.items() if mask is not None}
        for kind in kinds:
            write_mask(self._path(folders[kind], name, '.png'), found[kind])
        if drawn.names or is_empty:
            text = voc_xml(osp.basename(image.path), shape, drawn.names, drawn.boxes)
            write_lines(self._path('Annotations', name, '.xml'), [text.rstrip()])
            kinds.add('box')
        if tags or 'pixel' in kinds:
            kinds.add('image')
        return tuple(kind for kind in ORDER if kind in kinds)

    def _path(self, folder, name, suffix):
        return Path(self.root, folder, name + suffix)

    def _place_image(self, source, target):
        with name_disk_faults(target):  # a full disk is no fault of this image
            target.parent.mkdir(parents=True, exist_ok=True)
            if self.link:
                os.symlink(osp.abspath(source), target)
            else:
                shutil.copyfile(source, target)


def image_ids(paths):
    """IDs of images: their paths from the folder that all share, without the suffix.

    Images that differ in their suffix alone keep it, as in ``a__png``.

    Args:
        paths (Sequence[str]): all different.

    Returns:
        dict: path -> ID.

    Raises:
        DataError: a name that no line of a list can hold.
    """
    base = osp.commonpath([osp.dirname(osp.abspath(path)) for path in paths]) if paths else ''
    stems = {path: osp.splitext(osp.relpath(osp.abspath(path), base))[0].replace(os.sep, '/')
             for path in paths}
    number = Counter(stems.values())
    ids = {}
    for path, stem in stems.items():
        suffix = f'__{osp.splitext(path)[1][1:]}' if number[stem] > 1 else ''
        ids[path] = normalize('NFC', _FLAG.sub('_', stem + suffix))  # as lists are read
    faulty = [path for path, name in ids.items() if name != name.strip() or not name.isprintable()]
    number = Counter(ids.values())
    twice = [path for path, name in ids.items() if number[name] > 1]
    for paths, what in ((faulty, 'begin or end in a blank, or have characters that are not '
                                 'printed'), (twice, 'would have the names of others')):
        if paths:
            raise DataError(f'{base}: {len(paths)} image(s) {what}: '
                            f'{abridged([repr(path) for path in paths], 5)}. Rename them.')
    return ids


def write_images(root, jobs, classes, ignored, link, workers):
    """Write the images and labels of a devkit.

    Returns:
        tuple: ID -> `Written`, dict; and ID -> what is wrong, dict.
    """
    written = {}
    outcome = run_jobs(WriteImage(root, classes, ignored, link), jobs, len(jobs), workers,
                       'Importing', write=lambda job, result: written.update({job.name: result}))
    return {job.name: written[job.name] for job in jobs if job.name in written}, outcome.failures
