"""Time a two-branch head against the single head it is built on, on the same batch.

    python benchmarks/benchmark_heads.py [CONFIG] [--steps N] [--warmup N]

CONFIG has a two-branch head. Its single-head counterpart is the same network with the feature_head
as decode_head and the layers of one branch as classifier: the mixed-dual-head paper's baseline,
whose structure is that of the two-branch network at inference. A second counterpart is mmseg's
head with its own bare classifier. Both models of a pair take turns, one step each, in one process,
so that whatever else the machine does falls on both; the figure is the median over the pairs of
two-branch time / single time.
"""
import argparse
import copy
import time
from functools import partial

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import MODELS
from rich.progress import track


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', nargs='?', default='configs/msrc/mixed_dual_efflite0_msrc.py')
    parser.add_argument('--steps', type=int, default=30, help='pairs of steps')
    parser.add_argument('--warmup', type=int, default=3, help='pairs that are not counted')
    return parser.parse_args()


def single_model(model, bare):
    """Build the single-head counterpart of a two-branch model's config.

    Args:
        model (dict): config of the two-branch model.
        bare (bool): keep the feature_head's classifier, instead of the layers of a branch.
    """
    single = copy.deepcopy(model)
    single.decode_head = dict(
        single.decode_head.feature_head, num_classes=single.decode_head.num_classes)
    single = MODELS.build(single)
    if not bare:
        single.decode_head.conv_seg = MODELS.build(model.decode_head).strong_branch
    return single


def synchronized_time():
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def paired_ratio(first, second, steps, warmup):
    """Median of time(first) / time(second) over pairs of calls, and both medians in seconds.

    The order within a pair alternates.
    """
    times = np.zeros((steps + warmup, 2))
    for pair in track(range(steps + warmup), 'Timing'):
        for which in ((0, 1), (1, 0))[pair % 2]:
            begin = synchronized_time()
            (first, second)[which]()
            times[pair, which] = synchronized_time() - begin
    times = times[warmup:]
    return np.median(times[:, 0] / times[:, 1]), *np.median(times, axis=0)


def prepare(model):
    """Return the training step and the inference of a model, as functions of a batch."""
    model.init_weights()
    model = model.to('cuda' if torch.cuda.is_available() else 'cpu')
    optimizer = torch.optim.AdamW(model.parameters(), 1e-5)

    def train_step(batch):
        model.train()
        data = model.data_preprocessor(copy.deepcopy(batch), True)
        loss, _ = model.parse_losses(model(**data, mode='loss'))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def inference(batch):
        model.eval()
        with torch.no_grad():
            data = model.data_preprocessor(copy.deepcopy(batch), False)
            model(**data, mode='predict')

    return train_step, inference


def main():
    args = parse_args()
    config = Config.fromfile(args.config)
    init_default_scope(config.get('default_scope', 'mmseg'))
    torch.manual_seed(0)
    batch = next(iter(Runner.build_dataloader(config.train_dataloader, seed=0)))
    image = next(iter(Runner.build_dataloader(config.val_dataloader, seed=0)))
    two_branch = prepare(MODELS.build(copy.deepcopy(config.model)))
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else (
        f'CPU, {torch.get_num_threads()} thread(s)')
    head = config.model.decode_head
    print(f'{head.type} over {head.feature_head.type}, batch {len(batch["inputs"])}, {device}')
    for name, bare in (('same prediction layers', False), ('bare classifier', True)):
        single = prepare(single_model(config.model, bare))
        for phase, number, data, steps in (('training step', 0, batch, args.steps),
                                           ('inference', 1, image, 4 * args.steps)):
            ratio, two, one = paired_ratio(
                partial(two_branch[number], data), partial(single[number], data), steps,
                args.warmup)
            print(f'{phase}, against a single head with {name}: median ratio {ratio:.4f} over '
                  f'{steps} pairs ({two * 1e3:.1f} ms, {one * 1e3:.1f} ms)', flush=True)


if __name__ == '__main__':
    main()
