"""Triplet loss across the modalities."""

import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance
from mmvireid.models.batches import split_modalities
from mmvireid.registry import MODELS

from .batch_hard_triplet_loss import batch_hard_triplet


def cross_modality_triplet(
    distances: Tensor, labels: Tensor, other_labels: Tensor, margin: float
) -> Tensor:
    r"""Hinge on the hardest positive and negative of the other modality, in both directions.

    .. math::
        \frac{1}{N^V} \sum_a [D(a^V, p^I) - D(a^V, n^I) + m]_+ +
        \frac{1}{N^I} \sum_a [D(a^I, p^V) - D(a^I, n^V) + m]_+

    Source: cmGAN (Dai et al., IJCAI 2018); DG-VAE (Pu et al., ACM MM 2020), Eq. 17.

    Args:
        distances: Distances of all visible from all infrared images, shape (Nv, Ni).
        labels: Identity of every visible image, int64, shape (Nv,).
        other_labels: Identity of every infrared image, int64, shape (Ni,).
        margin: The :math:`m` above, in units of the distance.

    Returns:
        Sum of the two means, never negative, a scalar.
    """
    return batch_hard_triplet(distances, labels, margin, other_labels) + batch_hard_triplet(
        distances.T, other_labels, margin, labels
    )


@MODELS.register_module()
class CrossModalityTripletLoss(nn.Module):
    """:func:`cross_modality_triplet` on the Euclidean distances of embeddings.

    Args:
        margin: Wanted gap between the hardest positive and the hardest negative distance.
        normalize: Whether the embeddings are L2-normalised first.
    """

    def __init__(self, margin: float = 0.1, normalize: bool = True) -> None:
        super().__init__()
        self.margin, self.normalize = margin, normalize

    def forward(self, embeddings: Tensor, labels: Tensor, num_visible: int) -> Tensor:
        """Compute the loss.

        Args:
            embeddings: Embeddings, visible images first, shape (N, D).
            labels: Identity of every image, int64, shape (N,).
            num_visible: How many of them are visible.

        Returns:
            A scalar, never negative.

        Raises:
            ValueError: If a modality is missing.
        """
        if self.normalize:
            embeddings = F.normalize(embeddings, dim=1)
        visible, infrared = split_modalities(embeddings, num_visible)
        distances = pairwise_distance(visible, infrared)
        return cross_modality_triplet(
            distances, *split_modalities(labels, num_visible), self.margin
        )
