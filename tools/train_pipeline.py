"""Run the stages of a method, such as masks and a training with them, from one command.

    python tools/train_pipeline.py PIPELINE [--work-dir DIR] [--dry-run] [--gpus N] [--workers N]
                                            [--cfg-options KEY=VALUE ...]

PIPELINE lists the stages (mmseg_wss/pipeline/pipeline_file.py); each has a folder in the work dir.
It only calls the other tools, and prints each call as one could type it. Stopped or killed at any
moment and started again, it goes on where it was; with --dry-run it shows what it would do. A stage
that was made from other options or configs than those of now is an error: nothing is mixed. Ends
with a table and, in the work dir, one page, report.html (with what plan.md beside PIPELINE says,
where there is one), pipeline.json and pipeline.png.
"""
import argparse
import os.path as osp
import signal
import sys
from pathlib import Path

from mmseg_wss.pipeline.folder_lock import folder_lock
from mmseg_wss.pipeline.pipeline_file import read_pipeline, work_dir_of
from mmseg_wss.pipeline.plan import plan_stages
from mmseg_wss.pipeline.runner import check_commands, check_folders, run_stages, show_plan
from mmseg_wss.pipeline.stage import PipelineError
from mmseg_wss.utils.cli import add_workers, positive_int

TOOLS = osp.dirname(osp.abspath(__file__))


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('pipeline', metavar='PIPELINE',
                        help='pipeline file, such as configs/msrc/pipelines/mixed_dual_msrc.py')
    parser.add_argument('--work-dir', help='the dir for the folders of all stages '
                        '(default: that of the pipeline file, else ./work_dirs/ and its name)')
    parser.add_argument('--dry-run', action='store_true',
                        help='print the stages, their states and commands, and do nothing')
    parser.add_argument('--gpus', type=positive_int, default=1, metavar='N',
                        help='processes of trainings and predictions (default: %(default)s)')
    add_workers(parser, 'processes that make proposals')
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
        help='override variables of the pipeline file (rounds=2, tau=0.8); any other key goes to '
        'the configs of all stages (train_cfg.max_iters=500)')
    args = parser.parse_args()
    if args.work_dir is None:
        args.work_dir = work_dir_of(args.pipeline)
    return args


def main():
    args = parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

    def read():
        specs, options = read_pipeline(args.pipeline, args.cfg_options, args.work_dir)
        return specs, plan_stages(specs, args.work_dir, TOOLS, args.gpus, args.workers, options)

    specs, stages = read()
    check_commands(stages, TOOLS)
    if args.dry_run:
        show_plan(stages)
        return
    check_folders(specs)
    with folder_lock(osp.abspath(args.work_dir)) as lock:
        stages = run_stages(lambda: read()[1], lock)
        # not above: it loads matplotlib, which takes longer than to plan
        from mmseg_wss.pipeline.report import write_report
        plan = Path(args.pipeline).with_name('plan.md')
        write_report(stages, args.work_dir, plan.read_text('utf-8') if plan.is_file() else None)


if __name__ == '__main__':
    try:
        main()
    except (OSError, PipelineError) as error:
        sys.exit(f'train_pipeline: {error}')
    except KeyboardInterrupt:
        sys.exit('train_pipeline: stopped. Start it again to go on from here.')
