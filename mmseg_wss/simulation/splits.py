"""Which images get masks: lists of strong and weak images."""
import json
import os.path as osp
import re
from collections import Counter
from pathlib import Path
from unicodedata import normalize

import numpy as np

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.formats.coco_json import read_coco
from mmseg_wss.labels.formats.id_list import read_id_list
from mmseg_wss.labels.formats.image_name import IMAGE_SUFFIXES
from mmseg_wss.labels.formats.tag_file import missing_tags, read_tag_file
from mmseg_wss.labels.formats.text_list import write_lines
from mmseg_wss.utils.fileio import file_sha256

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


def stratified_part(tags, share, seed=0):
    """A part of the images that has its share of every class.

    Class by class, the rarest first, images of it that no earlier class has placed are drawn, until
    the part has its share of the class; of a class of two images or more each side gets one, as far
    as they are free. Images without any class are drawn likewise. Where that makes too few images,
    others follow, as long as no class gets more than its share, or vanishes from the rest; of two
    images or more the part has one in any case.

    Args:
        tags (dict[str, Collection[str]]): name of an image -> its classes.
        share (float): of the images, at least 0 and below 1.
        seed (int): the same tags, share and seed give the same part, whatever the order of `tags`.

    Returns:
        list[str]: names, sorted.
    """
    names = np.random.default_rng(seed).permutation(sorted(tags)).tolist()
    images = {}
    for name in names:
        for label in tags[name] or ('', ):
            images.setdefault(label, []).append(name)
    part, placed = set(), set()
    for label in sorted(images, key=lambda label: (len(images[label]), label)):
        members = images[label]
        number = round(share * len(members))
        if share > 0 and len(members) > 1:
            number = min(max(number, 1), len(members) - 1)
        free = [name for name in members if name not in placed]
        part.update(free[:max(0, number - len(part.intersection(members)))])
        placed.update(members)
    return sorted(_filled_up(part, names, tags, share))


def _filled_up(part, names, tags, share):
    total = Counter(label for name in names for label in tags[name])
    found = Counter(label for name in part for label in tags[name])
    for name in names:
        fits = all(found[label] < min(share * total[label], total[label] - 1)
                   for label in tags[name])
        if name not in part and len(part) < round(share * len(names)) and fits:
            part.add(name)
            found.update(tags[name])
    return part or set(names[:1] if share > 0 and len(names) > 1 else ())


def read_list(path):
    """IDs of a list, whose lines are IDs or paths of images, perhaps with that of a mask behind.

    Raises:
        DataError: see `read_id_list`.
    """
    names, faults = read_id_list(path, id_of=_id_of_line)
    if faults:
        raise DataError('\n'.join(faults))
    return names


def _id_of_line(line):
    """The ID in a line such as ``/JPEGImages/ID.jpg /SegmentationClass/ID.png``, or ``ID``."""
    image = re.sub(r'(\.\w+)\s+\S+\.png$', r'\1', line)
    name, suffix = osp.splitext(image)
    if suffix.lower() not in IMAGE_SUFFIXES:
        return line
    return name.rpartition('JPEGImages/')[2] if 'JPEGImages/' in name else osp.basename(name)


def read_tags(path, ann_file=None):
    """The images of a list, or all, and their classes.

    Returns:
        tuple: names, list of str; and name -> its classes, dict.

    Raises:
        DataError: a file is missing or damaged, or an image of the list has no tags.
    """
    names = read_list(ann_file) if ann_file else []
    if path.endswith('.json'):
        tags, faults = read_coco_tags(path)
        faults += missing_tags(path, tags, names, ann_file)
    else:
        tags, faults = read_tag_file(path, names, ann_file)
    if faults:
        raise DataError('\n'.join(faults))
    return names or list(tags), {name: set(classes) for name, classes in tags.items()}


def read_coco_tags(path):
    """The tags of COCO's images by the stems of their names, and what is wrong with the file."""
    categories = read_coco(path, ('background', )).categories
    content = read_coco(path, ('background', *categories))
    return {normalize('NFC', Path(file_name).stem): content.objects.get(number, ((), ))[0]
            for number, file_name in content.images.items()}, list(content.faults)


