"""Batches in which the images of the two modalities are paired row by row."""

import torch
from torch import Tensor

from mmvireid.errors import InvalidValueError


def paired_labels(labels: Tensor, is_visible: Tensor) -> Tensor:
    """Identities of the pairs (i-th visible image, i-th infrared image) of a batch.

    Args:
        labels: Identity of every image, int64, on the CPU, shape (N,).
        is_visible: Whether an image is visible, bool, on the CPU, shape (N,).

    Returns:
        Identity of every pair, int64, shape (N / 2,).

    Raises:
        ValueError: If the two images of a pair show two identities, or an image has no partner.

    Example:
        >>> is_visible = torch.tensor([True, True, False, False])
        >>> paired_labels(torch.tensor([4, 7, 4, 7]), is_visible)
        tensor([4, 7])
    """
    visible, infrared = labels[is_visible], labels[~is_visible]
    if not torch.equal(visible, infrared):
        raise InvalidValueError(
            f'paired_labels: the visible images of the batch have the labels {visible.tolist()}, '
            f'the infrared ones {infrared.tolist()}, expected the same row by row: use a batch '
            'sampler that draws the modalities in one order of identities '
            '(CrossModalityBatchSampler).'
        )
    return visible


def identity_shift(labels: Tensor) -> int:
    """By how many rows to roll a batch, so that every row meets one of another identity.

    Args:
        labels: Identity of every row, rows of one identity together and equally many of each,
            int64, on the CPU, shape (N,).

    Returns:
        K, the number of rows of an identity.

    Raises:
        ValueError: If rolling by K leaves a row with its own identity: with a single identity, or
            with rows in another order.

    Example:
        >>> identity_shift(torch.tensor([4, 4, 7, 7]))
        2
    """
    shift = int((labels == labels[0]).sum())
    if (labels == labels.roll(shift)).any():
        raise InvalidValueError(
            f'identity_shift: `labels` is {labels.tolist()}, expected at least two identities with '
            'equally many rows each, one identity after the other.'
        )
    return shift
