"""Centres of the identities of a batch, one for each modality."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from mmvireid.errors import InvalidValueError


class ModalityCenters(NamedTuple):
    """Centres of the P identities of a batch, in one row for every visible image.

    An identity stands in as many rows as it has visible images: how many identities there are is
    known to the device only, and asking would make the GPU wait. :attr:`weights` count every
    identity once: a sum over identities is ``(weights * value).sum()``, and their number is
    ``weights.sum()``.

    Attributes:
        visible: Visible centre of the row's identity, shape (Nv, D).
        infrared: Infrared centre of the row's identity, shape (Nv, D).
        labels: Identity of the row, int64, shape (Nv,).
        weights: One over the number of rows of the identity, sum P, shape (Nv,).
    """

    visible: Tensor
    infrared: Tensor
    labels: Tensor
    weights: Tensor


def split_modalities(rows: Tensor, num_visible: int) -> tuple[Tensor, Tensor]:
    """Split what belongs to the images of a batch into its two modalities.

    Args:
        rows: Anything with one row for every image, visible images first, shape (N, ...).
        num_visible: How many of them are visible, in [1, N).

    Returns:
        Rows of the visible and of the infrared images, (Nv, ...) and (Ni, ...).

    Raises:
        ValueError: If a modality is missing.
    """
    if not 0 < num_visible < len(rows):
        raise InvalidValueError(
            f'split_modalities: `num_visible` is {num_visible} in a batch of {len(rows)} images, '
            f'expected from 1 to {len(rows) - 1}: use a batch sampler that draws images of both '
            'modalities (CrossModalityBatchSampler).'
        )
    return rows[:num_visible], rows[num_visible:]


def sum_over_modalities(function: Callable[..., Tensor], num_visible: int, *rows: Tensor) -> Tensor:
    """A value of the visible images plus that of the infrared ones.

    Args:
        function: Takes rows of one modality, such as a loss that is a mean over images.
        num_visible: How many of the images are visible.
        *rows: What it takes, of all images, visible ones first, each of shape (N, ...).

    Returns:
        The sum of both, a scalar if the values are scalars.

    Raises:
        ValueError: If a modality is missing.

    Example:
        >>> sum_over_modalities(torch.mean, 1, torch.tensor([6.0, 1.0, 3.0]))
        tensor(8.)
    """
    return sum(function(*own) for own in zip(*(split_modalities(r, num_visible) for r in rows)))


def modality_centers(features: Tensor, labels: Tensor, num_visible: int) -> ModalityCenters:
    r"""Mean feature of every identity in each modality.

    .. math::
        c_k^m = \frac{1}{K_k^m} \sum_{i \in m,\, y_i = k} x_i

    The images may stand in any order within their modality, and an identity may have any number of
    them. Computed in float32 at least, also inside autocast, and without waiting for a GPU.

    Args:
        features: Features, visible images first, shape (N, D).
        labels: Identity of every image, int64, shape (N,). Every identity must have images of both
            modalities, or its centre is NaN or left out; that is not checked here, see
            :func:`check_cross_modality_batch`.
        num_visible: How many of the images are visible.

    Returns:
        The centres, see :class:`ModalityCenters`.

    Raises:
        ValueError: If a modality is missing.

    Example:
        >>> features, labels = torch.tensor([[1.0], [3.0], [5.0]]), torch.tensor([7, 7, 7])
        >>> centers = modality_centers(features, labels, 2)
        >>> centers.visible.flatten(), centers.infrared.flatten(), centers.weights.sum()
        (tensor([2., 2.]), tensor([5., 5.]), tensor(1.))
    """
    dtype = torch.promote_types(features.dtype, torch.float32)
    own = split_modalities(labels, num_visible)
    rows = own[0]
    centers = []
    with torch.autocast(features.device.type, enabled=False):
        for part, part_labels in zip(split_modalities(features.to(dtype), num_visible), own):
            members = (rows[:, None] == part_labels[None, :]).to(dtype)  # (Nv, Nv or Ni)
            centers.append(members @ part / members.sum(dim=1, keepdim=True))
    weights = 1 / (rows[:, None] == rows[None, :]).sum(dim=1).to(dtype)
    return ModalityCenters(*centers, rows, weights)


def identity_centers(features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean feature of every identity over both modalities, in one row for every image.

    As in :class:`ModalityCenters`, without waiting for a GPU: ``(weights * value).sum()`` counts
    every identity once, and ``weights.sum()`` is their number. Computed in float32 at least, also
    inside autocast.

    Args:
        features: Features, shape (N, D).
        labels: Identity of every image, int64, shape (N,).

    Returns:
        Centre of every image's identity (N, D), and one over its number of images (N,).

    Example:
        >>> identity_centers(torch.tensor([[1.0], [3.0], [5.0]]), torch.tensor([7, 7, 2]))
        (tensor([[2.],
                [2.],
                [5.]]), tensor([0.5000, 0.5000, 1.0000]))
    """
    dtype = torch.promote_types(features.dtype, torch.float32)
    members = (labels[:, None] == labels[None, :]).to(dtype)  # (N, N)
    weights = 1 / members.sum(dim=1)
    with torch.autocast(features.device.type, enabled=False):
        return weights[:, None] * (members @ features.to(dtype)), weights
