"""The lists of an imported devkit: which image is trained with which of its labels."""
from pathlib import Path

from mmseg_wss.errors import DataError
from mmseg_wss.labels.converters.voc_lists import LISTS
from mmseg_wss.labels.formats.class_names import write_class_names
from mmseg_wss.labels.formats.tag_file import tag_line
from mmseg_wss.labels.formats.text_list import write_lines
from mmseg_wss.labels.imports.devkit import ORDER

TAG_FILE = 'tags.txt'
_NAMES = dict(pixel='train_strong', empty='train_empty', none='train_unlabelled')


def list_name(kind):
    """The list of a kind of labels, of `ORDER`, 'empty' or 'none'."""
    return _NAMES.get(kind, f'train_weak_{kind}')


def choose_kinds(written, wanted=None):
    """The kind of each image's list: the richest that it has.

    An image that is known to be empty has every kind: it takes the richest one of the others, but
    for points and scribbles, which have no form for it.

    Args:
        written (dict): ID -> `Written`.
        wanted (Sequence[str], optional): the kinds that count, of `ORDER`.

    Returns:
        dict: ID -> kind; 'none' for images without one, 'empty' for the masks of empty images
        beside points and scribbles.
    """
    wanted = [kind for kind in ORDER if not wanted or kind in wanted]
    kinds = {name: next((kind for kind in wanted if kind in image.kinds), 'none')
             for name, image in written.items()}
    others = {kinds[name] for name, image in written.items() if not image.is_empty}
    best = next((kind for kind in wanted if kind in others and kind in ('pixel', 'box', 'image')),
                'empty')
    return {name: best if written[name].is_empty else kind for name, kind in kinds.items()}


def image_lists(written, splits, wanted, share, choose_val):
    """Which list each image goes to.

    Args:
        written (dict): ID -> `Written`.
        splits (dict): ID -> 'train', 'val', 'test' or ''.
        wanted (Sequence[str], optional): see `choose_kinds`.
        share (float, optional): of the images with masks that are for the validation; None: the
            splits, where they have 'val', else 0.2.
        choose_val (Callable): called with ID -> class names and a share; returns IDs.

    Returns:
        tuple: name of a list -> IDs, dict; and the number of images that are in none.

    Raises:
        DataError: no image for training has a label.
    """
    kinds = choose_kinds(written, wanted)
    masks = {name: image.tags for name, image in written.items() if 'pixel' in image.kinds}
    if all(written[name].is_empty for name in masks):
        masks = {}  # nothing could be found in them
    if share is None and 'val' in splits.values():
        val = {name for name in masks if splits[name] == 'val'}
    else:
        val = set(choose_val(
            {name: tags for name, tags in masks.items() if splits[name] != 'test'},
            0.2 if share is None else share))
        splits = {name: split if split == 'test' else '' for name, split in splits.items()}
    lists = {}
    for name, kind in kinds.items():
        if name not in val and splits[name] not in ('val', 'test'):
            lists.setdefault(list_name(kind), []).append(name)
    lists['val'] = [name for name in written if name in val]
    lists['test'] = [name for name in masks if splits[name] == 'test']
    lists = {name: ids for name, ids in lists.items() if ids}
    if not any(name.startswith(('train_strong', 'train_weak')) for name in lists):
        raise DataError('no image for training has a label that is used: label some, give the '
                        'folder of their labels, or choose other --kinds or a smaller --val.')
    return lists, len(written) - sum(map(len, lists.values()))


def config_lists(lists):
    """Kind of labels, or 'val' -> name and length of its list, for `config_text`."""
    kinds = {f'train_weak_{kind}': kind for kind in ('box', 'scribble', 'point', 'image')}
    kinds.update(train_strong='pixel', train_empty='empty', train_unlabelled='none', val='val')
    return {kinds[name]: (name, len(ids)) for name, ids in lists.items() if name in kinds}


def write_lists(root, written, lists, classes):
    """Write the lists, the tag file and ``classes.txt``.

    Args:
        root (str): the devkit.
        written (dict): ID -> `Written`.
        lists (dict): name of a list -> IDs.
        classes (Sequence[str]): background first.
    """
    write_class_names(Path(root, 'classes.txt'), classes)
    write_lines(Path(root, TAG_FILE), [
        tag_line(name, image.tags) for name, image in written.items() if 'image' in image.kinds])
    for name, ids in lists.items():
        write_lines(Path(root, LISTS, f'{name}.txt'), ids)
