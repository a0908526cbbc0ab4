"""Put the records of a folder of masks from its manifest into the masks.

    python tools/dataset_converters/mask_records.py DIR [--made-by METHOD]

Older versions of the tools recorded in DIR/manifest.json or DIR/manifest*.jsonl how masks were
made; now each mask says it itself. The pixels stay as they are. Stopped and started again, the tool
goes on; at the end it removes the manifest.
"""
import argparse

from mmseg_wss.labels.stores.manifests import convert_manifests
from mmseg_wss.utils.cli import run_tool


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('out', metavar='DIR', help='the folder of the masks')
    parser.add_argument('--made-by', metavar='METHOD',
                        help='the method of masks whose manifest names none: for those of '
                        'generate_pseudo_masks.py, the name of the config without its suffix')
    return parser.parse_args()


def run(args):
    print(f'{convert_manifests(args.out, args.made_by)} masks got their record: {args.out}')


if __name__ == '__main__':
    run_tool(run, parse_args(), 'masks')
