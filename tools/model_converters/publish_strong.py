"""Write the part of a checkpoint that inference needs: no weak branch, no optimiser state.

    python tools/model_converters/publish_strong.py CONFIG CHECKPOINT OUT [--trust-checkpoint]

OUT loads strictly into the same config with ``model.decode_head.weak_branch=False`` and predicts
what CHECKPOINT predicts with ``predict_branch='strong'``.
"""
import argparse
import os.path as osp

from mmseg_wss.engine.run_config import add_trust_option, load_config, trust_checkpoints
from mmseg_wss.models.converters.publish_strong import publish_strong
from mmseg_wss.utils.cli import run_tool


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='config of the training')
    parser.add_argument('checkpoint', help='checkpoint of the training')
    parser.add_argument('out', help='file to write')
    add_trust_option(parser)
    return parser.parse_args()


def run(args):
    trust_checkpoints(args)
    before, after = publish_strong(load_config(args.config), args.checkpoint, args.out)
    print(f'{args.out}: {after} of {before} tensors, '
          f'{osp.getsize(args.out) / osp.getsize(args.checkpoint):.0%} of the size. Use it with '
          '--cfg-options model.decode_head.weak_branch=False')


if __name__ == '__main__':
    run_tool(run, parse_args())
