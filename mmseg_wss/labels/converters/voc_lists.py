"""The lists of VOC 2012 and SBD, and those that the field makes of them."""
from pathlib import Path
from typing import NamedTuple

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.formats.text_list import read_lines

LISTS = 'ImageSets/Segmentation'  # the folder of the lists in a devkit


class Splits(NamedTuple):
    """The IDs of the images of both releases, sets of str."""
    voc_train: set
    voc_val: set
    sbd: set  # its train and val


def read_splits(devkit, sbd):
    """Read the lists train.txt and val.txt of both releases.

    Args:
        devkit (str): the folder VOC2012.
        sbd (str): the folder benchmark_RELEASE.

    Returns:
        Splits

    Raises:
        DataError: a list is missing or no list of IDs, or those of VOC overlap.
    """
    train, val = (_read_ids(Path(devkit, LISTS, f'{split}.txt')) for split in ('train', 'val'))
    more = [_read_ids(Path(sbd, 'dataset', f'{split}.txt')) for split in ('train', 'val')]
    shared = sorted(train & val)
    if shared:
        raise DataError(f'{Path(devkit, LISTS)}: train.txt and val.txt share {len(shared)} '
                        f'image(s): {abridged(shared, 5)}. Take the lists of VOC 2012.')
    return Splits(train, val, more[0] | more[1])


def new_lists(devkit, splits):
    """The lists to be written: trainaug.txt (strong and weak) and aug.txt (weak).

    trainaug has the images of SBD and of VOC train. It leaves out those of VOC val, on which
    networks are evaluated; SBD has masks of these, too. aug is trainaug without VOC train.

    Args:
        devkit (str): the folder VOC2012.
        splits (Splits): of both releases.

    Returns:
        dict: path -> set of IDs.

    Raises:
        DataError: there is such a list already, with other lines.
    """
    trainaug = (splits.sbd | splits.voc_train) - splits.voc_val
    lists = {Path(devkit, LISTS, 'trainaug.txt'): trainaug,
             Path(devkit, LISTS, 'aug.txt'): trainaug - splits.voc_train}
    for path, ids in lists.items():
        found = read_lines(path) if path.exists() else ids
        if set(found) != ids:
            raise DataError(f'{path}: there is such a list already, of {len(found)} lines, and it '
                            f'does not name the {len(ids)} images that these releases make. It is '
                            'not overwritten: move it away.')
    return lists


def _read_ids(path):
    """The set of IDs of a list; one may be there twice."""
    try:
        ids = set(read_lines(path))
    except OSError as error:
        raise DataError(f'{path}: the list cannot be read ({error}). Unpack its release again.'
                        ) from error
    faulty = sorted(name for name in ids if Path(name).name != name or name.split() != [name])
    if faulty or not ids:
        raise DataError(f'{path}: expected an image ID a line, got '
                        f'{abridged(faulty, 5) or "no line"}. Unpack its release again.')
    return ids
