"""Batches that consist of several batches, one for each part of an iteration."""

import numpy as np
from mmengine.dataset import DefaultSampler

from mmvireid.datasets.loading.seeded_index import SeededIndex
from mmvireid.errors import InvalidValueError
from mmvireid.registry import DATA_SAMPLERS

from .cross_modality_batch_sampler import CrossModalityBatchSampler
from .seeded_batch_sampler import SeededBatchSampler


@DATA_SAMPLERS.register_module()
class BlockBatchSampler(SeededBatchSampler):
    """One batch of a :class:`CrossModalityBatchSampler` per block, one block after the other.

    For methods whose iteration takes several batches, such as a large one for the feature
    networks and a small one for the generators. Every index names its block, so that the data
    preprocessor can hand the blocks over apart.

    The blocks draw in turn from one generator, a function of the seed and the epoch of
    ``sampler``: they are independent of each other, and a resumed epoch equals an uninterrupted
    one. Two blocks of a batch may share identities and images; two ranks share no identity within
    a block.

    Args:
        sampler: Carries the data set, seed, epoch, rank and number of ranks; MMEngine builds it
            from the key ``sampler`` and sets its epoch. Its order of images is not used.
        batch_size: Images per batch and rank; a check, since it follows from the blocks.
        blocks: Name of each block -> ``num_ids``, ``num_instances`` and, if wanted, ``replace``
            of its :class:`CrossModalityBatchSampler`.
        num_batches: Batches per epoch, at least 1.

    Raises:
        ValueError: If there is no block, one has other keys, ``batch_size`` is not the sum of
            2PK over the blocks, or the data set does not suit a block.

    Example:
        A batch of 144 + 32 images::

            batch_size=176,
            batch_sampler=dict(
                type='BlockBatchSampler',
                blocks=dict(
                    feature=dict(num_ids=18, num_instances=4),
                    pixel=dict(num_ids=4, num_instances=4),
                ),
                num_batches=500,
            )
    """

    def __init__(
        self, sampler: DefaultSampler, batch_size: int, blocks: dict[str, dict], num_batches: int
    ) -> None:
        if num_batches < 1:
            raise InvalidValueError(
                f'BlockBatchSampler: `num_batches` is {num_batches}, expected at least 1.'
            )
        sizes = _block_sizes(blocks)
        if batch_size != sum(sizes.values()):
            parts = ' + '.join(f'{size} ({name})' for name, size in sizes.items())
            raise InvalidValueError(
                f'BlockBatchSampler: `batch_size` is {batch_size}, expected the sum of '
                f'2 x num_ids x num_instances over `blocks`: {parts} = {sum(sizes.values())}.'
            )
        super().__init__(sampler)
        self.num_batches = num_batches
        self.block_samplers = {
            name: CrossModalityBatchSampler(sampler, sizes[name], **block)
            for name, block in blocks.items()
        }

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the blocks, in the order in which a batch holds them."""
        return tuple(self.block_samplers)

    def __len__(self) -> int:
        return self.num_batches

    def draw_batch(self, rng: np.random.Generator) -> list[SeededIndex]:
        """Draw a batch of every block for every rank and return this rank's.

        Args:
            rng: Generator that is in the same state on all ranks.
        """
        return [
            item._replace(block=name)
            for name, block in self.block_samplers.items()
            for item in block.draw_batch(rng)
        ]


def _block_sizes(blocks: dict[str, dict]) -> dict[str, int]:
    """Images per block, 2PK; raises if a block does not say P and K, or says something else."""
    if not blocks:
        raise InvalidValueError(
            'BlockBatchSampler: `blocks` is empty, expected at least one block.'
        )
    for name, block in blocks.items():
        if set(block) - {'replace'} != {'num_ids', 'num_instances'}:
            raise InvalidValueError(
                f'BlockBatchSampler: `blocks[{name!r}]` has the keys {sorted(block)}, expected '
                'num_ids, num_instances and, if wanted, replace.'
            )
    return {name: 2 * b['num_ids'] * b['num_instances'] for name, b in blocks.items()}
