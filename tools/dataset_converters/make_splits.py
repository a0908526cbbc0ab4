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

from mmseg_wss.utils.cli import natural_int, positive_int, run_tool


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('tags', metavar='TAGS', help='tag file, or instances_*.json of COCO')
    parser.add_argument('--out', required=True, metavar='DIR', help='the dir of the lists')
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument('--strong', type=positive_int, nargs='+', metavar='N',
                       help='numbers of strong images')
    which.add_argument('--per-class', type=positive_int, nargs='+', metavar='N',
                       help='N times as many strong images as there are classes')
    which.add_argument('--strong-list', metavar='LIST', help='the strong images')
    parser.add_argument('--ann-file', metavar='LIST',
                        help='the images to divide (default: all of TAGS)')
    parser.add_argument('--pool', metavar='LIST',
                        help='choose strong images from this list (default: from all to divide)')
    parser.add_argument('--random', action='store_true', help='choose without regard to classes')
    parser.add_argument('--seed', type=natural_int, default=0, help='(default: %(default)s)')
    parser.add_argument('--exclude', nargs='*', default=[], metavar='LIST',
                        help='val and test lists: it is an error if any image is in one')
    parser.add_argument('--name', default='train', help='begin the names of the lists so '
                        '(default: %(default)s)')
    args = parser.parse_args()
    if args.strong_list and (args.random or args.pool):
        parser.error('--random and --pool choose images, but --strong-list names them')
    return args


if __name__ == '__main__':
    args = parse_args()
    from mmseg_wss.simulation.splits import make_splits  # here: --help starts without it
    run_tool(lambda args: make_splits(**vars(args)), args)
