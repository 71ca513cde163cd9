"""A training batch without data."""

from collections.abc import Mapping, Sequence

import torch

from mmvireid.structures import MODALITIES, ReIDDataSample


def noise_batch(
    size: Sequence[int], blocks: Mapping[str | None, tuple[int, int]], seed: int = 0
) -> dict:
    """A collated batch of uniform noise, in the order of the samplers.

    Args:
        size: Height and width of the images.
        blocks: Identities P and images K of each per modality, by the name of the batch block;
            ``{None: (P, K)}`` for a batch without blocks.
        seed: Seed of the noise.

    Returns:
        ``inputs``, uint8 (N, 3, H, W), and ``data_samples``, a list of N: block after block, the
        visible images of each first, labels 0 to P - 1.

    Example:
        >>> batch = noise_batch((8, 4), {None: (2, 1)})
        >>> [(sample.modality, sample.gt_label) for sample in batch['data_samples']]
        [('visible', 0), ('visible', 1), ('infrared', 0), ('infrared', 1)]
    """
    samples = [
        ReIDDataSample(
            metainfo={} if name is None else dict(block=name),
            gt_label=label,
            person_id=label + 1,
            camera_id=1,
            modality=modality,
        )
        for name, (num_ids, num_instances) in blocks.items()
        for modality in MODALITIES
        for label in range(num_ids)
        for _ in range(num_instances)
    ]
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (len(samples), 3, *size), generator=generator)
    return dict(inputs=images.to(torch.uint8), data_samples=samples)
