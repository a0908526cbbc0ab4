"""Draw the points and scribbles of a list again and again, and count how many results there are.

    python benchmarks/repeat_labels.py DEVKIT --ann-file LIST [--times N] [--workers N]

Each run draws both for all images, in threads side by side, and hashes every label. One result is
right; the exit code is 1 if there are more. (OpenCV's distances differ from call to call.)
"""
import argparse
import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor

from mmseg_wss.simulation.weak_label_jobs import MakeWeakLabel, find_instances, read_jobs
from mmseg_wss.utils.progress import track

KINDS = 'points', 'scribbles'


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('devkit', metavar='DEVKIT', help='folder in VOC layout, with masks')
    parser.add_argument('--ann-file', required=True, metavar='LIST',
                        help='list of IDs, relative to the folder')
    parser.add_argument('--times', type=int, default=100, help='how many runs')
    parser.add_argument('--workers', type=int, default=4, help='threads')
    return parser.parse_args()


def main():
    args = parse_args()
    jobs = {}
    for kind in KINDS:
        listed, classes = read_jobs(args.devkit, args.ann_file, kind,
                                    instances=find_instances(args.devkit))
        jobs[kind] = MakeWeakLabel(kind, classes), listed

    def digest(make, job):
        return hashlib.sha256(make(*job).tobytes()).digest()

    def run(pool):
        return hashlib.sha256(b''.join(
            label for make, listed in jobs.values()
            for label in pool.map(lambda job, make=make: digest(make, job), listed))).hexdigest()

    with ThreadPoolExecutor(args.workers) as pool:
        results = {run(pool) for _ in track(range(args.times), 'Drawing', total=args.times)}
    images = len(next(iter(jobs.values()))[1])
    print(f'{args.times} runs over {images} images, {" and ".join(KINDS)}: '
          f'{len(results)} different result(s)')
    sys.exit(len(results) != 1)


if __name__ == '__main__':
    main()
