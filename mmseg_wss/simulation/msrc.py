"""A devkit of MSRC: its images, and lists of strong and weak images."""
from pathlib import Path

import numpy as np

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.converters.msrc import CLASSES, convert_image
from mmseg_wss.labels.converters.voc_lists import LISTS
from mmseg_wss.labels.formats.class_names import write_class_names
from mmseg_wss.labels.formats.text_list import read_lines, write_lines
from mmseg_wss.simulation.splits import class_balanced_order
from mmseg_wss.utils.progress import track

TRAINING = 285 / 494  # of the images; the others are for validation
STRONG = 15, 30, 60


def draw_lists(objects, seed=0):
    """Divide images into training and validation, and training into strong and weak.

    Args:
        objects (dict[str, Collection[str]]): name of an image -> its classes.
        seed (int): images of training are drawn by it, and the order of `class_balanced_order`,
            whose first 15, 30 and 60 are strong.

    Returns:
        dict[str, list[str]]: name of a list -> names of images, sorted.
    """
    names = np.random.default_rng(seed).permutation(sorted(objects)).tolist()
    training = names[:round(TRAINING * len(names))]
    order = class_balanced_order({name: objects[name] for name in training}, seed)
    lists = dict(trainaug=training, val=names[len(training):])
    for number in STRONG:
        lists[f'train_strong{number}'] = order[:number]
        lists[f'train_weak{number}'] = order[number:]
    return {key: sorted(members) for key, members in lists.items()}


def read_lists(folder, names):
    """The lists of a folder, of these images alone.

    Raises:
        DataError: the folder has no list, or one of images that are not there.
    """
    lists = {path.stem: read_lines(path) for path in sorted(Path(folder).glob('*.txt'))}
    if not lists:
        raise DataError(f'{folder}: there is no list NAME.txt in it.')
    for name, members in lists.items():
        missing = sorted(set(members) - set(names))
        if missing:
            raise DataError(f'{folder}/{name}.txt: {len(missing)} of its images are not among '
                            f'those with objects: {abridged(missing)}.')
    return lists


def make_msrc(release, out, seed=0, lists=None):
    """Make a devkit of the release; see tools/dataset_converters/msrc.py.

    Args:
        release (str): the folder with Images and newsegmentations_mats.
        out (str): the devkit to make.
        seed (int): see `draw_lists`.
        lists (str, optional): a folder of lists, instead of drawn ones.

    Raises:
        DataError: a file is missing or damaged.
        OSError: a file cannot be written.
    """
    names = sorted(path.stem for path in Path(release, 'Images').glob('*.bmp'))
    if not names:
        raise DataError(f'{release}: there is no Images/*.bmp in it. Give the folder '
                        'MSRC_ObjCategImageDatabase_v2 of the unpacked release.')
    objects = {name: convert_image(name, release, out)
               for name in track(names, 'Converting', len(names))}
    objects = {name: found for name, found in objects.items() if found}
    split = read_lists(lists, objects) if lists else draw_lists(objects, seed)
    for name, members in split.items():
        write_lines(Path(out, LISTS, f'{name}.txt'), members)
    write_class_names(Path(out, 'classes.txt'), CLASSES)
    print(f'{out}: {len(objects)} of {len(names)} images have objects and no horse; '
          + ', '.join(f'{name} {len(members)}' for name, members in split.items()))
