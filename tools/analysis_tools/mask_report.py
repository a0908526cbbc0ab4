"""Report how good the masks in a folder are against the truth, and how two folders differ.

    python tools/analysis_tools/mask_report.py MASK_DIR [MASK_DIR ...] [--truth DIR]
        [--ann-file LIST] [--classes FILE] [--images DIR] [--out DIR] [--trimap-width N]
        [--workers N]

For looking only: nothing here reaches a training. Masks are ID.png with class indices, 255 ignored,
also in sub folders (A/ID.png is the image A/ID); other files are not looked at. Several folders are
compared with the first, with or without the truth. `mmseg_wss.evaluation` has the definitions of
the scores. Prints tables, in percent ('-': the score does not exist), and writes into --out:

- report.html: all of it, in one file that needs no other;
- report.json: {"folders": {MASK_DIR as given: {"miou", "miou_all", "fg_precision", "fg_recall",
  "coverage", "fg_coverage", "boundary_miou", "classes": {NAME: {"precision", "recall", "coverage",
  "iou", "iou_all", "boundary_iou"}}, "num_images"}}, "agreement": {each further MASK_DIR: {"agree",
  "differ", "one_ignores", "both_ignore", "classes": {NAME: IoU}}}, "truth", "classes_from",
  "trimap_width"}; scores are fractions in 0..1, or null where they do not exist (without --truth,
  all but the agreement). "miou" is over kept pixels, in "miou_all" ignored pixels are missed ones,
  "boundary_miou" is "miou" at the true boundaries;
- report.png: scores of each class;
- panels.png: the worst images and then the best, by the first folder's mIoU with ignored pixels as
  missed (without truth: by the share of pixels on which the first two folders agree).
"""
import argparse

from mmseg_wss.evaluation.mask_report import report_masks
from mmseg_wss.utils.cli import add_workers, natural_int, run_tool


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('mask_dirs', nargs='+', metavar='MASK_DIR')
    parser.add_argument('--truth', metavar='DIR', help='the true masks, 255 void')
    parser.add_argument('--ann-file', metavar='LIST', help='an image ID a line; without it, all '
                        'images with a mask in every folder and in the truth')
    parser.add_argument('--classes', metavar='FILE', help='a class name a line, background first '
                        "(default: classes.txt in one of the two folders above the truth's files, "
                        "or above the first MASK_DIR's without truth; else the 21 names of VOC)")
    parser.add_argument('--images', metavar='DIR', help='the images, for the panels (default: '
                        'JPEGImages beside the truth folder, if it exists)')
    parser.add_argument('--out', default='./mask_report', metavar='DIR',
                        help='the dir to write into (default: %(default)s)')
    parser.add_argument('--trimap-width', type=natural_int, default=3, metavar='N',
                        help='pixels on either side of a boundary, 0 for no boundary scores '
                        '(default: %(default)s)')
    add_workers(parser, 'threads that decode files')
    args = parser.parse_args()
    if args.truth is None and len(args.mask_dirs) == 1:
        parser.error('give --truth DIR, or a second MASK_DIR to compare the first with')
    if len(set(args.mask_dirs)) < len(args.mask_dirs):
        parser.error('a MASK_DIR is given twice')
    return args


if __name__ == '__main__':
    run_tool(lambda args: report_masks(**vars(args)), parse_args())
