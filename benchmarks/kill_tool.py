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
import random
import sys
import time
from pathlib import Path

from killed_processes import empty_folder, finish, kill, start


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('command', nargs='+', metavar='COMMAND', help='with {out} for the output')
    parser.add_argument('--times', type=int, default=8, help='how often to kill')
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    parser.add_argument('--ignore', nargs='*', default=[], metavar='PATTERN',
                        help='files that are not compared')
    parser.add_argument('--work-dir', default='./work_dirs/kill_tool')
    return parser.parse_args()


def start_tool(command, out):
    return start([part.replace('{out}', str(out)) for part in command], f'{out}.log')


def finish_tool(command, out):
    """Run the command to its end; returns the seconds that it took."""
    begin = time.monotonic()
    finish(start_tool(command, out), f'{out}.log')
    return time.monotonic() - begin


def contents(out, ignore):
    """Digests of the files of a folder, or of the file, by their place in it."""
    files = filter(Path.is_file, out.rglob('*')) if out.is_dir() else [out]
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if not path.name.endswith('.lock') and not any(map(path.match, ignore))}


def main():
    args = parse_args()
    rng = random.Random(args.seed)
    root = empty_folder(args.work_dir)

    seconds = finish_tool(args.command, root / 'whole')
    truth = contents(root / 'whole', args.ignore)
    print(f'uninterrupted: {len(truth)} files, {seconds:.1f} s', flush=True)
    equal = 0
    for number in range(args.times):
        out = root / f'killed_{number}'
        process = start_tool(args.command, out)
        time.sleep(rng.uniform(0.2, 0.9) * seconds)
        killed = kill(process)
        left = len(contents(out, args.ignore)) if out.exists() else 0
        finish_tool(args.command, out)
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
