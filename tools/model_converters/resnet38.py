"""Convert published weights of ResNet38 to a checkpoint of a network with ``mmseg_wss.ResNet38``.

    python tools/model_converters/resnet38.py IN OUT

IN is an mxnet file (``*.params``: the ImageNet weights ilsvrc-cls_rna-a1_cls1000_ep-0001.params of
the authors of the network; mxnet is not needed) or a PyTorch file (anything else: res38_cls.pth of
RRM, for example). Layers of RRM become those of an `RRMHead`; others, the classifier of ImageNet
that is, are left out and listed. OUT is for ``load_from='OUT'``, or for the backbone alone:

    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='OUT', prefix='backbone.'))
"""
import argparse

from mmseg_wss.models.converters.resnet38 import RRM_HEAD, convert_resnet38
from mmseg_wss.utils.cli import run_tool


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('source', metavar='IN', help='published weights: *.params or PyTorch')
    parser.add_argument('out', metavar='OUT', help='checkpoint to write')
    return parser.parse_args()


def run(args):
    kept, left_out = convert_resnet38(args.source, args.out)
    head = [key for key in kept if key in RRM_HEAD]
    print(f"{args.out}: {len(kept) - len(head)} tensors of ResNet38 and {len(head)} of RRM's head, "
          f'from {args.source}.')
    if left_out:
        print(f'Left out, of neither: {", ".join(left_out)}')


if __name__ == '__main__':
    run_tool(run, parse_args())
