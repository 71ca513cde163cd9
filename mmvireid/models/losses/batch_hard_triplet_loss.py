"""Triplet loss with the hardest positive and negative of the batch."""

import torch
from torch import Tensor, nn

from mmvireid.registry import MODELS
from mmvireid.utils import pairwise_distance


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
        other_labels: Identity of every candidate, shape (M,); ``None`` if they are the anchors.

    Returns:
        Mean over the N anchors, never negative, a scalar. An anchor without a negative has no
        triplet and adds 0.
    """
    candidates = labels if other_labels is None else other_labels
    same = labels[:, None] == candidates[None, :]  # (N, M)
    hardest_positive = distances.masked_fill(~same, -torch.inf).amax(dim=1)
    hardest_negative = distances.masked_fill(same, torch.inf).amin(dim=1)
    return (margin + hardest_positive - hardest_negative).clamp(min=0).mean()


@MODELS.register_module()
class BatchHardTripletLoss(nn.Module):
    """:func:`batch_hard_triplet` on the Euclidean distances of embeddings.

    Args:
        margin: Wanted gap between the hardest positive and the hardest negative distance.
    """

    def __init__(self, margin: float = 0.3) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            embeddings: Embeddings before the BN-neck, not normalised, shape (N, D).
            labels: Identity of every image, int64, shape (N,).

        Returns:
            A scalar, never negative.
        """
        return batch_hard_triplet(pairwise_distance(embeddings, embeddings), labels, self.margin)
