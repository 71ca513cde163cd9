"""Distances across the modalities that shall be those within."""

import torch
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance
from mmvireid.models.batches import split_modalities
from mmvireid.registry import MODELS


def modality_shared_enhancement(embeddings: Tensor, labels: Tensor, num_visible: int) -> Tensor:
    r"""Compare an image's mean distances from its identity in the two modalities.

    .. math::
        \frac12 \sum_m \frac{1}{N_m} \sum_{i \in m} (a_i - b_i)^2

    Of an image i, :math:`a_i` is the mean distance from the images of its identity in the other
    modality, and :math:`b_i` that from the further ones in its own.

    Source: modality-shared enhancement loss (MSEL) of PMT (Lu et al., AAAI 2023), released code.
    Deviation: who belongs together is known by labels; as released, by the order of the rows.

    Args:
        embeddings: Embeddings, visible images first, shape (N, D).
        labels: Identity of every image, int64, shape (N,). Every identity must have two images of
            each modality, or its images count with a distance of 0 where there is none to take;
            that is not checked here, see :func:`check_cross_modality_batch` and
            :func:`check_positives`.
        num_visible: How many of the images are visible.

    Returns:
        In squared units of the distance, never negative, a scalar.

    Raises:
        ValueError: If a modality is missing.
    """
    distances = pairwise_distance(embeddings, embeddings)  # (N, N)
    is_visible = torch.arange(len(labels), device=labels.device) < num_visible
    same_id = labels[:, None] == labels[None, :]
    same_modality = is_visible[:, None] == is_visible[None, :]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    across = _mean_where(distances, same_id & ~same_modality)
    within = _mean_where(distances, same_id & same_modality & ~itself)
    sides = split_modalities((across - within).square(), num_visible)
    return sum(side.mean() for side in sides) / 2


def _mean_where(values: Tensor, chosen: Tensor) -> Tensor:
    """Mean of the chosen values of every row (N, M) -> (N,), 0 where there is none."""
    return (values * chosen).sum(dim=1) / chosen.sum(dim=1).clamp(min=1)


@MODELS.register_module()
class ModalitySharedEnhancementLoss(nn.Module):
    """:func:`modality_shared_enhancement` as a module, on Euclidean distances."""

    def forward(self, embeddings: Tensor, labels: Tensor, num_visible: int) -> Tensor:
        """Compute the loss.

        Args:
            embeddings: Embeddings before the BN-neck, not normalised, visible images first, shape
                (N, D).
            labels: Identity of every image, int64, shape (N,).
            num_visible: How many of them are visible.

        Returns:
            A scalar, never negative.
        """
        return modality_shared_enhancement(embeddings, labels, num_visible)
