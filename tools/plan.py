"""Look at a folder of mixed labels, and write what to train with it, ready to run.

    python tools/plan.py SOURCE --out my_project [--images DIR] [--device cpu|cuda]
                         [--gpu-memory GB] [--seed 0] [--overwrite] [--workers N]

SOURCE is a devkit (docs/own_data.md), a folder in that layout without lists, or what a labelling
tool has exported (docs/import.md). my_project gets plan.md (what was found and chosen, and why),
config.py, pipeline.py and the lists of images; all are ordinary files, to be edited. No option has
to be chosen. With faults in the labels nothing is written, and the exit code is 1.
"""
import argparse
import os.path as osp

from mmseg_wss.utils.cli import add_workers, allow_stop, natural_int, run_tool

if __name__ == '__main__':
    allow_stop()

from mmseg_wss.planning.facts import this_machine
from mmseg_wss.planning.project import commands_of, make_project

ROOT = osp.dirname(osp.dirname(osp.abspath(__file__)))


def gigabytes(text):
    """The type of an option for a memory: GB, above 0."""
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f'expected a number above 0, got {text}')
    return number


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('source', metavar='SOURCE',
                        help='a devkit, a folder in its layout, or an export')
    parser.add_argument('--out', required=True, metavar='DIR', help='the new folder')
    parser.add_argument('--images', metavar='DIR', help='the images of an export (default: those '
                        'in its folder, or beside it)')
    parser.add_argument('--device', choices=('cpu', 'cuda'),
                        help='plan for another machine than this one')
    parser.add_argument('--gpu-memory', type=gigabytes, metavar='GB',
                        help='of a GPU that is not here (default: 16)')
    parser.add_argument('--seed', type=natural_int, default=0, help='of the choice of the images '
                        'that are held out for validation (default: %(default)s)')
    parser.add_argument('--overwrite', action='store_true', help='replace DIR')
    add_workers(parser, 'threads that decode files')
    args = parser.parse_args(argv)
    if args.gpu_memory and args.device != 'cuda':
        parser.error('--gpu-memory belongs to --device cuda')
    return args


def run(args):
    """Returns the number of faults."""
    faults, made = make_project(
        args.source, args.out, osp.join(ROOT, 'configs'),
        this_machine(args.device, args.gpu_memory), args.images, args.seed, args.workers,
        args.overwrite)
    if made:
        plan, facts = made
        print(*(f'{choice.what}: {choice.chosen}' for choice in plan.choices), sep='\n')
        print(*(f'warning: {warning}' for warning in plan.warnings), sep='\n',
              end='\n' if plan.warnings else '')
        print(f'{args.out}: made. plan.md has the reasons. Next:',
              *commands_of(args.out, plan), sep='\n  ')
    return faults


if __name__ == '__main__':
    run_tool(run, parse_args())
