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
from typing import NamedTuple

from mmengine.registry import init_default_scope

from mmseg_wss.datasets import VOCWeakSegDataset
from mmseg_wss.labels.stores.mask_folder import MaskFolder
from mmseg_wss.labels.stores.weak_label_files import AnnotationFolder, TagFile
from mmseg_wss.simulation.weak_label_jobs import KINDS, VERSION, MakeWeakLabel
from mmseg_wss.utils.cli import add_workers, report_outcome, run_tool
from mmseg_wss.utils.jobs import run_jobs

PLACES = dict(tags='tags_v{}.txt', boxes='Annotations_v{}', points='PointLabels_v{}_seed{}',
              scribbles='ScribbleLabels_v{}_seed{}')
SOURCES = dict(tags="supervision='image', tag_file={!r}",
               boxes="supervision='box', data_prefix=dict(box_path={!r})",
               points="supervision='point', data_prefix=dict(point_path={!r})",
               scribbles="supervision='scribble', data_prefix=dict(scribble_path={!r})")
DEFAULTS = dict(min_area=25, radius=3, background_points=1)
USERS = dict(min_area=KINDS[1:], radius=('points', ), background_points=('points', ))


class Job(NamedTuple):
    """The arguments of `MakeWeakLabel`'s call."""
    name: str
    img_path: str
    mask_path: str
    instance_path: str  # None where the image has no instance mask


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
    parser.add_argument('--seed', type=int, default=0,
                        help='of points and scribbles; tags and boxes are not random '
                        '(default: %(default)s)')
    parser.add_argument('--min-area', type=int, metavar='N',
                        help='smaller objects get no box, point or scribble (default: '
                        f'{DEFAULTS["min_area"]} pixels)')
    parser.add_argument('--radius', type=float, metavar='R',
                        help=f'of points (default: {DEFAULTS["radius"]} pixels)')
    parser.add_argument('--background-points', type=int, metavar='N',
                        help='points on the background of each image (default: '
                        f'{DEFAULTS["background_points"]})')
    add_workers(parser)
    args = parser.parse_args()
    try:
        check_args(args)
    except ValueError as error:
        parser.error(str(error))
    return args


def check_args(args):
    """Set `args.options` and `args.instances`.

    Raises:
        ValueError: an argument is out of range, missing, or would be ignored.
    """
    if not osp.isdir(args.devkit):
        raise ValueError(f'{args.devkit}: there is no such folder.')
    if args.instances is None:
        if osp.isdir(osp.join(args.devkit, 'SegmentationObject')):
            args.instances = 'SegmentationObject'
    elif not osp.isdir(osp.join(args.devkit, args.instances)):
        raise ValueError(f'--instances {args.instances}: there is no such folder in {args.devkit}.')
    for name, least in (('seed', 0), ('min_area', 1), ('radius', 0),
                        ('background_points', 0)):
        option, value = '--' + name.replace('_', '-'), getattr(args, name)
        if value is not None and not value >= least:
            raise ValueError(f'{option} must be at least {least}, got {value}.')
        if value is not None and args.kind not in USERS.get(name, KINDS):
            raise ValueError(f'{option} is for --kind {" or ".join(USERS[name])}, got --kind '
                             f'{args.kind}.')
    args.options = {
        name: default if getattr(args, name) is None else getattr(args, name)
        for name, default in DEFAULTS.items() if args.kind in USERS[name]}
    if args.kind in ('points', 'scribbles'):
        args.options['seed'] = args.seed


def read_jobs(args):
    """The images of the list, list of `Job`, and the class names."""
    init_default_scope('mmseg')
    # lazy: a missing mask is the failure of its image
    dataset = VOCWeakSegDataset(
        data_root=args.devkit, ann_file=args.ann_file, data_prefix=dict(seg_map_path=args.masks),
        pipeline=[], lazy_init=True)
    classes = dataset.metainfo['classes']
    blank = [name for name in classes if len(name.split()) != 1]
    if args.kind == 'tags' and blank:
        raise ValueError(f'{args.devkit}: the class name {blank[0]!r} cannot stand in a tag file, '
                         'where names are separated by blanks: write it without.')
    masks = dataset.data_prefix['seg_map_path']
    jobs = []
    for info in dataset.load_data_list():
        name = osp.splitext(osp.relpath(info['seg_map_path'], masks))[0]
        instances = args.instances and osp.join(args.devkit, args.instances, f'{name}.png')
        has_instances = args.kind != 'tags' and instances and osp.isfile(instances)
        jobs.append(Job(name, info['img_path'], info['seg_map_path'],
                        instances if has_instances else None))
    return jobs, classes


def open_store(args, classes):
    """Where the labels go: an object with is_done, write and close; and its path."""
    path = osp.join(args.out, PLACES[args.kind].format(VERSION, args.seed))
    recipe = dict(tool='make_weak_labels', kind=args.kind, version=VERSION, masks=args.masks,
                  classes=list(classes), **args.options)
    if args.kind != 'tags':
        recipe['instances'] = args.instances
    if args.kind in ('points', 'scribbles'):
        recipe['method'] = args.kind  # as every mask says it
    store = dict(tags=TagFile, boxes=AnnotationFolder).get(args.kind, MaskFolder)
    return store(path, recipe), path


def run(args):
    """Returns the number of images that failed."""
    jobs, classes = read_jobs(args)
    store, path = open_store(args, classes)
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
        print(f'Train with them: {SOURCES[args.kind].format(osp.abspath(path))} in the weak source '
              'of the config.')
    return failed


if __name__ == '__main__':
    run_tool(run, parse_args(), 'labels')
