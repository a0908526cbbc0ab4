"""An index that carries the seed of its sample's augmentation."""
import numpy as np


class SeededIndex(int):
    """An ``int`` with an attribute ``seed``: where in the stream of samples it was drawn.

    A sampler yields it and a data set seeds its pipeline with it (`WeakSegDataset`), so a sample's
    augmentation depends on its place in the stream alone: not on the number of worker processes,
    and not on what was drawn before a run was stopped and resumed.

    ``ConcatDataset`` turns a global index into a local one by subtraction, so subtraction keeps
    the seed.
    """

    def __new__(cls, value, seed):
        self = super().__new__(cls, value)
        self.seed = seed
        return self

    def __sub__(self, other):
        return SeededIndex(int(self) - other, self.seed)

    def __getnewargs__(self):  # to be pickled on the way to a worker process
        return int(self), self.seed


def stream_seed(seed, rank, position):
    """Seed (32 bits) of the sample at `position` of the stream of `rank`."""
    return int(np.random.SeedSequence((seed, rank, position)).generate_state(1)[0])
