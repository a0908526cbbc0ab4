"""Make weak labels from true masks: for experiments with images whose masks are known.

    python tools/make_weak_labels.py DEVKIT --kind tags|boxes|points|scribbles --ann-file LIST
                                     --out DIR [--seed 0] [--workers N]

Writes, into DIR, with a version (of how the labels are made) and the seed in the name:

    tags       tags_v1.txt                        names of the classes in the mask
    boxes      Annotations_v1/ID.xml              tight boxes, as VOC has them
    points     PointLabels_v1_seed0/ID.png        a disc in each object and one in the background
    scribbles  ScribbleLabels_v1_seed0/ID.png     a stroke along each object and the background

An object is an instance of --instances, or where an image has no instance mask, a connected piece
of a class. Void pixels get no label. A manifest beside tags and boxes, and each mask itself, says
how they were made. The label of an image depends on its masks, the options and the seed alone, not
on the list. Started again, the tool makes what is missing. The exit code is 1 if an image failed.
"""
import argparse
import os.path as osp

from mmseg_wss.labels.stores.mask_folder import MaskFolder
from mmseg_wss.labels.stores.weak_label_files import AnnotationFolder, TagFile
from mmseg_wss.simulation.weak_label_jobs import (
    KINDS,
    OPTIONS,
    VERSION,
    MakeWeakLabel,
    find_instances,
    label_options,
    label_place,
    read_jobs,
    source_options,
)
from mmseg_wss.utils.cli import add_workers, report_outcome, run_tool
from mmseg_wss.utils.jobs import run_jobs


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('devkit', metavar='DEVKIT', help='folder in VOC layout')
    parser.add_argument('--kind', required=True, choices=KINDS, help='what to make')
    parser.add_argument('--ann-file', required=True, metavar='LIST',
                        help='list of IDs, relative to the folder')
    parser.add_argument('--out', required=True, metavar='DIR',
                        help='the dir in which the labels get their file or folder')
    parser.add_argument('--masks', default='SegmentationClass', metavar='DIR',
                        help='class masks, relative to the folder (default: %(default)s)')
    parser.add_argument('--instances', metavar='DIR',
                        help='instance masks, relative to the folder; not every image needs one '
                        '(default: SegmentationObject, if there is such a folder)')
    for name, kind, what in (
            ('seed', int, 'of points and scribbles'),
            ('min_area', int, 'smaller objects get no box, point or scribble; in pixels'),
            ('radius', float, 'of points, in pixels'),
            ('background_points', int, 'points on the background of each image')):
        parser.add_argument('--' + name.replace('_', '-'), type=kind, metavar='N',
                            help=f'{what} (default: {OPTIONS[name].default})')
    add_workers(parser)
    args = parser.parse_args()
    try:
        args.options = label_options(args.kind, **{name: getattr(args, name) for name in OPTIONS})
    except ValueError as error:
        parser.error(str(error))
    return args


def open_store(args, classes, instances):
    """Where the labels go: an object with is_done, write and close; and its path."""
    path = osp.join(args.out, label_place(args.kind, args.options))
    recipe = dict(tool='make_weak_labels', kind=args.kind, version=VERSION, masks=args.masks,
                  classes=list(classes), **args.options)
    if args.kind != 'tags':
        recipe['instances'] = instances
    if args.kind in ('points', 'scribbles'):
        recipe['method'] = args.kind  # as every mask says it
    store = dict(tags=TagFile, boxes=AnnotationFolder).get(args.kind, MaskFolder)
    return store(path, recipe), path


def run(args):
    """Returns the number of images that failed."""
    instances = find_instances(args.devkit, args.instances)
    jobs, classes = read_jobs(args.devkit, args.ann_file, args.kind, args.masks, instances)
    store, path = open_store(args, classes, instances)
    stale = [job for job in jobs if not store.is_done(job.name)]
    print(f'{len(jobs)} images: {len(jobs) - len(stale)} up to date, {len(stale)} to make',
          flush=True)
    try:
        outcome = run_jobs(
            MakeWeakLabel(args.kind, classes, **args.options), stale, len(stale), args.workers,
            'Making labels', write=lambda job, label: store.write(job.name, label))
    finally:
        store.close()

    if args.kind != 'tags':
        by_pieces = sum(job.instance_path is None for job in stale)
        print(f'objects from instance masks in {len(stale) - by_pieces} images, from connected '
              f'pieces in {by_pieces}')
    failed = report_outcome(outcome, len(jobs) - len(stale), path)
    if not failed:
        print(f'Train with them: {source_options(args.kind, osp.abspath(path))} in the weak source '
              'of the config.')
    return failed


if __name__ == '__main__':
    run_tool(run, parse_args(), 'labels')
