"""The stream of indices, against brute force and against what the words promise."""
import itertools
import pickle
import random
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from torch.utils.data import ConcatDataset

from mmseg_wss.datasets.samplers import StrongWeakSampler, split_batch, strong_weak_sampler
from mmseg_wss.datasets.samplers.seeded_index import SeededIndex

SIZES = (7, 23)


def make(batch_size=4, ratio=(1, 1), sizes=SIZES, seed=0, dataset=None, **kwargs):
    dataset = dataset or ConcatDataset([range(size) for size in sizes])
    return StrongWeakSampler(dataset, batch_size, ratio, seed=seed, **kwargs)


@pytest.fixture
def ranks(monkeypatch):
    """Build the samplers of all ranks of a world."""
    def build(world_size, *args, **kwargs):
        samplers = []
        for rank in range(world_size):
            info = rank, world_size
            monkeypatch.setattr(strong_weak_sampler, 'get_dist_info', lambda info=info: info)
            samplers.append(make(*args, **kwargs))
        return samplers
    return build


def take(sampler, number):
    return list(itertools.islice(sampler, number))


def batches(sampler, number):
    stream, size = iter(sampler), sampler.batch_size
    return [take(stream, size) for _ in range(number)]


def sources(stream, sizes=SIZES):
    """Split global indices into the local ones of each source, in the order of the stream."""
    bounds = [0, *itertools.accumulate(sizes)]
    return [[i - low for i in stream if low <= i < high] for low, high in zip(bounds, bounds[1:])]


def seeds(stream):
    return [index.seed for index in stream]


def assert_same(stream, other):
    """Images and seeds."""
    assert stream == other
    assert seeds(stream) == seeds(other)


# ---- split_batch

def compositions(total, parts):
    if parts == 1:
        yield (total, )
        return
    for first in range(1, total - parts + 2):
        for rest in compositions(total - first, parts - 1):
            yield (first, *rest)


def distance(counts, quotas, power):
    return sum(abs(c - q) ** power for c, q in zip(counts, quotas))


def many_splits():
    rng = random.Random(0)
    for _ in range(400):
        ratio = [rng.choice([1, 1, 7, 1464, rng.randint(1, 500), rng.randint(500, 2000)])
                 for _ in range(rng.randint(1, 4))]
        yield rng.randint(len(ratio), 14), ratio


def test_split_is_the_composition_nearest_to_the_quotas():
    bound = 0
    for batch_size, ratio in many_splits():
        quotas = [Fraction(batch_size * r, sum(ratio)) for r in ratio]
        split = split_batch(batch_size, ratio)
        everything = list(compositions(batch_size, len(ratio)))
        assert tuple(split) in everything, (batch_size, ratio)
        for power in (1, 2):
            nearest = min(distance(counts, quotas, power) for counts in everything)
            assert distance(split, quotas, power) == nearest, (batch_size, ratio, split)
        bound += min(quotas) < 1
    assert 50 < bound < 350  # both kinds were met


@pytest.mark.parametrize('batch_size, ratio, expected', [
    (8, (1, 1), [4, 4]), (3, (1, 1), [2, 1]), (8, (7, 1), [7, 1]), (8, (1464, 9118), [1, 7]),
    (4, (1, 1000), [1, 3]), (6, (0.5, 0.25), [4, 2]), (5, (3, ), [5]), (3, (100, 1, 1), [1, 1, 1]),
    (12, (1, 1, 7), [2, 1, 9]), (4, (0.3, 0.5), [2, 2]), (10, (0.1, 0.2, 0.7), [1, 2, 7])])
def test_split_examples(batch_size, ratio, expected):
    assert split_batch(batch_size, ratio) == expected


@pytest.mark.parametrize('ratio', [
    (1, 0), (1, -1), (1, float('nan')), (1, float('inf')), ()])
def test_ratios_that_are_no_share_are_refused(ratio):
    with pytest.raises(ValueError, match='positive number for each source'):
        split_batch(4, ratio)


def test_batch_smaller_than_the_number_of_sources_is_refused():
    with pytest.raises(ValueError, match='at least 3 per GPU'):
        split_batch(2, (1, 1, 1))


@pytest.mark.parametrize('ratio', [(1, ), (1, 1, 1)])
def test_as_many_ratios_as_sources(ratio):
    with pytest.raises(ValueError, match=f'has {len(ratio)} numbers .* are 2 sources'):
        make(ratio=ratio)


def test_a_source_needs_the_images_of_a_step_over_all_ranks(ranks):
    ranks(3, batch_size=4, sizes=(6, 23))  # 3 ranks take 2 each
    with pytest.raises(ValueError, match='source 0 has 5 images, .* takes 2 .* 3 rank'):
        ranks(3, batch_size=4, sizes=(5, 23))
    with pytest.raises(ValueError, match='source 1 has 0 images'):
        make(sizes=(7, 0))


