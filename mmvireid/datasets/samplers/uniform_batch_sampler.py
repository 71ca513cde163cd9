"""Batches of any images."""

import numpy as np
from mmengine.dataset import DefaultSampler

from mmvireid.datasets.loading.seeded_index import SeededIndex
from mmvireid.errors import InvalidValueError
from mmvireid.registry import DATA_SAMPLERS

from .seeded_batch_sampler import SeededBatchSampler


@DATA_SAMPLERS.register_module()
class UniformBatchSampler(SeededBatchSampler):
    """N different images per batch, drawn uniformly, whoever they show and in which modality.

    For what compares no images, such as a classifier. An epoch has as many batches as the data
    set fills; an image may come in two of them, or in none. Every draw is a function of the seed
    and the epoch of ``sampler``, as of :class:`CrossModalityBatchSampler`.

    Args:
        sampler: Carries the data set, seed, epoch, rank and number of ranks; MMEngine builds it
            from the key ``sampler`` and sets its epoch. Its order of images is not used.
        batch_size: N, images per batch and rank.
        num_batches: Batches per epoch, at least 1; ``None`` for the number above.

    Raises:
        ValueError: If a number is below 1, or the data set has too few images for one batch.
    """

    def __init__(
        self, sampler: DefaultSampler, batch_size: int, num_batches: int | None = None
    ) -> None:
        super().__init__(sampler)
        most = len(sampler.dataset) // sampler.world_size
        if not 1 <= batch_size <= most:
            raise InvalidValueError(
                f'UniformBatchSampler: `batch_size` is {batch_size}, expected 1 to {most}, the '
                f'images of the data set for each of {sampler.world_size} processes.'
            )
        if num_batches is not None and num_batches < 1:
            raise InvalidValueError(
                f'UniformBatchSampler: `num_batches` is {num_batches}, expected at least 1 or None.'
            )
        self.batch_size = batch_size
        self.num_batches = most // batch_size if num_batches is None else num_batches

    def __len__(self) -> int:
        return self.num_batches

    def draw_batch(self, rng: np.random.Generator) -> list[SeededIndex]:
        """Draw one batch for every rank and return this rank's.

        Args:
            rng: Generator that is in the same state on all ranks.
        """
        count = self.batch_size * self.sampler.world_size
        indices = rng.choice(len(self.sampler.dataset), count, replace=False)
        seeds = rng.integers(2**32, size=count)
        first = self.batch_size * self.sampler.rank
        mine = slice(first, first + self.batch_size)
        return [SeededIndex(*pair) for pair in zip(indices[mine].tolist(), seeds[mine].tolist())]
