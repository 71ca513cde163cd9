"""Batches of few identities with images of both modalities."""

import logging
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from mmengine.dataset import DefaultSampler
from mmengine.logging import print_log

from mmvireid.datasets.loading.seeded_index import SeededIndex
from mmvireid.errors import InvalidValueError
from mmvireid.registry import DATA_SAMPLERS
from mmvireid.structures import MODALITIES

from .seeded_batch_sampler import SeededBatchSampler


@DATA_SAMPLERS.register_module()
class CrossModalityBatchSampler(SeededBatchSampler):
    """P identities with K visible and K infrared images each: N = 2PK images per batch.

    All visible images come first, identity after identity, then all infrared ones in the same
    order of identities. In every batch the identities of all ranks are drawn together without
    replacement, so no two ranks share one. An epoch has
    ``floor(max(#visible, #infrared) / (P K world_size)) + 1`` batches, as in AGW's release.

    Every draw, the seeds of the augmentation included, is a function of the seed and the epoch
    of ``sampler``: a resumed epoch equals an uninterrupted one.

    An identity's images are different ones. Where it has fewer than K of a modality, its K are
    drawn from them with replacement, and a warning counts such identities.

    Deviation: AGW's release always draws with replacement (``replace=True``).

    Args:
        sampler: Carries the data set, seed, epoch, rank and number of ranks; MMEngine builds it
            from the key ``sampler`` and sets its epoch. Its order of images is not used.
        batch_size: N, images per batch and rank; a check, since it follows from the next two.
        num_ids: P, identities per batch and rank.
        num_instances: K, images per identity and modality.
        replace: Draw an identity's images with replacement.
        num_batches: Batches per epoch, at least 1; ``None`` for the number above.

    Raises:
        ValueError: If P or K is below 1, ``batch_size`` is not 2PK, the data set has no labels,
            too few identities, or an identity without images of one modality.
    """

    def __init__(
        self,
        sampler: DefaultSampler,
        batch_size: int,
        num_ids: int = 8,
        num_instances: int = 4,
        replace: bool = False,
        num_batches: int | None = None,
    ) -> None:
        if num_batches is not None and num_batches < 1:
            raise InvalidValueError(
                f'CrossModalityBatchSampler: `num_batches` is {num_batches}, expected at least 1 '
                'or None.'
            )
        if min(num_ids, num_instances) < 1:
            raise InvalidValueError(
                f'CrossModalityBatchSampler: `num_ids` is {num_ids} and `num_instances` is '
                f'{num_instances}, expected at least 1.'
            )
        if batch_size != 2 * num_ids * num_instances:
            raise InvalidValueError(
                f'CrossModalityBatchSampler: `batch_size` is {batch_size}, expected '
                f'2 x num_ids x num_instances = 2 x {num_ids} x {num_instances} = '
                f'{2 * num_ids * num_instances}.'
            )
        super().__init__(sampler)
        self.num_ids = num_ids
        self.num_instances = num_instances
        self.replace = replace
        self.num_batches = num_batches
        # One array of image indices per modality and label.
        self.images = _group_images(sampler.dataset)
        self._check_identities()

    def __len__(self) -> int:
        if self.num_batches is not None:
            return self.num_batches
        num_images = max(sum(len(images) for images in groups) for groups in self.images)
        return num_images // (self.num_ids * self.num_instances * self.sampler.world_size) + 1

    def draw_batch(self, rng: np.random.Generator) -> list[SeededIndex]:
        """Draws one batch for every rank and returns this rank's.

        Args:
            rng: Generator that is in the same state on all ranks.
        """
        num_drawn = self.num_ids * self.sampler.world_size
        labels = rng.choice(len(self.images[0]), num_drawn, replace=False)
        return self.seeded_part(
            rng,
            [[self.draw_images(rng, groups[label]) for label in labels] for groups in self.images],
        )

    def seeded_part(self, rng: np.random.Generator, images: Sequence) -> list[SeededIndex]:
        """This rank's part of a batch of all ranks, with a seed for every image.

        Args:
            rng: Generator that is in the same state on all ranks.
            images: Image indices by modality, identity and number, shape (2, P x world_size, K).
        """
        indices = np.array(images)
        seeds = rng.integers(2**32, size=indices.shape)
        first = self.num_ids * self.sampler.rank
        mine = slice(first, first + self.num_ids)
        pairs = zip(indices[:, mine].ravel().tolist(), seeds[:, mine].ravel().tolist())
        return [SeededIndex(index, seed) for index, seed in pairs]

    def draw_images(
        self, rng: np.random.Generator, images: np.ndarray, num_groups: int = 1
    ) -> np.ndarray:
        """Draw K of an identity's images, or groups of K, different ones if there are as many.

        Args:
            rng: Generator that is in the same state on all ranks.
            images: The image indices of an identity in a modality, shape (M,).
            num_groups: Number of groups.

        Returns:
            Image indices, one group after the other, shape (M,) with M a multiple of K.
        """
        count = num_groups * self.num_instances
        return rng.choice(images, count, replace=self.replace or len(images) < count)

    def _check_identities(self) -> None:
        num_labels, world_size = len(self.images[0]), self.sampler.world_size
        if num_labels < self.num_ids * world_size:
            raise InvalidValueError(
                f'CrossModalityBatchSampler: `num_ids` is {self.num_ids} on each of {world_size} '
                f'ranks, expected at most {num_labels} over all ranks: the data set has no more '
                'identities. Lower `num_ids` and `batch_size`, or use fewer processes.'
            )
        scarce = sum(min(map(len, groups)) < self.num_instances for groups in zip(*self.images))
        if scarce and not self.replace:
            print_log(
                f'{scarce} of {num_labels} identities have fewer than {self.num_instances} images '
                'of a modality; those are drawn with replacement.',
                logger='current',
                level=logging.WARNING,
            )


def _group_images(dataset) -> list[list[np.ndarray]]:
    """Image indices by modality (visible, infrared) and label 0 .. C-1."""
    groups = {modality: defaultdict(list) for modality in MODALITIES}
    for index in range(len(dataset)):
        row = dataset.get_data_info(index)
        groups[row['modality']][row['gt_label']].append(index)
    labels = sorted(set().union(*groups.values()))
    if -1 in labels:
        raise InvalidValueError(
            'CrossModalityBatchSampler: the data set has images without a training label, '
            'expected a training split.'
        )
    for modality, by_label in groups.items():
        lacking = [label for label in labels if label not in by_label]
        if lacking:
            raise InvalidValueError(
                f'CrossModalityBatchSampler: {len(lacking)} identities have no {modality} image '
                f'(labels {lacking[:5]}), expected both modalities of each. '
                'Set `drop_unpaired=True` in the data set.'
            )
    return [[np.array(groups[modality][label]) for label in labels] for modality in MODALITIES]
