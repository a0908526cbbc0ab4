"""Divide the images of a data set into those with masks (strong) and those without (weak).

    python tools/dataset_converters/make_splits.py TAGS --out DIR
        (--strong N ... | --per-class N ... | --strong-list LIST) [--ann-file LIST] [--pool LIST]
        [--random] [--seed 0] [--exclude LIST ...]

TAGS says which classes each image has: a tag file, as tools/make_weak_labels.py --kind tags writes
it, or COCO's instances_*.json. For each N two lists are written, with the version of the rule and
the seed in their names, and a json file that says how they were made and how many images of every
class each has:

    train_strong374_v1_seed0.txt   train_weak374_v1_seed0.txt   train_374_v1_seed0.json

Strong images are chosen so that every class has its share (class_balanced_order in
mmseg_wss/simulation/splits.py), or with --random by chance; smaller sets are parts of larger ones.
With --strong-list they are those of a list that somebody published; its lines may also be paths
("/JPEGImages/ID.jpg /SegmentationClass/ID.png"). All other images of --ann-file are weak.
"""
import argparse
import json
import os.path as osp
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from mmseg_wss.errors import DataError
from mmseg_wss.labels.checks.label_check import abridged
from mmseg_wss.labels.formats.coco_json import read_coco
from mmseg_wss.labels.formats.text_list import read_lines
from mmseg_wss.simulation.splits import VERSION, class_balanced_order
from mmseg_wss.utils.fileio import atomic_path, file_sha256


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('tags', metavar='TAGS', help='tag file, or instances_*.json of COCO')
    parser.add_argument('--out', required=True, metavar='DIR', help='the dir of the lists')
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument('--strong', type=int, nargs='+', metavar='N',
                       help='numbers of strong images')
    which.add_argument('--per-class', type=int, nargs='+', metavar='N',
                       help='N times as many strong images as there are classes')
    which.add_argument('--strong-list', metavar='LIST', help='the strong images')
    parser.add_argument('--ann-file', metavar='LIST',
                        help='the images to divide (default: all of TAGS)')
    parser.add_argument('--pool', metavar='LIST',
                        help='strong images are chosen from these (default: from all to divide)')
    parser.add_argument('--random', action='store_true', help='choose without regard to classes')
    parser.add_argument('--seed', type=int, default=0, help='(default: %(default)s)')
    parser.add_argument('--exclude', nargs='*', default=[], metavar='LIST',
                        help='val and test lists: it is an error if any image is in one')
    parser.add_argument('--name', default='train', help='begin the names of the lists so '
                        '(default: %(default)s)')
    args = parser.parse_args()
    for number in [*(args.strong or ()), *(args.per_class or ())]:
        if number < 1:
            parser.error(f'numbers of images are at least 1; got {number}')
    if args.seed < 0:
        parser.error(f'--seed is at least 0; got {args.seed}')
    if args.strong_list and (args.random or args.pool):
        parser.error('--random and --pool choose images, but --strong-list names them')
    return args


# ---- what there is

def read_list(path):
    """IDs of a list, of lines that begin with an ID or with the path of an image.

    Raises:
        DataError: no such file, an empty one, one that is not in UTF-8, or an image that is in it
            twice.
    """
    if not osp.isfile(path):
        raise DataError(f'{path}: there is no such list.')
    lines = [line.split()[0] for line in read_lines(path)]
    names = [osp.splitext(osp.basename(line))[0] if line.endswith(('.jpg', '.png')) else line
             for line in lines]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice or not names:
        raise DataError(f'{path}: ' + (f'it names {len(twice)} image(s) more than once: '
                                       f'{abridged(twice)}.' if twice else 'the list is empty.'))
    return names


def read_tags(path):
    """Name of an image -> its classes.

    Raises:
        DataError: no such file, or a damaged one.
    """
    if path.endswith('.json'):
        return read_coco_tags(path)
    if not osp.isfile(path):
        raise DataError(f'{path}: there is no such tag file. tools/make_weak_labels.py --kind tags '
                        'makes one from masks.')
    tags = {}
    for line in read_lines(path):
        name, *classes = line.split()
        if name in tags:
            raise DataError(f'{path}: it has more than one line for {name}.')
        tags[name] = set(classes)
    return tags


def read_coco_tags(path):
    categories = read_coco(path, ('background', )).categories
    content = read_coco(path, ('background', *categories))
    if content.faults:
        raise DataError('\n'.join(content.faults))
    return {osp.splitext(osp.basename(file_name))[0]: set(content.objects.get(number, ((), ))[0])
            for number, file_name in content.images.items()}


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


# ---- dividing it

def strong_sets(args, names, tags):
    """Label of a set -> its strong images; names without a class cannot be in a balanced one.

    Raises:
        DataError: an image is not among those to divide, or has no tags; there are too few.
    """
    if args.strong_list:
        strong = read_list(args.strong_list)
        return {str(len(strong)): _part_of(strong, names, args.strong_list)}
    pool = _part_of(read_list(args.pool), names, args.pool) if args.pool else names
    if args.random:
        order = np.random.default_rng(args.seed).permutation(sorted(pool)).tolist()
    else:
        order = class_balanced_order({name: tags[name] for name in pool}, args.seed)
    numbers = {str(number): number for number in args.strong or ()}
    if args.per_class:
        classes = len(set().union(*(tags[name] for name in names)))
        numbers = {f'{number}perclass': number * classes for number in args.per_class}
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


def write_set(args, label, strong, names, tags):
    """Write the lists of a set, in the order of `names`, and how they were made."""
    chosen = set(strong)
    parts = dict(strong=[name for name in names if name in chosen],
                 weak=[name for name in names if name not in chosen])
    rule = label
    if not args.strong_list:
        rule += f'{"_random" * args.random}_v{VERSION}_seed{args.seed}'
    facts = dict(
        version=VERSION, seed=args.seed, random=args.random,
        sources={key: file_sha256(path) for key, path in (
            ('tags', args.tags), ('ann_file', args.ann_file), ('pool', args.pool),
            ('strong_list', args.strong_list)) if path})
    for part, members in parts.items():
        path = Path(args.out, f'{args.name}_{part}{rule}.txt')
        _write(path, ''.join(f'{name}\n' for name in members))
        counts = Counter(label for name in members for label in tags[name])
        facts[part] = dict(
            list=path.name, images=len(members), per_class=dict(sorted(counts.items())))
    _write(Path(args.out, f'{args.name}_{rule}.json'), json.dumps(facts, indent=1) + '\n')
    per_class = facts['strong']['per_class']
    rarest = min(per_class, key=per_class.get, default='none')
    print(f"{facts['strong']['list']}: {len(parts['strong'])} images, of the rarest class "
          f"({rarest}) {per_class.get(rarest, 0)}; {facts['weak']['list']}: "
          f"{len(parts['weak'])} images")


def _write(path, text):
    with atomic_path(path) as temporary:
        temporary.write_text(text, 'utf-8')


def main():
    args = parse_args()
    try:
        tags = read_tags(args.tags)
        names = read_list(args.ann_file) if args.ann_file else list(tags)
        untagged = [name for name in names if name not in tags]
        if untagged:
            raise DataError(f'{args.tags}: it has no line for {len(untagged)} of the images: '
                            f'{abridged(untagged)}.')
        refuse_shared(names, args.exclude)
        for label, strong in strong_sets(args, names, tags).items():
            write_set(args, label, strong, names, tags)
    except (DataError, OSError) as error:
        sys.exit(str(error))


if __name__ == '__main__':
    main()
