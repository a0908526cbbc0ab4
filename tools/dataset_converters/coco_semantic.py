"""Masks of 81 classes from COCO's instance annotations.

    python tools/dataset_converters/coco_semantic.py data/coco/annotations/instances_train2017.json
        --out data/coco/semantic_train2017 [--images data/coco/train2017] [--workers N]

Writes OUT/ID.png for every image of the file, ID being the stem of its file_name: 0 the background,
1, 2, ... the categories in the order of their ids, 255 crowds (--crowd class: their class); and the
names in OUT/classes.txt. Where objects overlap, the smaller one is on top. An image without any
annotation gets a mask of background, one of crowds alone a mask of 0 and 255. The size of a mask is
that of the file's width and height, so the images need not be there. With --images they are looked
at: an image of another size fails; one that is missing is reported, and its mask is made all the
same.

Started again, the tool makes what is missing, and what was made from another file or option. The
exit code is 1 if an image failed or is missing.
"""
import argparse
import os.path as osp

from mmseg_wss.utils.cli import add_workers, run_tool


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


if __name__ == '__main__':
    args = parse_args()
    from mmseg_wss.labels.converters.coco_semantic import make_coco_semantic  # --help: without it
    run_tool(lambda args: make_coco_semantic(**vars(args)), args, 'masks')
