"""Triplet loss on squared differences of weighted distances (CAJ)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance
from mmvireid.registry import MODELS

from .weighted_regularized_triplet_loss import weighted_distances

#: What the release clamps squares at; its softplus would overflow in half precision beyond.
LARGEST_SQUARE = 88.0


def squared_difference_triplet(
    distances: Tensor, labels: Tensor, eps_mode: str = 'released'
) -> Tensor:
    r"""Softplus of the signed, squared difference of the weighted distances.

    .. math::
        \frac1N \sum_i \ln(1 + e^{\pm \min((p_i - n_i)^2, 88)}),
        \quad p_i = \sum_{j \in P_i} w^+_{ij} d_{ij},\; n_i = \sum_{k \in N_i} w^-_{ik} d_{ik}

    with a plus where :math:`p_i > n_i`. Distances and weights are those of
    :func:`weighted_regularized_triplet`. Where :math:`|p_i - n_i|` exceeds 9.38 there is no
    gradient any more.

    Source: CAJ (Ye et al., ICCV 2021), released code; both of its factors are 1 there.

    Args:
        distances: Distances within the batch, shape (N, N).
        labels: Identity of every image, int64, shape (N,).
        eps_mode: ``'released'`` or ``'softmin'``, as for :func:`weighted_regularized_triplet`.

    Returns:
        Mean over the N anchors, positive, a scalar.

    Raises:
        ValueError: If ``eps_mode`` is not one of the two.
    """
    positive, negative = weighted_distances(distances, labels, eps_mode)
    square = (positive - negative).square().clamp(max=LARGEST_SQUARE)
    return F.softplus(torch.where(positive > negative, square, -square)).mean()


@MODELS.register_module()
class SquaredDifferenceTripletLoss(nn.Module):
    """:func:`squared_difference_triplet` on the Euclidean distances of embeddings.

    Args:
        eps_mode: ``'released'`` or ``'softmin'``.
    """

    def __init__(self, eps_mode: str = 'released') -> None:
        super().__init__()
        self.eps_mode = eps_mode

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            embeddings: Embeddings before the BN-neck, not normalised, shape (N, D).
            labels: Identity of every image, int64, shape (N,).

        Returns:
            A scalar, positive.

        Raises:
            ValueError: If ``eps_mode`` is unknown.
        """
        distances = pairwise_distance(embeddings, embeddings)
        return squared_difference_triplet(distances, labels, self.eps_mode)
