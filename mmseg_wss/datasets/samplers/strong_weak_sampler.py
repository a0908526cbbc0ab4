"""Sampler with an exact number of images of every source in every batch."""
import itertools
import math
from collections import deque
from fractions import Fraction

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mmseg_wss.datasets.samplers.repeat_factors import repeat_factors, source_classes
from mmseg_wss.datasets.samplers.seeded_index import SeededIndex, stream_seed
from mmseg_wss.errors import ConfigError
from mmseg_wss.registry import DATA_SAMPLERS


def split_batch(batch_size, ratio):
    """Split a batch by largest remainder, with at least one image of each source.

    The quota of source i is q_i = batch_size * ratio_i / sum(ratio). Every source gets
    max(1, floor(q_i)); images that are left go to the largest remainders q_i - floor(q_i), the
    first source first among equals; where the minimum of one asked for too much, images are taken
    back from the source that is furthest above its quota.

    Args:
        batch_size (int): images in a batch.
        ratio (Sequence[float]): a positive number for each source.

    Returns:
        list[int]: images of each source in a batch; the sum is `batch_size`.

    Raises:
        ConfigError: a ratio is not positive and finite, or the batch has fewer images than there
            are sources.
    """
    if not ratio or not all(math.isfinite(r) and r > 0 for r in ratio):
        raise ConfigError(
            f'source_ratio must hold a positive number for each source, got {list(ratio)}. To '
            'leave a source out, remove its data set.')
    if batch_size < len(ratio):
        raise ConfigError(
            f'a batch of {batch_size} cannot hold an image of each of {len(ratio)} sources: use a '
            f'batch_size of at least {len(ratio)} per GPU.')
    shares = [Fraction(str(r)) for r in ratio]  # exact: rounding would decide between equals
    quotas = [batch_size * share / sum(shares) for share in shares]
    counts = [max(1, math.floor(q)) for q in quotas]
    while sum(counts) < batch_size:
        counts[max(range(len(ratio)), key=lambda i: quotas[i] - counts[i])] += 1
    while sum(counts) > batch_size:
        counts[max((i for i in range(len(ratio)) if counts[i] > 1),
                   key=lambda i: counts[i] - quotas[i])] -= 1
    return counts


def _check_source(source, number):
    """Wrappers hand plain numbers on: their samples would have no seed of their own."""
    if hasattr(source, 'dataset'):
        raise ConfigError(
            f'source {number} is wrapped in a {type(source).__name__}: the sampler takes as many '
            'images of each source as source_ratio says, as often as it takes, and seeds each. '
            'Put the data set itself into the ConcatDataset.')
    for part in getattr(source, 'datasets', ()):
        _check_source(part, number)


def _one_pass(size, shuffle, generator, factors):
    """The numbers below `size`, each as often as its factor says, rounded up or down by chance."""
    numbers = torch.arange(size)
    if factors is not None:
        further = torch.rand(size, generator=generator, dtype=torch.float64) < factors % 1
        numbers = numbers.repeat_interleave(factors.long() + further)
    if shuffle:
        numbers = numbers[torch.randperm(len(numbers), generator=generator)]
    return numbers.tolist()


def _endless(size, group, shuffle, generator, factors=None):
    """Yield groups of `group` different numbers below `size`, for ever, pass after pass.

    Every pass over the numbers is a new permutation (or the natural order), in which a number comes
    as often as `factors`, float64 (size,), says; once without them. A number that the group has
    already waits for the next group. Where a group spans two passes, numbers that still wait have
    come in the old pass as often as they could, and are left out.
    """
    queue = deque()
    while True:
        chosen, waiting = {}, []
        while len(chosen) < group:
            if not queue:
                waiting.clear()
                queue.extend(_one_pass(size, shuffle, generator, factors))
            number = queue.popleft()
            if number in chosen:
                waiting.append(number)
            chosen[number] = True
        queue.extendleft(reversed(waiting))
        yield list(chosen)


