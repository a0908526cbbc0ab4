"""Time a two-branch head against the single head it is built on, on the same batch.

    python tools/analysis_tools/benchmark_heads.py [CONFIG] [--steps N] [--rounds N]

CONFIG has a two-branch head; the single model is the same config with its feature_head as
decode_head. Both take turns, one step each, in one process, so that whatever else the machine does
falls on both; the figure is the median over the pairs of two-branch time / single time.
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


def single_model(model):
    """Config of the single-branch model: the two-branch head gives way to its feature_head."""
    single = copy.deepcopy(model)
    single.decode_head = single.decode_head.feature_head
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


def build(config, model):
    model = MODELS.build(model)
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
    two_train, two_predict = build(config, config.model)
    one_train, one_predict = build(config, single_model(config.model))
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else (
        f'CPU, {torch.get_num_threads()} thread(s)')
    print(f'{config.model.decode_head.type} against {config.model.decode_head.feature_head.type}, '
          f'batch {len(batch["inputs"])}, {device}')
    for name, first, second, data in (
            ('training step', two_train, one_train, batch),
            ('inference', two_predict, one_predict, image)):
        steps = args.steps * (1 if name == 'training step' else 4)
        ratio, two, one = paired_ratio(
            partial(first, data), partial(second, data), steps, args.warmup)
        print(f'{name}: median ratio {ratio:.4f} over {steps} pairs '
              f'(two-branch {two * 1e3:.1f} ms, single {one * 1e3:.1f} ms)')


if __name__ == '__main__':
    main()
