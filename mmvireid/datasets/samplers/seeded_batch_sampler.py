"""Batches that are functions of a seed, an epoch and their number."""

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
from mmengine.dataset import DefaultSampler
from torch.utils.data import Sampler

from mmvireid.datasets.loading.seeded_index import SeededIndex


class SeededBatchSampler(Sampler):
    """Base of the batch samplers: what an epoch draws depends on the seed and the epoch alone.

    Args:
        sampler: Carries the data set, seed, epoch, rank and number of ranks; MMEngine builds it
            from the key ``sampler`` and sets its epoch. Its order of images is not used.

    Attributes:
        start (int): Batches that the next iteration leaves out. They are drawn, so that the rest
            is what it would have been, and not yielded, so that no image of theirs is loaded: for
            resuming in the middle of an epoch.
    """

    def __init__(self, sampler: DefaultSampler) -> None:
        self.sampler = sampler
        self.start = 0

    @abstractmethod
    def draw_batch(self, rng: np.random.Generator) -> list[SeededIndex]:
        """Draw one batch for every rank and return this rank's.

        Args:
            rng: Generator that is in the same state on all ranks.
        """

    def draw_batches(self, rng: np.random.Generator) -> Iterator[list[SeededIndex]]:
        """Draw batches without end, each by :meth:`draw_batch` as a rule.

        Args:
            rng: Generator that is in the same state on all ranks.

        Yields:
            Batches of this rank.
        """
        while True:
            yield self.draw_batch(rng)

    @abstractmethod
    def __len__(self) -> int:
        """Batches of a whole epoch."""

    def __iter__(self) -> Iterator[list[SeededIndex]]:
        rng = np.random.default_rng((self.sampler.seed, self.sampler.epoch))
        # not a generator itself: `start` counts when the iteration begins, not at its first batch
        return self._draw_from(rng, self.start)

    def _draw_from(self, rng: np.random.Generator, start: int) -> Iterator[list[SeededIndex]]:
        for number, batch in zip(range(len(self)), self.draw_batches(rng)):
            if number >= start:
                yield batch
