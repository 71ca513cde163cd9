"""Triplets across the modalities."""

import torch
from torch import Tensor


def draw_cross_modality_triplets(labels: Tensor, is_visible: Tensor) -> tuple[Tensor, Tensor]:
    """Draw a positive and a negative for every image of a batch.

    The positive is of the same identity and the other modality, the negative of another identity
    and the other modality; each is drawn uniformly, with torch's generator.

    Args:
        labels: Identity of every image, int64, on the CPU, shape (N,).
        is_visible: Whether an image is visible, bool, on the CPU, shape (N,).

    Returns:
        Positions of the positives and of the negatives in the batch, int64, both (N,).

    Raises:
        ValueError: If an image has no positive or no negative; names its identity and modality.

    Example:
        >>> labels = torch.tensor([0, 1, 0, 1])
        >>> draw_cross_modality_triplets(labels, torch.tensor([True, True, False, False]))
        (tensor([2, 3, 0, 1]), tensor([3, 2, 1, 0]))
    """
    same = labels[:, None] == labels[None, :]  # (N, N)
    other_modality = is_visible[:, None] != is_visible[None, :]
    drawn = []
    for kind, candidates in (('same', same & other_modality), ('another', ~same & other_modality)):
        alone = ~candidates.any(dim=1)
        if alone.any():
            i = int(alone.nonzero()[0])
            modality = 'visible' if is_visible[i] else 'infrared'
            raise ValueError(
                f'draw_cross_modality_triplets: the {modality} image {i} of the batch (gt_label '
                f'{int(labels[i])}) has no image of {kind} identity in the other modality, '
                'expected at least one: use a batch sampler that draws at least two identities, '
                'each in both modalities (CrossModalityBatchSampler).'
            )
        drawn.append(torch.multinomial(candidates.float(), 1).squeeze(1))
    return drawn[0], drawn[1]
