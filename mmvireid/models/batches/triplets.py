"""Triplets across the modalities."""

import torch
from torch import Tensor

from mmvireid.errors import InvalidValueError


def _candidates(labels: Tensor, is_visible: Tensor) -> tuple[Tensor, Tensor]:
    """Which images may be the positive, and which the negative, of every image, both (N, N)."""
    same = labels[:, None] == labels[None, :]
    other_modality = is_visible[:, None] != is_visible[None, :]
    return same & other_modality, ~same & other_modality


def check_cross_modality_batch(labels: Tensor, is_visible: Tensor) -> None:
    """Check that every image has a positive and a negative in the other modality.

    Both hold if the batch has at least two identities, each in both modalities.

    Args:
        labels: Identity of every image, int64, on the CPU, shape (N,).
        is_visible: Whether an image is visible, bool, on the CPU, shape (N,).

    Raises:
        ValueError: If an image has no positive or no negative; names its identity and modality.
    """
    for kind, candidates in zip(('same', 'another'), _candidates(labels, is_visible)):
        alone = ~candidates.any(dim=1)
        if alone.any():
            i = int(alone.nonzero()[0])
            modality = 'visible' if is_visible[i] else 'infrared'
            raise InvalidValueError(
                f'check_cross_modality_batch: the {modality} image {i} of the batch (gt_label '
                f'{int(labels[i])}) has no image of {kind} identity in the other modality, '
                'expected at least one: use a batch sampler that draws at least two identities, '
                'each in both modalities (CrossModalityBatchSampler).'
            )


def check_positives(labels: Tensor, group: str) -> None:
    """Check that every image of a group has another one of its identity there.

    Args:
        labels: Identity of every image, int64, on the CPU, shape (N,).
        group: What the images are, for the message.

    Raises:
        ValueError: If an identity has a single image; names it.
    """
    found, counts = labels.unique(return_counts=True)
    if (counts < 2).any():
        raise InvalidValueError(
            f'check_positives: gt_label {int(found[counts.argmin()])} has a single image among the '
            f'{group} ones of the batch, expected at least two, to be compared with each other: '
            'raise `train_dataloader.batch_sampler.num_instances`.'
        )


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
    check_cross_modality_batch(labels, is_visible)
    positives, negatives = _candidates(labels, is_visible)
    positive = torch.multinomial(positives.float(), 1).squeeze(1)
    return positive, torch.multinomial(negatives.float(), 1).squeeze(1)
