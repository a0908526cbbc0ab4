"""Kill a tool at random moments, start it again, and compare what it leaves with a whole run.

    python benchmarks/kill_tool.py [--times N] [--seed N] [--work-dir DIR] -- COMMAND ...

COMMAND is a shell's, with ``{out}`` where it writes: a file or a folder. It is run once without a
stop, then N times into a new place: SIGKILL to all its processes at a random moment, and again to
its end. The files, their names and their bytes must be those of the whole run. Two are left out:
locks, and the journals named with --ignore (patterns), which hold times. The exit code is 1 if any
differs, or a run ended before it could be killed.
"""
import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('command', nargs='+', metavar='COMMAND', help='with {out} for the output')
    parser.add_argument('--times', type=int, default=8, help='how often to kill')
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    parser.add_argument('--ignore', nargs='*', default=[], metavar='PATTERN',
                        help='files that are not compared')
    parser.add_argument('--work-dir', default='./work_dirs/kill_tool')
    return parser.parse_args()


def start(command, out):
    with open(f'{out}.log', 'a') as log:
        return subprocess.Popen([part.replace('{out}', str(out)) for part in command],
                                stdout=log, stderr=subprocess.STDOUT, start_new_session=True)


def finish(command, out):
    """Run the command to its end; returns the seconds that it took."""
    begin = time.monotonic()
    if code := start(command, out).wait():
        raise SystemExit(f'the command failed with exit code {code}: see {out}.log')
    return time.monotonic() - begin


def contents(out, ignore):
    """Digests of the files of a folder, or of the file, by their place in it."""
    files = [path for path in out.rglob('*') if path.is_file()] if out.is_dir() else [out]
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if not path.name.endswith('.lock') and not any(map(path.match, ignore))}


def main():
    args = parse_args()
    rng = random.Random(args.seed)
    root = Path(args.work_dir)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)

    seconds = finish(args.command, root / 'whole')
    truth = contents(root / 'whole', args.ignore)
    print(f'uninterrupted: {len(truth)} files, {seconds:.1f} s', flush=True)
    equal = 0
    for number in range(args.times):
        out = root / f'killed_{number}'
        process = start(args.command, out)
        time.sleep(rng.uniform(0.2, 0.9) * seconds)
        killed = process.poll() is None
        if killed:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        left = len(contents(out, args.ignore)) if out.exists() else 0
        finish(args.command, out)
        result = contents(out, args.ignore)
        different = sorted(name for name in truth.keys() | result.keys()
                           if truth.get(name) != result.get(name))
        equal += killed and not different
        print(f'{number + 1}: {"killed" if killed else "ended before it could be killed"} with '
              f'{left} files: {"different " + ", ".join(different[:5]) if different else "equal"}',
              flush=True)
    print(f'the same bytes after SIGKILL and a second start: {equal} of {args.times}')
    sys.exit(equal != args.times)


if __name__ == '__main__':
    main()
