"""Masks of 81 classes from COCO's instance annotations.

    python tools/dataset_converters/coco_semantic.py data/coco/annotations/instances_train2017.json
        --out data/coco/semantic_train2017 [--images data/coco/train2017] [--workers N]

Writes OUT/ID.png for every image of the file, ID being the stem of its file_name: 0 the background,
1, 2, ... the categories in the order of their ids, 255 crowds (--crowd class: their class); and the
names in OUT/classes.txt. Where objects overlap, the smaller one is on top. An image without any
annotation gets a mask of background, one of crowds alone a mask of 0 and 255. The size of a mask is
that of the file's width and height, so the images need not be there; with --images they are looked
at: one that is missing is reported and its mask is made all the same (it may be on another disk
still), one of another size fails.

Started again, the tool makes what is missing, and what was made from another file or option. The
exit code is 1 if an image failed or is missing.
"""
import argparse
import os.path as osp
from pathlib import Path

from mmseg_wss.errors import abridged
from mmseg_wss.labels.converters.semantic_mask import MakeSemanticMask, find_jobs
from mmseg_wss.labels.formats.class_names import write_class_names
from mmseg_wss.labels.formats.coco_outlines import read_outlines
from mmseg_wss.labels.palette import voc_palette
from mmseg_wss.labels.stores.mask_folder import MaskFolder
from mmseg_wss.utils.cli import add_workers, report_outcome, run_tool
from mmseg_wss.utils.fileio import file_sha256
from mmseg_wss.utils.jobs import run_jobs

VERSION = 1  # of the masks: raise it whenever the same file and options would give others


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('ann_file', metavar='JSON', help="COCO's instances_*.json")
    parser.add_argument('--out', required=True, metavar='DIR', help='the dir for ID.png')
    parser.add_argument('--images', metavar='DIR',
                        help='the images: their presence and size are checked')
    parser.add_argument('--crowd', choices=['ignore', 'class'], default='ignore',
                        help='label of outlines around many objects (iscrowd): 255, or their class '
                        '(default: %(default)s)')
    add_workers(parser)
    args = parser.parse_args()
    if args.images is not None and not osp.isdir(args.images):
        parser.error(f'--images {args.images}: there is no such folder.')
    return args


def run(args):
    """Returns the number of images that failed or are missing."""
    images, classes = read_outlines(args.ann_file, ignore_crowds=args.crowd == 'ignore')
    recipe = dict(tool='coco_semantic', version=VERSION, crowd=args.crowd, classes=classes,
                  ann_file_sha256=file_sha256(args.ann_file))
    with MaskFolder(args.out, recipe) as folder:
        write_class_names(Path(args.out, 'classes.txt'), classes)
        todo = [image for image in images if not folder.is_done(image.stem)]
        print(f'{len(images)} images, {len(classes)} classes: {len(images) - len(todo)} up to '
              f'date, {len(todo)} to make', flush=True)
        function = MakeSemanticMask(
            args.ann_file, args.out, voc_palette().tobytes(), folder.record())
        outcome = run_jobs(function, find_jobs(todo, args.images), len(todo), args.workers)

    missing = report_missing(args, images)
    failed = report_outcome(outcome, len(images) - len(todo), args.out)
    if not failed:
        out = osp.abspath(args.out)
        print(f"Train with them: supervision='pixel', data_prefix=dict(seg_map_path={out!r}), "
              f'metainfo=dict(classes={osp.join(out, "classes.txt")!r}) in a '
              'mmseg_wss.COCOWeakSegDataset.')
    return failed + missing


def report_missing(args, images):
    """Print which images are not there; returns their number."""
    missing = []
    if args.images is not None:
        missing = sorted(image.file_name for image in images
                         if not osp.isfile(osp.join(args.images, image.file_name)))
    if missing:
        print(f'{args.images}: {len(missing)} image(s) of {args.ann_file} are missing (a mask is '
              f'made without its image, a training is not): {abridged(missing)}')
    return len(missing)


if __name__ == '__main__':
    run_tool(run, parse_args(), 'masks')
