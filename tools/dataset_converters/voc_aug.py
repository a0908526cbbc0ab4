"""The masks and lists of VOC 2012 with SBD's annotations: SegmentationClassAug, trainaug.

    python tools/dataset_converters/voc_aug.py data/VOCdevkit/VOC2012 data/benchmark_RELEASE
        [--out DIR] [--workers N]

Writes DEVKIT/SegmentationClassAug/ID.png for every image that VOC or SBD has a mask of: VOC's own,
with its ignored pixels, where there is one, else SBD's; and these lists beside VOC's own, in
DEVKIT/ImageSets/Segmentation:

    trainaug.txt   train and val of SBD, and train of VOC, without val of VOC   (10,582 images)
    aug.txt        the same without train of VOC                                 (9,118 images)

SBD's images are VOC's; each must be in DEVKIT/JPEGImages, and of the size of its mask. Started
again, the tool makes what is missing. The exit code is 1 if an image failed; the lists are written
when none did.
"""
import argparse
import os.path as osp

from mmseg_wss.labels.converters.voc_lists import LISTS
from mmseg_wss.utils.cli import add_workers, run_tool


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('devkit', metavar='DEVKIT', help='the folder VOC2012 of the VOC devkit')
    parser.add_argument('sbd', metavar='SBD', help='the folder benchmark_RELEASE of SBD')
    parser.add_argument('--out', metavar='DIR',
                        help='the dir for ID.png (default: DEVKIT/SegmentationClassAug)')
    add_workers(parser)
    args = parser.parse_args()
    for folder, parts in ((args.devkit, ('JPEGImages', 'SegmentationClass', LISTS)),
                          (args.sbd, ('dataset/cls', ))):
        missing = [part for part in parts if not osp.isdir(osp.join(folder, part))]
        if missing:
            parser.error(f'{folder}: it has no folder {" and no ".join(missing)}. Give VOC2012 of '
                         'the VOC devkit and benchmark_RELEASE of SBD, in this order.')
    args.out = args.out or osp.join(args.devkit, 'SegmentationClassAug')
    return args


if __name__ == '__main__':
    args = parse_args()
    from mmseg_wss.labels.converters.voc_aug import make_voc_aug  # here: --help starts without it
    run_tool(lambda args: make_voc_aug(**vars(args)), args, 'masks')
