"""Make masks of weak images with an AnnNet and train a SegNet with them, from one command.

    python tools/train_pipeline.py PIPELINE [--work-dir DIR] [--dry-run] [--gpus N] [--workers N]
                                            [--cfg-options KEY=VALUE ...]

Runs proposals, then rounds times (AnnNet, pseudo masks), then SegNet, then the evaluation; each has
a folder in the work dir. It only calls the other tools, and prints each call as one could type it.
Stopped or killed at any moment and started again, it goes on where it was; with --dry-run it shows
what it would do. A stage that was made from other options or configs than those of now is an error:
nothing is mixed. Ends with a table, pipeline.json and pipeline.png in the folder of the evaluation.
"""
import argparse
import json
import os
import os.path as osp
import signal
import sys
import time
from datetime import timedelta

from mmseg_wss.pipeline.folder_lock import folder_lock
from mmseg_wss.pipeline.pipeline_file import check_method, read_pipeline, split_options
from mmseg_wss.pipeline.plan import plan_stages
from mmseg_wss.pipeline.stage import (
    CONTINUES,
    DONE,
    LastCheckpoint,
    PipelineError,
    mark_done,
    mark_started,
    shell_text,
    stage_state,
)
from mmseg_wss.pipeline.supervisor import run_supervised
from mmseg_wss.utils.fileio import atomic_path

TOOLS = osp.dirname(osp.abspath(__file__))


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('pipeline', metavar='PIPELINE',
                        help='pipeline file, such as configs/msrc/pipelines/mixed_dual_msrc.py')
    parser.add_argument('--work-dir', help='the dir for the folders of all stages '
                        '(default: ./work_dirs/ and the name of the pipeline file)')
    parser.add_argument('--dry-run', action='store_true',
                        help='print the stages, their states and commands, and do nothing')
    parser.add_argument('--gpus', type=int, default=1, metavar='N',
                        help='processes of trainings and predictions (default: %(default)s)')
    parser.add_argument('--workers', type=int, default=min(8, os.cpu_count()), metavar='N',
                        help='processes that make proposals (default: %(default)s)')
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
        help='override settings of the pipeline (rounds=2, pseudo_masks.tau=0.8); any other key '
        'goes to the configs of both networks (train_cfg.max_iters=500)')
    args = parser.parse_args()
    if args.gpus < 1 or args.workers < 1:
        parser.error('--gpus and --workers must be at least 1')
    if args.work_dir is None:
        name = osp.splitext(osp.basename(args.pipeline))[0]
        args.work_dir = osp.join('./work_dirs', name)
    return args


def show_plan(stages):
    for number, stage in enumerate(stages, 1):
        print(f'[{number}/{len(stages)}] {stage.name}: {stage_state(stage)}')
        for command in stage.commands:
            print(f'  {shell_text(command)}')


def check_truth(pipeline):
    """Hours before it is read."""
    truth = pipeline.get('evaluation', {}).get('truth')
    if truth is not None and not osp.isdir(truth):
        raise PipelineError(f'evaluation.truth: there is no folder {truth}. Correct it, or leave '
                            'the masks unmeasured with --cfg-options evaluation=None.')


def run_stages(stages, lock):
    for stage in stages:
        stage_state(stage)  # an error of a late one shall not come after hours
    for number, stage in enumerate(stages, 1):
        title, state = f'[{number}/{len(stages)}] {stage.name}', stage_state(stage)
        if state == DONE:
            print(f'{title}: done before', flush=True)
            continue
        print(f'{title}{": continues" if state == CONTINUES else ""} ...', flush=True)
        begin = time.monotonic()
        mark_started(stage)
        for command in stage.commands:
            run_command(stage, command, lock)
        mark_done(stage)
        seconds = round(time.monotonic() - begin)
        print(f'{title}: done in {timedelta(seconds=seconds)}', flush=True)


def run_command(stage, command, lock):
    command = [part.path() if isinstance(part, LastCheckpoint) else part for part in command]
    # the scripts for several processes start "python": this one
    path = os.pathsep.join([osp.dirname(sys.executable), os.environ.get('PATH', os.defpath)])
    environment = dict(os.environ, PATH=path, PYTHONUNBUFFERED='1')
    log_path = osp.join(stage.folder, 'output.log')
    print(shell_text(command), flush=True)
    with open(log_path, 'ab') as log:
        log.write(f'# {time.strftime("%Y-%m-%d %H:%M:%S")}\n{shell_text(command)}\n'.encode())
        code = run_supervised(command, log, lock, environment)
    if code:
        raise PipelineError(f'{stage.name} failed with exit code {code}; what it printed is in '
                            f'{log_path}. Mend the cause and start again: it goes on from here.')


def write_report(stages):
    # not above: it loads matplotlib, which takes longer than to plan
    from mmseg_wss.pipeline import report as pipeline_report
    report = pipeline_report.collect(stages)
    folder = stages[-1].folder
    with atomic_path(osp.join(folder, 'pipeline.json')) as temporary:
        temporary.write_text(json.dumps(report, indent=1))
    pipeline_report.draw(osp.join(folder, 'pipeline.png'), report)
    print(pipeline_report.tables(report))
    print(f'pipeline.json and pipeline.png written into {folder}')


def main():
    args = parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    own, options = split_options(args.cfg_options)
    pipeline = read_pipeline(args.pipeline, own)
    stages = plan_stages(pipeline, args.work_dir, TOOLS, args.gpus, args.workers, options)
    if args.dry_run:
        check_method(args.pipeline, pipeline)
        show_plan(stages)
        return
    check_truth(pipeline)
    with folder_lock(osp.abspath(args.work_dir)) as lock:
        run_stages(stages, lock)
        write_report(stages)


if __name__ == '__main__':
    try:
        main()
    except PipelineError as error:
        sys.exit(f'train_pipeline: {error}')
    except KeyboardInterrupt:
        sys.exit('train_pipeline: stopped. Start it again to go on from here.')
