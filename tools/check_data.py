"""Look at every file of a config's data sets before a training, and report every fault at once.

    python tools/check_data.py CONFIG [--workers N] [--max-shown N] [--no-model]
                               [--cfg-options KEY=VALUE ...]

Checks the lists, images and labels of training, val and test; true masks of weak images are not
opened. The share of each class is shown, and labels that are strange though no fault are warned of.
Where the files have no fault, the model is built and a batch with images of every training source
runs through its loss, on the CPU and without pretrained weights; --no-model leaves that out. The
exit code is 1 if there is a fault.
"""
import argparse

from mmengine.registry import init_default_scope

from mmseg_wss.engine.data_check import check_data
from mmseg_wss.engine.run_config import add_cfg_options, read_config
from mmseg_wss.utils.cli import add_workers, natural_int, run_tool


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='train config file path')
    add_workers(parser, 'threads that decode files')
    parser.add_argument('--max-shown', type=natural_int, default=100, metavar='N',
                        help='faults shown of one list, 0 for all (default: %(default)s)')
    parser.add_argument('--no-model', dest='model', action='store_false',
                        help='do not build the model and run a batch through its loss')
    add_cfg_options(parser)
    return parser.parse_args()


def run(args):
    """Returns the number of faults."""
    cfg = read_config(args)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    return check_data(cfg, args.workers, args.max_shown, args.model)


if __name__ == '__main__':
    run_tool(run, parse_args())