@DATA_SAMPLERS.register_module()
class StrongWeakSampler(Sampler):
    """Yield indices so that every batch holds an exact number of images of every source.

    A batch of b images on each of R ranks takes R * c_i images of source i from that source's own
    endless stream, where c = ``split_batch(batch_size, source_ratio)``; the ranks share them out,
    so no two ranks see the same image in the same step. A source is reshuffled only when used up.
    The order depends on the seed and the world size alone. Within a batch the sources keep the
    order of the data sets. The indices are `SeededIndex`.

    In iteration loops (``by_epoch=False``) the stream never ends. In epoch loops
    (``by_epoch=True``) an epoch has `epoch_images` images, or it is one pass over the source that
    takes the most batches (the weak one, as a rule). The next epoch goes on where the last one
    ended.

    With `repeat_threshold` t a pass over a source holds images with rare classes several times: a
    class that a share f < t of its images has comes sqrt(t / f) times as often (`repeat_factors`),
    but an image never twice in a step. The labels of all images are read for that when the training
    begins, which takes about a minute for 10 000 masks and shows how far it is. An epoch is as long
    as without it.

    Args:
        dataset (Sized): a ``ConcatDataset`` with one data set for each source, or a single data
            set, which is the only source then.
        batch_size (int): images per rank and step; the same as the dataloader's.
        source_ratio (Sequence[float]): share of each source, [1, 1] for halves.
        shuffle (bool): False goes through each source in its own order.
        seed (int, optional): the same on all ranks; drawn and shared when None.
        by_epoch (bool): True in an ``EpochBasedTrainLoop``.
        epoch_images (int, optional): images of an epoch, of all sources and ranks, filled up to
            whole batches. With it trainings with different sources are equally long.
        repeat_threshold (float, optional): t, in 0..1, such as 0.3; None takes each image once.

    Raises:
        ConfigError: as many ratios as sources were expected; a source is wrapped
            (RepeatDataset); a source is empty, or has fewer images
            than all ranks together need of it in one step; `epoch_images` below 1;
            `repeat_threshold` out of range, or of a source that has no class_table();
            `split_batch`'s reasons.
        DataError: with `repeat_threshold`, a label has faults.
    """

    def __init__(self, dataset, batch_size, source_ratio=(1, ), shuffle=True, seed=None, *,
                 by_epoch=False, epoch_images=None, repeat_threshold=None):
        self.rank, self.world_size = get_dist_info()
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.by_epoch = by_epoch
        if epoch_images is not None and epoch_images < 1:
            raise ConfigError(f'epoch_images must be at least 1, got {epoch_images}.')
        self.epoch_images = epoch_images
        if repeat_threshold is not None and not 0 < repeat_threshold <= 1:
            raise ValueError('repeat_threshold is a share of the images and must be in 0..1, got '
                             f'{repeat_threshold}. None switches it off.')

        sources = getattr(dataset, 'datasets', [dataset])
        for number, source in enumerate(sources):
            _check_source(source, number)
        self.sizes = [len(source) for source in sources]
        if len(source_ratio) != len(self.sizes):
            raise ConfigError(
                f'source_ratio has {len(source_ratio)} numbers ({list(source_ratio)}) but there '
                f'are {len(self.sizes)} sources: give one number for each data set of the '
                'ConcatDataset.')
        self.source_ratio = list(source_ratio)
        self.counts = split_batch(batch_size, source_ratio)
        for number, (size, count) in enumerate(zip(self.sizes, self.counts)):
            if size < count * self.world_size:
                raise ConfigError(
                    f'source {number} has {size} images, but a step takes {count} different '
                    f'images of it on each of {self.world_size} rank(s): use a smaller batch_size, '
                    'a smaller share in source_ratio, or more images.')
        self._factors = [None] * len(sources)
        if repeat_threshold is not None:
            self._factors = [
                torch.from_numpy(repeat_factors(source_classes(source, number), repeat_threshold))
                for number, source in enumerate(sources)]
        self._position = 0  # samples of this rank that lie behind

    def _steps(self):
        """Yield the indices of this rank, step by step, from the first step on."""
        offsets = [0, *itertools.accumulate(self.sizes)]
        streams = [
            _endless(size, count * self.world_size, self.shuffle,
                     torch.Generator().manual_seed(stream_seed(self.seed, number, 0)), factors)
            for number, (size, count, factors) in enumerate(
                zip(self.sizes, self.counts, self._factors))]
        for groups in zip(*streams):
            yield [offset + index for group, count, offset in zip(groups, self.counts, offsets)
                   for index in group[self.rank * count:(self.rank + 1) * count]]

    def __iter__(self):
        position = self._position
        stream = itertools.islice(
            itertools.chain.from_iterable(self._steps()), position,
            position - position % len(self) + len(self) if self.by_epoch else None)
        for index in stream:
            yield SeededIndex(index, stream_seed(self.seed, self.rank, position))
            position += 1

    def __len__(self):
        """Samples of this rank in an epoch."""
        if self.epoch_images is not None:
            steps = math.ceil(self.epoch_images / (self.batch_size * self.world_size))
        else:
            steps = max(math.ceil(size / (count * self.world_size))
                        for size, count in zip(self.sizes, self.counts))
        return steps * self.batch_size

    def set_epoch(self, epoch):
        """Start the next iteration at `epoch`; mmengine says so before every epoch."""
        if self.by_epoch:
            self._position = epoch * len(self)

    def skip(self, num_samples):
        """Start the next iteration behind the first `num_samples` samples of this rank.

        Absolute, from the start of the stream; nothing is loaded. mmengine resumes an iteration
        loop with it.

        Raises:
            ValueError: `num_samples` is negative.
        """
        if num_samples < 0:
            raise ValueError(f'num_samples must not be negative, got {num_samples}.')
        self._position = num_samples
