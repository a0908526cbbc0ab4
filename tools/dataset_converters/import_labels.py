"""Make a devkit of what a labelling tool has exported: COCO, LabelMe, CVAT, YOLO, ...

    python tools/dataset_converters/import_labels.py SOURCE --out DEVKIT [--images DIR]
        [--format NAME] [--instances JSON [--min-score S]] [--classes NAME ...]
        [--ignore NAME ...] [--kinds KIND ...] [--val 0.2] [--seed 0] [--link]
        [--overwrite] [--skip-faulty] [--workers N]

SOURCE is the file or folder of the export; what it is, is seen (docs/import.md says which export to
choose, and what is kept). DEVKIT gets the images, their labels as masks, boxes, scribbles, points
and tags, lists, classes.txt, and config.py, which trains with it. It appears when it is whole: with
a fault in SOURCE nothing is written, and the exit code is 1.

An image with labels of several kinds is trained with the richest: masks, boxes, scribbles, points,
tags. Where outlines overlap, what the tool has on top is on top, else the smaller one.
"""
import argparse
import os.path as osp

from mmseg_wss.labels.imports.devkit import ORDER
from mmseg_wss.labels.imports.importer import IGNORED, import_labels
from mmseg_wss.labels.imports.recognise import TITLES
from mmseg_wss.utils.cli import add_workers, natural_int, run_tool

ROOT = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__))))


def share(text):
    """The type of an option that is a part of something: at least 0 and below 1."""
    number = float(text)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f'expected at least 0 and less than 1, got {text}')
    return number


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('source', metavar='SOURCE', help='file or folder of an export')
    parser.add_argument('--out', required=True, metavar='DEVKIT', help='the new folder')
    parser.add_argument('--images', metavar='DIR',
                        help='the images (default: those in the folder of SOURCE, or beside it)')
    parser.add_argument('--format', dest='kind', choices=TITLES, metavar='NAME',
                        help=f'what SOURCE is, where it has more: {", ".join(TITLES)}')
    parser.add_argument('--instances', metavar='JSON', help="the COCO file with the images and "
                        "categories, where SOURCE is a list of COCO's results")
    parser.add_argument('--min-score', type=float, default=0.5, metavar='S',
                        help='leave out results with a lower score (default: %(default)s)')
    parser.add_argument('--classes', nargs='+', metavar='NAME',
                        help='the classes, without the background, in their order (default: all, '
                        'in the order of the tool)')
    parser.add_argument('--ignore', dest='ignored', nargs='*', default=list(IGNORED),
                        metavar='NAME', help='what has these names becomes 255, in no loss and no '
                        f'metric (default: {" ".join(IGNORED)})')
    parser.add_argument('--kinds', nargs='+', choices=ORDER, metavar='KIND',
                        help=f'use these kinds of labels alone, of {", ".join(ORDER)}')
    parser.add_argument('--val', type=share, help='share of the images with masks that are for the '
                        'validation (default: the splits of the export, else 0.2)')
    parser.add_argument('--seed', type=natural_int, default=0,
                        help='of the choice of --val (default: %(default)s)')
    parser.add_argument('--link', action='store_true', help='link the images instead of copying')
    parser.add_argument('--overwrite', action='store_true', help='replace DEVKIT')
    parser.add_argument('--skip-faulty', action='store_true',
                        help='leave out images and labels that are wrong')
    add_workers(parser)
    return parser.parse_args()


def run(args):
    """Returns the number of faults."""
    from mmseg_wss.simulation.splits import stratified_part  # here: --help starts without it
    options = dict(vars(args))
    seed = options.pop('seed')
    return import_labels(
        choose_val=lambda tags, part: stratified_part(tags, part, seed),
        configs=osp.join(ROOT, 'configs'), **options)


if __name__ == '__main__':
    run_tool(run, parse_args())
