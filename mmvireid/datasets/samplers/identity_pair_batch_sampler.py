"""Batches of image pairs, each of which comes once in a pass over the data."""

from collections.abc import Iterator

import numpy as np

from mmvireid.datasets.loading.seeded_index import SeededIndex
from mmvireid.registry import DATA_SAMPLERS

from .cross_modality_batch_sampler import CrossModalityBatchSampler


@DATA_SAMPLERS.register_module()
class IdentityPairBatchSampler(CrossModalityBatchSampler):
    """A :class:`CrossModalityBatchSampler` that goes through an identity's images, pair by pair.

    In a *pass*, every identity's visible and infrared images are put in random orders and paired
    as far as there are both; the pairs are cut into groups of K, and a rest is left out. A batch
    has a group of each of P identities, drawn among those that still have one; when these are fewer
    than P, the pass is over. So, unlike there, identities with many images come more often. An
    identity with less than K images of a modality has one group, drawn with replacement.

    An epoch has ``num_batches`` batches, and begins with a new pass; a pass that is over before it
    is followed by another.

    Source: MPANet (Wu et al., CVPR 2021), released code. Deviation: there, an epoch is a pass,
    whose length is known only afterwards. Newer versions of its engine take another number for the
    length, and end an epoch after half of a pass; here it stands in the config.

    Args:
        **kwargs: As in :class:`CrossModalityBatchSampler`; with ``replace`` the groups of a pass
            are drawn with replacement. Without ``num_batches`` an epoch has as many batches as all
            groups would fill.

    Raises:
        ValueError: As there.
    """

    def __len__(self) -> int:
        if self.num_batches is not None:
            return self.num_batches
        groups = sum(self._count_groups(label) for label in range(len(self.images[0])))
        return groups // (self.num_ids * self.sampler.world_size)

    def draw_batches(self, rng: np.random.Generator) -> Iterator[list[SeededIndex]]:
        """Draw batches, one pass after the other; as in :class:`SeededBatchSampler`."""
        num_drawn = self.num_ids * self.sampler.world_size
        while True:
            groups = [self._draw_groups(rng, label) for label in range(len(self.images[0]))]
            while len(left := [label for label, own in enumerate(groups) if own]) >= num_drawn:
                chosen = [
                    groups[label].pop() for label in rng.choice(left, num_drawn, replace=False)
                ]
                yield self.seeded_part(rng, np.stack(chosen, axis=1))

    def _count_groups(self, label: int) -> int:
        fewest = min(len(images[label]) for images in self.images)
        return max(1, fewest // self.num_instances)

    def _draw_groups(self, rng: np.random.Generator, label: int) -> list[np.ndarray]:
        """Groups of an identity's images, each of shape (2, K)."""
        count = self._count_groups(label)
        drawn = [self.draw_images(rng, images[label], count) for images in self.images]
        return list(np.stack(drawn).reshape(2, count, -1).swapaxes(0, 1))