# ---- the stream

def test_each_pass_visits_every_image_once_and_is_shuffled_anew_only_then():
    stream = take(make(), 2 * 23 * 7 * 2)
    for size, local in zip(SIZES, sources(stream)):
        passes = [local[i:i + size] for i in range(0, len(local) // size * size, size)]
        assert len(passes) > 10
        assert all(sorted(visited) == list(range(size)) for visited in passes)
        assert len(set(map(tuple, passes))) > len(passes) // 2


def test_without_shuffle_sources_keep_their_order():
    strong, weak = sources(take(make(shuffle=False), 28))
    assert strong == [*range(7)] * 2
    assert weak == list(range(14))


def test_sources_of_equal_size_get_different_permutations():
    first, second = sources(take(make(sizes=(50, 50)), 100), (50, 50))
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second


def test_a_single_data_set_is_the_only_source():
    stream = take(StrongWeakSampler(range(9), 3, seed=0), 18)
    assert sorted(stream[:9]) == sorted(stream[9:]) == list(range(9))


@pytest.mark.parametrize('world_size', [1, 2, 3, 4])
def test_ranks_share_out_one_stream_and_never_meet_in_a_step(ranks, world_size):
    """23 = 2 * 8 + 7 and so on: groups span the ends of passes; sizes are the smallest allowed."""
    sizes = (world_size, 2 * world_size + 3)
    samplers = ranks(world_size, batch_size=3, ratio=(1, 2), sizes=sizes)
    together = []
    for step in zip(*(batches(sampler, 200) for sampler in samplers)):
        images = [i for batch in step for i in batch]
        assert len(set(images)) == 3 * world_size
        for batch in step:
            assert [i < sizes[0] for i in batch] == [True, False, False]
        together += images
    for size, local in zip(sizes, sources(together, sizes)):
        for start in range(0, len(local) - size + 1, size):
            assert sorted(local[start:start + size]) == list(range(size))


def test_the_seed_decides_the_order():
    first, again, other = (take(make(seed=seed), 60) for seed in (3, 3, 4))
    assert_same(first, again)
    assert first != other and not set(seeds(first)) & set(seeds(other))


def test_without_a_seed_all_ranks_get_the_shared_one(monkeypatch):
    monkeypatch.setattr(strong_weak_sampler, 'sync_random_seed', lambda: 5)
    assert take(make(seed=None), 40) == take(make(seed=5), 40)


def test_iterating_again_starts_again():
    sampler = make()
    assert take(sampler, 30) == take(sampler, 30)


@pytest.mark.parametrize('number', [0, 1, 4, 7, 14, 93])
def test_skip_drops_the_first_samples(number):
    whole, sampler = take(make(), 150), make()
    sampler.skip(30)
    sampler.skip(number)  # absolute, as mmengine calls it
    assert_same(take(sampler, 50), whole[number:number + 50])


def test_skip_is_of_this_rank(ranks):
    for whole, sampler in zip(ranks(2), ranks(2)):
        sampler.skip(11)
        assert take(sampler, 20) == take(whole, 31)[11:]


def test_negative_skip_is_refused():
    with pytest.raises(ValueError, match='-1'):
        make().skip(-1)


# ---- epochs

@pytest.mark.parametrize('world_size, steps', [(1, 12), (2, 6), (3, 4)])
def test_an_epoch_is_one_pass_over_the_source_that_takes_most_steps(ranks, world_size, steps):
    """23 weak images, 2 a step and rank: 12, 6 and 4 steps of 4 images a rank."""
    samplers = ranks(world_size, by_epoch=True)
    streams = [list(sampler) for sampler in samplers]
    assert {len(sampler) for sampler in samplers} == {4 * steps} == set(map(len, streams))
    weak = sources([i for stream in streams for i in stream])[1]
    assert set(weak) == set(range(23))


@pytest.mark.parametrize('world_size, steps', [(1, 9), (2, 5), (3, 3)])
def test_an_epoch_of_a_stated_number_of_images(ranks, world_size, steps):
    """34 images, 4 a step and rank: whatever the sources hold."""
    samplers = ranks(world_size, by_epoch=True, epoch_images=34)
    assert [len(list(sampler)) for sampler in samplers] == [4 * steps] * world_size
    with pytest.raises(ValueError, match='at least 1, got 0'):
        make(epoch_images=0)


@pytest.mark.parametrize('epoch_images', [None, 34])
def test_an_epoch_goes_on_where_the_last_one_ended(epoch_images):
    sampler, whole = make(by_epoch=True, epoch_images=epoch_images), make()
    length, epochs = len(sampler), []
    for epoch in range(4):
        sampler.set_epoch(epoch)
        epochs += list(sampler)
    assert_same(epochs, take(whole, 4 * length))


def test_an_epoch_that_is_resumed_in_its_middle_ends_where_it_would_have():
    sampler = make(by_epoch=True)
    whole = list(sampler)
    sampler.skip(20)
    assert list(sampler) == whole[20:]


def test_set_epoch_means_nothing_to_an_iteration_loop():
    sampler = make()
    sampler.set_epoch(3)
    assert take(sampler, 30) == take(make(), 30)


# ---- rare classes

class Source(list):
    """A data set of images with these classes, each a set."""

    def class_table(self):
        return np.array([[c in classes for c in range(3)] for classes in self])


RARE = [{1}] * 24 + [{1, 2}]  # the last image alone has class 2


def repeated(ranks, world_size=1, sources=(RARE, ), batch_size=2, threshold=0.36, **kwargs):
    """Of all ranks: the sampler of sources whose images have these classes."""
    dataset = ConcatDataset([Source(source) for source in sources])
    return ranks(world_size, batch_size, (1, ) * len(sources), dataset=dataset,
                 repeat_threshold=threshold, **kwargs)


def test_images_of_a_rare_class_come_as_often_as_their_factor_says(ranks):
    """sqrt(0.36 * 25) = 3 times in a pass of 27, the others once."""
    sampler, = repeated(ranks)
    counts = Counter(take(sampler, 27 * 40))
    assert {counts[i] for i in range(24)} <= {39, 40, 41} and 110 <= counts[24] <= 122


def test_factors_are_rounded_by_chance(ranks):
    """sqrt(0.2 * 25) = 2.236 times, in each pass 2 or 3."""
    sampler, = repeated(ranks, threshold=0.2)
    stream = take(sampler, 26236)  # 1000 passes
    assert stream.count(24) == pytest.approx(2236, abs=5 * 13.4)  # 5 standard deviations
    assert stream.count(0) == pytest.approx(1000, abs=5)


@pytest.mark.parametrize('world_size', [1, 2, 3])
@pytest.mark.parametrize('shuffle', [True, False])
def test_ranks_never_meet_with_repeats(ranks, world_size, shuffle):
    samplers = repeated(ranks, world_size, [RARE, RARE[-7:]], 4, shuffle=shuffle)
    for step in zip(*(batches(sampler, 300) for sampler in samplers)):
        images = [i for batch in step for i in batch]
        assert len(set(images)) == 4 * world_size
        assert all([i < 25 for i in batch] == [True, True, False, False] for batch in step)


def test_an_image_comes_once_a_step_however_large_its_factor_is(ranks):
    """A step takes all images but one; the rare one is in all steps, or nearly."""
    sampler, = repeated(ranks, sources=[RARE[-8:]], batch_size=7, threshold=1.)
    steps = batches(sampler, 500)
    assert all(len(set(step)) == 7 for step in steps)
    counts = Counter(i for step in steps for i in step)
    assert counts[7] > 450 and min(counts.values()) > 400


def test_without_rare_classes_each_image_comes_once_in_a_pass(ranks):
    sampler, = repeated(ranks, sources=[[{1}, {2}, {1, 2}, {2}, {1}]])
    stream = take(sampler, 50)
    assert all(sorted(stream[i:i + 5]) == [0, 1, 2, 3, 4] for i in range(0, 50, 5))


def test_the_stream_of_repeats_is_that_of_its_seed_and_can_be_skipped(ranks):
    (first, ), (again, ), (other, ) = (repeated(ranks, seed=seed) for seed in (3, 3, 4))
    whole = take(first, 300)
    assert take(other, 300) != whole
    again.skip(111)
    assert_same(take(again, 189), whole[111:])


def test_epochs_are_as_long_as_without_repeats(ranks):
    sampler, = repeated(ranks, by_epoch=True)
    assert len(sampler) == len(list(sampler)) == 26


@pytest.mark.parametrize('threshold', [0, -0.1, 1.5, float('nan')])
def test_thresholds_that_are_no_share_are_refused(ranks, threshold):
    with pytest.raises(ValueError, match='repeat_threshold'):
        repeated(ranks, threshold=threshold)


def test_repeats_need_a_data_set_that_knows_its_classes():
    with pytest.raises(ValueError, match='source 0, a range, has no class_table'):
        make(repeat_threshold=0.3)


# ---- the seeds of the samples

def test_seeds_differ_along_the_stream_and_between_ranks(ranks):
    drawn = [seed for sampler in ranks(3) for seed in seeds(take(sampler, 500))]
    assert max(Counter(drawn).values()) == 1
    assert all(0 <= seed < 2 ** 32 for seed in drawn)


def test_a_seeded_index_is_an_int_that_keeps_its_seed():
    index = SeededIndex(12, 345)
    assert index == 12 and hash(index) == hash(12) and list(range(20))[index] == 12
    assert (index - 5, (index - 5).seed) == (7, 345)
    copy = pickle.loads(pickle.dumps(index))
    assert (type(copy), copy, copy.seed) == (SeededIndex, 12, 345)
