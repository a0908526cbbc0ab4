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

from mmseg_wss.labels.converters.sbd import MakeAugMask, find_jobs
from mmseg_wss.labels.converters.voc_lists import LISTS, new_lists, read_splits
from mmseg_wss.labels.formats.class_names import VOC_CLASSES
from mmseg_wss.labels.palette import voc_palette
from mmseg_wss.labels.stores.mask_folder import MaskFolder
from mmseg_wss.utils.cli import add_workers, report_outcome, run_tool
from mmseg_wss.utils.fileio import atomic_path
from mmseg_wss.utils.jobs import run_jobs

VERSION = 1  # of the masks: raise it whenever the same files would give others
PUBLISHED = {'trainaug.txt': 10582, 'aug.txt': 9118}  # of the whole releases


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


def run(args):
    """Returns the number of images that failed."""
    splits = read_splits(args.devkit, args.sbd)
    lists, jobs = new_lists(args.devkit, splits), find_jobs(args.devkit, args.sbd, splits)
    recipe = dict(tool='voc_aug', version=VERSION, classes=list(VOC_CLASSES))
    with MaskFolder(args.out, recipe) as folder:
        todo = [job for job in jobs if not folder.is_done(job.name)]
        from_sbd = sum(job.mask_path.endswith('.mat') for job in jobs)
        print(f'{len(jobs)} images ({len(jobs) - from_sbd} masks of VOC, {from_sbd} of SBD): '
              f'{len(jobs) - len(todo)} up to date, {len(todo)} to make', flush=True)
        function = MakeAugMask(
            args.out, len(VOC_CLASSES), voc_palette().tobytes(), folder.record())
        outcome = run_jobs(function, todo, len(todo), args.workers)

    failed = report_outcome(outcome, len(jobs) - len(todo), args.out)
    if failed:
        print('The lists are not written: they would name images without a mask.')
        return failed
    for path, ids in lists.items():
        if not path.exists():
            with atomic_path(path) as temporary:
                temporary.write_text(''.join(f'{name}\n' for name in sorted(ids)))
        print(f'{path}: {len(ids)} images (of the whole releases: {PUBLISHED[path.name]})')
    return 0


if __name__ == '__main__':
    run_tool(run, parse_args(), 'masks')