def refuse_shared(names, paths):
    """No image may be trained with and evaluated on.

    Raises:
        DataError: a list of `paths` has images of `names`.
    """
    for path in paths:
        shared = sorted(set(names) & set(read_list(path)))
        if shared:
            raise DataError(f'{path}: it has {len(shared)} of the images that are to be trained '
                            f'with: {abridged(shared)}. Remove them from one of the lists.')


def strong_sets(names, tags, strong=(), per_class=(), strong_list=None, pool=None, random=False,
                seed=0):
    """Choose the strong images of each set: label of the set -> names. See `make_splits`.

    Raises:
        DataError: an image is not among those to divide, or has no tags; there are too few.
    """
    if strong_list:
        chosen = read_list(strong_list)
        return {str(len(chosen)): _part_of(chosen, names, strong_list)}
    pool = _part_of(read_list(pool), names, pool) if pool else names
    if random:
        order = np.random.default_rng(seed).permutation(sorted(pool)).tolist()
    else:
        order = class_balanced_order({name: tags[name] for name in pool}, seed)
    numbers = {str(number): number for number in strong or ()}
    if per_class:
        classes = len(set().union(*(tags[name] for name in names)))
        numbers = {f'{number}perclass': number * classes for number in per_class}
    for number in numbers.values():
        if number > len(order):
            raise DataError(f'{number} strong images are wanted, but there are {len(order)} to '
                            'choose from.')
    return {label: order[:number] for label, number in numbers.items()}


def _part_of(names, larger, path):
    missing = sorted(set(names) - set(larger))
    if missing:
        raise DataError(f'{path}: {len(missing)} of its images are not among those to divide: '
                        f'{abridged(missing)}. Name the whole list by --ann-file.')
    return names


def _write_set(prefix, rule, parts, tags, facts):
    """Write the lists of a set and how they were made; returns a line about them."""
    facts = dict(facts)
    for part, members in parts.items():
        path = prefix.with_name(f'{prefix.name}_{part}{rule}.txt')
        write_lines(path, members)
        counts = Counter(label for name in members for label in tags[name])
        facts[part] = dict(
            list=path.name, images=len(members), per_class=dict(sorted(counts.items())))
    write_lines(prefix.with_name(f'{prefix.name}_{rule}.json'), [json.dumps(facts, indent=1)])
    per_class = facts['strong']['per_class']
    rarest = min(per_class, key=per_class.get, default='none')
    return (f"{facts['strong']['list']}: {len(parts['strong'])} images, of the rarest class "
            f"({rarest}) {per_class.get(rarest, 0)}; {facts['weak']['list']}: "
            f"{len(parts['weak'])} images")


def make_splits(tags, out, strong=(), per_class=(), strong_list=None, ann_file=None, pool=None,
                random=False, seed=0, exclude=(), name='train'):
    """Write lists of strong and weak images; see tools/dataset_converters/make_splits.py.

    Args:
        tags (str): a tag file, or instances_*.json of COCO.
        out (str): the folder of the lists.
        strong, per_class (Sequence[int]): numbers of strong images, in all or for each class.
        strong_list (str, optional): a list of the strong images, instead of numbers.
        ann_file (str, optional): a list of the images to divide; all of `tags` without it.
        pool (str, optional): a list of the images that may be strong.
        random (bool): choose without regard to classes.
        seed (int): not negative.
        exclude (Sequence[str]): lists that may share no image with those to divide.
        name (str): what the names of the lists begin with.

    Raises:
        DataError: a file is missing or wrong, lists contradict each other, or there are too few
            images.
    """
    sources = dict(tags=tags, ann_file=ann_file, pool=pool, strong_list=strong_list)
    names, tags = read_tags(tags, ann_file)
    refuse_shared(names, exclude)
    sets = strong_sets(names, tags, strong, per_class, strong_list, pool, random, seed)
    facts = dict(
        version=VERSION, seed=seed, random=random,
        sources={key: file_sha256(path) for key, path in sources.items() if path})
    for label, chosen in sets.items():
        chosen = set(chosen)
        parts = dict(strong=[name for name in names if name in chosen],
                     weak=[name for name in names if name not in chosen])
        rule = label if strong_list else f'{label}{"_random" * random}_v{VERSION}_seed{seed}'
        print(_write_set(Path(out, name), rule, parts, tags, facts))
