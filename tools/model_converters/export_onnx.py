"""Write a trained network as a file that runs without mmseg: ONNX, or PyTorch's export.

    python tools/model_converters/export_onnx.py CONFIG CHECKPOINT OUT [--torch-export]
                                                 [--trust-checkpoint] [--cfg-options KEY=VALUE ...]

Of a two-branch head, the strong branch is written. OUT takes images of any size and gives labels
and probabilities of the same size; it is compared with PyTorch's own output at two sizes before it
is kept. OUT.json, and the metadata of an ONNX file, say what is done to an image beforehand.
docs/deploy.md shows a program that uses the file.
"""
import argparse
import os.path as osp

from mmseg_wss.engine.run_config import (
    add_cfg_options,
    add_trust_option,
    read_config,
    trust_checkpoints,
)
from mmseg_wss.utils.cli import run_tool


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='config of the training')
    parser.add_argument('checkpoint', help='checkpoint of the training')
    parser.add_argument('out', help='file to write, such as network.onnx')
    parser.add_argument('--torch-export', action='store_true',
                        help="an exported program of PyTorch instead (network.pt2), which "
                             'torch.export.load reads')
    add_trust_option(parser)
    add_cfg_options(parser)
    return parser.parse_args()


def run(args):
    from mmseg_wss.models.converters.export_network import export_onnx, export_torch
    from mmseg_wss.models.converters.inference_network import (
        describe_preprocessing,
        load_inference_network,
    )
    trust_checkpoints(args)
    config = read_config(args)
    network, meta = load_inference_network(config, args.checkpoint)
    description = describe_preprocessing(config, network, meta)
    export = export_torch if args.torch_export else export_onnx
    difference = export(network, description, args.out)
    print(f'{args.out}: {osp.getsize(args.out) / 1e6:.1f} MB, sides are multiples of '
          f'{description["size_divisor"]}; probabilities differ from those of PyTorch by at most '
          f'{difference:.1g}. {args.out}.json says how images are prepared.')
    if description['window']:
        print('The config predicts in windows; the file takes an image in one piece. See window in '
              f'{args.out}.json.')


if __name__ == '__main__':
    run_tool(run, parse_args())
