"""Time the bilateral filter, the dense CRF, the dense energy loss and the mining of labels.

    python benchmarks/benchmark_ops.py [--parts filter growth crf loss mining]
        [--threads 1 2] [--rounds N] [--device cpu|cuda] [--image FILE] [--sketch FILE]

What a table compares takes turns, in changing order and in one process, so that whatever else the
machine does falls on all alike: times are medians over the rounds, ratios are medians of the
rounds' ratios. Everything runs once before the clock starts (and is compiled).

--sketch names a Python file with another filter, ``bilateral(images, values, sigma_rgb, sigma_xy)``
for arrays (N, 3, H, W) and (N, H W, K), to print the ratio to it. It is given its own layout of
values, at no cost.

The part 'mining' labels 8 images of 321x321 with two tags each, and trains ResNet-38 with them for
a step, which takes a minute or two on a CPU and 8 GB of memory.
"""
import argparse
import importlib
import sys
import time
from functools import partial
from pathlib import Path

import numba
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from prettytable import PrettyTable
from rich.console import Console
from rich.progress import track

from mmseg_wss.ops import BilateralFilter, DenseCRF, bilateral_filter, dense_crf

FILTERS = [(4, 21, 160, 160), (1, 21, 375, 500), (4, 1, 160, 160), (4, 81, 160, 160)]
GROWTH = (100, 200, 400, 800)
SIGMAS = 15., 50.  # of colour and place


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = list(PARTS)
    parser.add_argument('--parts', nargs='+', choices=parts, default=parts)
    parser.add_argument('--threads', nargs='+', type=int, default=[1, 2],
                        help='numbers of threads (default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=15, help='(default: %(default)s)')
    parser.add_argument('--device', default='cpu', help='(default: %(default)s)')
    parser.add_argument('--image', metavar='FILE', help='a photograph, instead of a made-up one')
    parser.add_argument('--sketch', metavar='FILE', help='another filter to compare with')
    args = parser.parse_args()
    if min(args.rounds, *args.threads) < 1:
        parser.error('--rounds and --threads must be at least 1')
    if args.sketch and args.device != 'cpu':
        parser.error('--sketch goes with --device cpu')
    torch.set_default_device(args.device)
    return args


def make_images(args, number, height, width):
    """RGB in 0..255, (N, 3, H, W): the photograph of the options, or smooth colours with noise."""
    if args.image:
        image = Image.open(args.image).convert('RGB').resize((width, height), Image.BILINEAR)
        image = torch.tensor(np.array(image)).permute(2, 0, 1).float()
        return image.expand(number, -1, -1, -1).contiguous()
    generator = torch.Generator(args.device).manual_seed(0)
    colours = 255 * torch.rand(number, 3, 8, 10, generator=generator)
    images = F.interpolate(colours, size=(height, width), mode='bicubic')
    return (images + 3 * torch.randn(images.shape, generator=generator)).round().clamp(0, 255)


def make_probs(number, classes, height, width):
    generator = torch.Generator(torch.get_default_device()).manual_seed(1)
    logits = 2 * torch.randn(number, classes, 12, 16, generator=generator)
    return F.interpolate(logits, size=(height, width), mode='bicubic').softmax(1)


def measure(functions, rounds):
    """Seconds (rounds, len(functions)) of functions that take turns."""
    for function in functions:
        function()
    seconds = np.zeros((rounds, len(functions)))
    for number in track(range(rounds), 'Timing', console=Console(stderr=True), transient=True):
        for which in range(len(functions))[::(-1) ** number]:
            begin = time.perf_counter()
            functions[which]()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds[number, which] = time.perf_counter() - begin
    return seconds


def milliseconds(seconds):
    return f'{1e3 * np.median(seconds):.1f}'


def ratio(first, second):
    return f'{np.median(first / second):.2f}'


def load_sketch(path):
    """Import a file under its own name, by which Numba finds what it compiled before."""
    path = Path(path)
    sys.path.insert(0, str(path.parent))
    return importlib.import_module(path.stem)


def set_threads(number):
    torch.set_num_threads(number)
    numba.set_num_threads(min(number, numba.config.NUMBA_NUM_THREADS))  # for a sketch


def time_filter(args):
    sketch = load_sketch(args.sketch) if args.sketch else None
    table = PrettyTable(['bilateral filter, N K H W', 'threads', 'ms', 'of it build']
                        + (['sketch ms', 'ratio to sketch'] if sketch else []))
    for shape in FILTERS:
        images, values = make_images(args, shape[0], *shape[2:]), make_probs(*shape)
        functions = [partial(bilateral_filter, values, images, *SIGMAS),
                     partial(BilateralFilter, images, *SIGMAS)]
        if sketch:
            functions.append(partial(
                sketch.bilateral, images.numpy(),
                values.flatten(2).transpose(1, 2).contiguous().numpy(), *SIGMAS))
        for threads in args.threads:
            set_threads(threads)
            seconds = measure(functions, args.rounds).T
            table.add_row([shape, threads, *map(milliseconds, seconds), *(
                [ratio(seconds[0], seconds[2])] if sketch else [])])
    return table


def time_growth(args):
    table = PrettyTable(['bilateral filter, K = 21', 'threads', 'ms', 'ns per pixel'])
    for threads in args.threads:
        set_threads(threads)
        seconds = measure([partial(
            bilateral_filter, make_probs(1, 21, side, side), make_images(args, 1, side, side),
            *SIGMAS) for side in GROWTH], args.rounds).T
        for side, times in zip(GROWTH, seconds):
            table.add_row([f'{side} x {side}', threads, milliseconds(times),
                           f'{1e9 * np.median(times) / side ** 2:.0f}'])
    return table


def infer_twice(probs, images):
    DenseCRF(images)(torch.stack((probs, probs), 1))


def time_crf(args):
    """The library has one thread, whatever the options say."""
    table = PrettyTable(['dense CRF, 375 x 500', 'threads', 'ms', 'of it build', 'pydensecrf ms',
                         'pydensecrf / ours', 'two with one build / one'])
    images = make_images(args, 1, 375, 500)
    for classes in (3, 21):
        probs = make_probs(1, classes, 375, 500)
        for threads in args.threads:
            set_threads(threads)
            ours, build, two, library = measure([
                partial(dense_crf, probs, images), partial(DenseCRF, images),
                partial(infer_twice, probs, images),
                partial(dense_crf, probs, images, backend='pydensecrf')], args.rounds).T
            table.add_row([f'K = {classes}', threads, *map(milliseconds, (ours, build, library)),
                           ratio(library, ours), ratio(two, ours)])
    return table


def time_loss(args):
    from mmseg_wss.models.losses import DenseEnergyLoss
    table = PrettyTable(['dense energy loss at scale 0.5, N K H W', 'threads',
                         'forward and backward, ms'])
    shape = 8, 21, 320, 320
    loss = DenseEnergyLoss()
    images, probs = make_images(args, 8, 320, 320), make_probs(*shape).requires_grad_()
    labels = torch.where(probs.amax(1) > 0.9, probs.argmax(1), 255)
    valid = torch.ones(8, 320, 320)
    for threads in args.threads:
        set_threads(threads)
        seconds = measure([lambda: torch.autograd.grad(loss(images, probs, labels, valid), probs)],
                          args.rounds)
        table.add_row([shape, threads, milliseconds(seconds)])
    return table


def time_mining(args):
    from mmseg_wss.models.backbones import ResNet38
    from mmseg_wss.pseudo_labels import mine_labels
    table = PrettyTable(['8 images of 321 x 321', 'threads', 'mining, ms',
                         'forward and backward of ResNet-38, ms', 'mining / network'])
    images, network = make_images(args, 8, 321, 321), ResNet38().train()
    tags = torch.zeros(8, 20)
    tags[:, [3, 11]] = 1
    cams = make_probs(8, 20, 321, 321) * tags[:, :, None, None]
    cams = cams / (cams.amax((2, 3), keepdim=True) + 1e-5)
    for threads in args.threads:
        set_threads(threads)
        mining = measure([partial(mine_labels, images, cams, tags)], args.rounds)
        step = measure([lambda: network(images / 255)[-1].mean().backward()], 1)
        table.add_row(['', threads, milliseconds(mining), milliseconds(step),
                       f'{np.median(mining) / np.median(step):.3f}'])
    return table


PARTS = dict(filter=time_filter, growth=time_growth, crf=time_crf, loss=time_loss,
             mining=time_mining)


def main():
    args = parse_args()
    for part in args.parts:
        print(PARTS[part](args), flush=True)


if __name__ == '__main__':
    main()
