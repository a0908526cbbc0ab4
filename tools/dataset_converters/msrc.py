"""Make the data of configs/msrc from Microsoft's MSRC_ObjCategImageDatabase_v2.

    python tools/dataset_converters/msrc.py MSRC_ObjCategImageDatabase_v2 --out data/msrc
        [--seed 0 | --lists DIR]

The folder has Images/ID.bmp, and in newsegmentations_mats/ID_GT.mat the cleaned segmentations.
Written are images, class and instance masks, boxes and lists, in the layout of PASCAL VOC, of the
images that have an object and no horse. Lists are drawn by the seed, or taken from the folder of
--lists: compare figures of equal lists alone. docs/full_size_data.md says where the release is
found, and what it may be used for.
"""
import argparse
import os.path as osp

from mmseg_wss.utils.cli import natural_int, run_tool


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('release', metavar='RELEASE', help='the unpacked release')
    parser.add_argument('--out', required=True, metavar='DIR', help='the devkit to make')
    which = parser.add_mutually_exclusive_group()
    which.add_argument('--seed', type=natural_int, default=0, help='(default: %(default)s)')
    which.add_argument('--lists', metavar='DIR', help='take the lists NAME.txt of this folder')
    args = parser.parse_args()
    missing = [name for name in ('Images', 'newsegmentations_mats')
               if not osp.isdir(osp.join(args.release, name))]
    if missing:
        parser.error(f'{args.release}: it has no folder {" and no ".join(missing)}.')
    return args


if __name__ == '__main__':
    args = parse_args()
    from mmseg_wss.simulation.msrc import make_msrc  # here: --help starts without it
    run_tool(lambda args: make_msrc(**vars(args)), args)
