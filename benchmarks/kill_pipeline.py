"""Kill a pipeline in every stage, start it again, and compare the end with an uninterrupted run.

    python benchmarks/kill_pipeline.py PIPELINE [--work-dir DIR] [--seed N]
                                                 [--cfg-options KEY=VALUE ...]

`tools/train_pipeline.py` is run once without a stop. Then it is run again, and gets SIGKILL once in
each stage, at a random moment of it; a stage that ends before is run anew. Only the pipeline itself
is killed, so its children have to notice. What it leaves is compared: every mask pixel for pixel (a
mask file may also name the checkpoint it was made with, whose file holds times), the last
checkpoint of every training bit for bit (parameters, buffers, optimiser, schedule, random states),
and the numbers of the reports but for times; masks and reports that only one of the two has are
found. Figures are not compared: they show the names of the folders. The exit code is 1 if anything
differs, or a stage could not be killed.
"""
import argparse
import json
import os.path as osp
import random
import re
import shutil
import signal
import sys
import time
from pathlib import Path

from kill_and_resume import COMPARED, same_bits
from killed_processes import empty_folder, finish, start
from mmengine.runner.checkpoint import _load_checkpoint, find_latest_checkpoint

from mmseg_wss.labels.formats.mask_file import read_mask

FIGURES = 'val_panel.png', 'report.png', 'panels.png', 'pipeline.png'
REPORTS = 'report.json', 'pipeline.json'  # with folders for keys
TIMES = 'time', 'data_time'  # what tools/test.py measures of the machine
PIPELINE = osp.join(osp.dirname(osp.dirname(osp.abspath(__file__))), 'tools/train_pipeline.py')


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('pipeline', metavar='PIPELINE', help='pipeline file')
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    parser.add_argument('--work-dir', default='./work_dirs/kill_pipeline')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
                        help='passed to every run; use it to make the run short')
    return parser.parse_args()


def pipeline_command(args, folder):
    options = ['--cfg-options', *args.cfg_options] if args.cfg_options else []
    return [sys.executable, PIPELINE, args.pipeline, '--work-dir', str(folder), *options]


def stage_seconds(log):
    """Seconds of each stage, in order, from what the pipeline printed."""
    found = re.findall(r'\] (\w+): done in (\d+):(\d+):(\d+)', Path(log).read_text())
    return {name: 3600 * int(h) + 60 * int(m) + int(s) for name, h, m, s in found}


def state_of(folder, stage):
    """The state in the stage's mark, or None."""
    mark = folder / stage / 'stage.json'
    return json.loads(mark.read_text())['state'] if mark.exists() else None


def kill_in(stage, folder, process, seconds):
    """Wait for a stage to start, then `seconds` more, and kill; returns whether it was under way"""
    while process.poll() is None and state_of(folder, stage) is None:
        time.sleep(0.05)
    time.sleep(seconds)
    caught = process.poll() is None and state_of(folder, stage) == 'continues'
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()
    return caught


def differences(first, second):
    """What differs between the results of two runs.

    Args:
        first, second (Path): the work dirs, as the pipeline was given them.

    Returns:
        list[str]: names of files, relative to the work dirs; for a checkpoint its training and what
        differs in it.
    """
    names, others = results_of(first), results_of(second)
    different = [f'{name}: only in one run' for name in sorted(names ^ others)]
    for name in sorted(names & others):
        if name.name == 'last_checkpoint':
            one, two = (_load_checkpoint(find_latest_checkpoint(str(root / name.parent)), 'cpu')
                        for root in (first, second))
            different += [f'{name.parent}: {key}' for key in COMPARED
                          if not same_bits(one.get(key), two.get(key))]
        elif read_result(first, name) != read_result(second, name):
            different.append(str(name))
    return different


def results_of(root):
    """The masks, reports and pointers to checkpoints of a run: paths relative to its work dir."""
    def is_result(name):
        if name.name in REPORTS or name.name == 'last_checkpoint':
            return True
        is_figure = name.name in FIGURES or 'vis_data' in name.parts
        return name.suffix == '.png' and not is_figure

    return set(filter(is_result, (path.relative_to(root) for path in root.rglob('*'))))


def read_result(root, name):
    """A mask, its shape and bytes, or a report, its folders relative and without times."""
    if name.suffix == '.png':  # not its record: checkpoints with equal weights differ as files
        mask = read_mask(root / name)
        return mask.shape, mask.tobytes()

    def entries(pairs):
        return {osp.relpath(key, osp.abspath(root)) if osp.isabs(key) else key: value
                for key, value in pairs if key not in TIMES}

    return json.loads((root / name).read_text(), object_pairs_hook=entries)


def main():
    args = parse_args()
    rng = random.Random(args.seed)
    root = empty_folder(args.work_dir)
    whole, killed = root / 'whole', root / 'killed'

    finish(start(pipeline_command(args, whole), root / 'whole.log'), root / 'whole.log')
    stages = stage_seconds(root / 'whole.log')
    print('uninterrupted: ' + ', '.join(f'{name} {n} s' for name, n in stages.items()), flush=True)

    log, caught = root / 'killed.log', 0
    for name, seconds in stages.items():
        for attempt in range(4):
            process = start(pipeline_command(args, killed), log)
            if kill_in(name, killed, process, rng.uniform(0.1, 0.8) * seconds / 2 ** attempt):
                caught += 1
                print(f'{name}: killed', flush=True)
                break
            print(f'{name}: ended before it could be killed', flush=True)
            shutil.rmtree(killed / name)  # it runs anew, and is killed earlier
    finish(start(pipeline_command(args, killed), log), log)
    different = differences(whole, killed)
    masks = sum(name.suffix == '.png' for name in results_of(whole))
    print(f'killed in {caught} of {len(stages)} stages; {masks} masks and '
          f'{len(list(whole.rglob("last_checkpoint")))} trainings compared: '
          f'{"different: " + ", ".join(different[:20]) if different else "equal"}')
    sys.exit(bool(different) or caught < len(stages))


if __name__ == '__main__':
    main()
