"""Triplet loss on the centres of a batch (HCT)."""

import torch
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance, unit_rows
from mmvireid.models.batches import modality_centers
from mmvireid.registry import MODELS

from .batch_hard_triplet_loss import hardest_distances


def hetero_center_triplet(
    features: Tensor, labels: Tensor, num_visible: int, margin: float
) -> Tensor:
    r"""Batch-hard triplets of the 2P centres, each of an identity and a modality.

    .. math::
        \frac{1}{2P} \sum_k \sum_m [m_0 + \|c_k^V - c_k^I\| -
        \min_{j \ne k,\, m'} \|c_k^m - c_j^{m'}\|]_+

    The hardest positive of a centre is the other one of its identity; the hardest negative is
    taken from both modalities.

    Source: HCT (Liu et al., "Parameter Sharing Exploration and Hetero-center Triplet Loss", TMM
    2020). Deviation: the release takes rows of an identity for granted one after the other; here
    labels say who belongs together.

    Args:
        features: Features, visible images first, shape (N, D).
        labels: Identity of every image, int64, shape (N,). Every identity must have images of both
            modalities.
        num_visible: How many of the images are visible.
        margin: The :math:`m_0` above, in units of the distance.

    Returns:
        Mean over the centres, never negative, a scalar.

    Raises:
        ValueError: If a modality is missing.
    """
    centers = modality_centers(features, labels, num_visible)
    rows = torch.cat([centers.visible, centers.infrared])  # (2 Nv, D)
    names, weights = centers.labels.repeat(2), centers.weights.repeat(2)
    positive, negative = hardest_distances(pairwise_distance(rows, rows), names)
    return (weights * (margin + positive - negative).clamp(min=0)).sum() / weights.sum()


@MODELS.register_module()
class HeteroCenterTripletLoss(nn.Module):
    """:func:`hetero_center_triplet` as a module.

    Args:
        margin: Wanted gap between the two distances.
        normalize: Whether the features are L2-normalised first (off in the release).
    """

    def __init__(self, margin: float = 0.3, normalize: bool = False) -> None:
        super().__init__()
        self.margin, self.normalize = margin, normalize

    def forward(self, features: Tensor, labels: Tensor, num_visible: int) -> Tensor:
        """Compute the loss.

        Args:
            features: Features, visible images first, shape (N, D).
            labels: Identity of every image, int64, shape (N,).
            num_visible: How many of them are visible.

        Returns:
            A scalar, never negative.
        """
        if self.normalize:
            features = unit_rows(features)
        return hetero_center_triplet(features, labels, num_visible, self.margin)
