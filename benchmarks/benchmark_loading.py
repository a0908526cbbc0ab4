"""Images per second of our pipeline against mmseg's own, for the strong images of a config.

    python benchmarks/benchmark_loading.py [CONFIG] [--images N]

Both read the same files in one process, image by image in turn: ours through `VOCWeakSegDataset`
and the config's pipeline, mmseg's through ``BaseSegDataset`` and the pipeline in which each of our
transforms is replaced by mmseg's. The figure is the ratio of images per second, ours / mmseg's. A
second line has what AnnNet's input needs besides, the milliseconds of `BoxPriors`, and a third one
those of `seeded`, which our data sets call for each image.
"""
import argparse
import time

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from rich.progress import track

from mmseg_wss.datasets.samplers.seeded_index import SeededIndex
from mmseg_wss.datasets.transforms import BoxPriors
from mmseg_wss.utils.random_state import seeded

THEIRS = {'mmseg_wss.LoadWeakLabels': 'LoadAnnotations', 'mmseg_wss.RandomCrop': 'RandomCrop',
          'mmseg_wss.PackWeakSegInputs': 'PackSegInputs'}


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', nargs='?', default='configs/msrc/single_strong_efflite0_msrc.py')
    parser.add_argument('--images', type=int, default=600, help='images to load with each')
    return parser.parse_args()


def mmseg_dataset(ours):
    """Config of mmseg's data set over the same images as the config `ours`."""
    pipeline = [dict(step, type=THEIRS.get(step.type, step.type)) for step in ours.pipeline
                if step.type != 'mmseg_wss.PseudoMask']
    return dict(
        type='BaseSegDataset', data_root=ours.data_root, ann_file=ours.ann_file, pipeline=pipeline,
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'))


def priors_milliseconds(rounds=200):
    """Median time of `BoxPriors` for 5 boxes in an image of VOC's size."""
    corners = np.random.RandomState(0).uniform(0, (500, 375), (rounds, 5, 2, 2))
    boxes = np.concatenate([corners.min(2), corners.max(2)], -1).astype(np.float32)
    image, times = np.zeros((375, 500, 3), np.uint8), []
    for few in boxes:
        results = dict(img=image, ori_shape=(375, 500), ori_bboxes=few,
                       ori_bboxes_labels=np.arange(1, 6), seg_fields=[])
        begin = time.perf_counter()
        BoxPriors().transform(results)
        times.append(time.perf_counter() - begin)
    return 1000 * np.median(times)


def seeding_milliseconds(rounds=1000):
    begin = time.perf_counter()
    for seed in range(rounds):
        with seeded(seed):
            pass
    return 1000 * (time.perf_counter() - begin) / rounds


def main():
    args = parse_args()
    cv2.setNumThreads(0)  # as in a worker process
    config = Config.fromfile(args.config)
    init_default_scope(config.get('default_scope', 'mmseg'))
    source = config.train_dataloader.dataset.datasets[0]
    ours, theirs = DATASETS.build(source), DATASETS.build(mmseg_dataset(source))
    times = np.zeros((args.images, 2))
    for number in track(range(args.images), 'Loading'):
        index = number % len(ours)
        for which in ((0, 1), (1, 0))[number % 2]:
            np.random.seed(number)  # the same crop and scale for both
            begin = time.perf_counter()
            (ours[SeededIndex(index, number)] if which == 0 else theirs[index])
            times[number, which] = time.perf_counter() - begin
    times = times[len(ours):]  # the first pass fills the file cache
    rate = 1 / times.mean(0)
    print(f'ours {rate[0]:.1f} images/s, mmseg {rate[1]:.1f} images/s: ratio '
          f'{rate[0] / rate[1]:.3f} (median of pairs {np.median(times[:, 1] / times[:, 0]):.3f})')
    print(f'BoxPriors, 5 boxes, 500x375: {priors_milliseconds():.1f} ms')
    print(f'seeded: {seeding_milliseconds():.3f} ms')


if __name__ == '__main__':
    main()
