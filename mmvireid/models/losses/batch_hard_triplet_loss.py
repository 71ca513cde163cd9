"""Triplet loss with the hardest positive and negative of the batch."""

import torch
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance, unit_rows
from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS


def hardest_distances(
    distances: Tensor, labels: Tensor, other_labels: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Distance of every anchor from its farthest positive and from its nearest negative.

    Args:
        distances: Distances of the anchors from the candidates, shape (N, M).
        labels: Identity of every anchor, int64, shape (N,).
        other_labels: Identity of every candidate, shape (M,); ``None`` if they are the anchors'.

    Returns:
        Both of shape (N,). Without a positive the first is minus infinity, without a negative the
        second is infinity; neither passes a gradient on then.

    Raises:
        ValueError: If the shapes do not fit together.
    """
    candidates = labels if other_labels is None else other_labels
    if distances.shape != (len(labels), len(candidates)):
        raise InvalidValueError(
            f'hardest_distances: `distances` has shape {tuple(distances.shape)}, expected '
            f'{(len(labels), len(candidates))}, one row per label and one column per label of a '
            'candidate: give `other_labels` with candidates that are not the anchors.'
        )
    same = labels[:, None] == candidates[None, :]  # (N, M)
    hardest_positive = distances.masked_fill(~same, -torch.inf).amax(dim=1)
    hardest_negative = distances.masked_fill(same, torch.inf).amin(dim=1)
    return hardest_positive, hardest_negative


def batch_hard_triplet(
    distances: Tensor, labels: Tensor, margin: float, other_labels: Tensor | None = None
) -> Tensor:
    r"""Hinge on the hardest positive and the hardest negative of every anchor.

    .. math::
        \frac1N \sum_i \max(0,\; m + \max_{y_j = y_i} d_{ij} - \min_{y_k \ne y_i} d_{ik})

    Source: Hermans et al., "In Defense of the Triplet Loss" (2017), as used by the ``base``
    variant of AGW (Ye et al., TPAMI 2021): over the whole batch, modalities ignored.

    Args:
        distances: Distances of the anchors from the candidates, shape (N, M); as a rule both are
            the whole batch.
        labels: Identity of every anchor, int64, shape (N,).
        margin: The :math:`m` above, in units of the distance.
        other_labels: Identity of every candidate, shape (M,); ``None`` if they are the anchors'.

    Returns:
        Mean over the N anchors, never negative, a scalar. An anchor without a negative, or
        without a positive, has no triplet and adds 0.

    Raises:
        ValueError: If the shapes do not fit together.
    """
    hardest_positive, hardest_negative = hardest_distances(distances, labels, other_labels)
    return (margin + hardest_positive - hardest_negative).clamp(min=0).mean()


@MODELS.register_module()
class BatchHardTripletLoss(nn.Module):
    """:func:`batch_hard_triplet` on the Euclidean distances of embeddings.

    Args:
        margin: Wanted gap between the hardest positive and the hardest negative distance.
        normalize: Whether to L2-normalise the embeddings first; distances are at most 2 then.
    """

    def __init__(self, margin: float = 0.3, normalize: bool = False) -> None:
        super().__init__()
        self.margin = margin
        self.normalize = normalize

    def forward(
        self,
        embeddings: Tensor,
        labels: Tensor,
        others: Tensor | None = None,
        other_labels: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            embeddings: Embeddings before the BN-neck, not normalised, shape (N, D).
            labels: Identity of every image, int64, shape (N,).
            others: Embeddings that positives and negatives are taken from, shape (M, D); they may
                contain the anchors. ``None`` if they are the anchors.
            other_labels: Identity of each of them, shape (M,); ``None`` if they are the anchors'.

        Returns:
            A scalar, never negative.

        Raises:
            ValueError: If the shapes do not fit together.
        """
        others = embeddings if others is None else others
        if self.normalize:
            embeddings, others = unit_rows(embeddings), unit_rows(others)
        distances = pairwise_distance(embeddings, others)
        return batch_hard_triplet(distances, labels, self.margin, other_labels)
