"""Pairs of centres, across the modalities and the maps that were made of an image."""

import torch
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance, row_distance
from mmvireid.models.batches import modality_centers
from mmvireid.registry import MODELS

from .batch_hard_triplet_loss import hardest_distances


def _nearest_other(centers: Tensor, labels: Tensor) -> Tensor:
    """Distance of every centre (N, D) from the nearest one of another identity, shape (N,)."""
    return hardest_distances(pairwise_distance(centers, centers), labels)[1]


def center_pair_mining(
    embeddings: Tensor, expanded: Tensor, labels: Tensor, num_visible: int, margin: float
) -> Tensor:
    r"""Bring the centres of each modality to what was made of the other modality's images.

    .. math::
        \frac{1}{2P} \sum_k \sum_m
        h(\|c_k^m - e_k^m\|) +
        \tfrac12 h(\min_{j \ne k} \|e_k^m - e_j^m\|) +
        \tfrac12 h(\min_{j \ne k} \|c_k^m - c_j^m\|)

    with :math:`h(d) = [\|c_k^{\bar m} - e_k^m\| - d + m_0]_+`, centres c of the embeddings and e of
    the expanded ones, and :math:`\bar m` the other modality than m. The first of the three
    distances passes no gradient on.

    Source: the center-guided pair mining (CPM) of DEEN (Zhang and Wang, CVPR 2023), as released.
    Deviation: the release takes rows of an identity for granted one after the other; here labels
    say who belongs together.

    Args:
        embeddings: Embeddings, visible images first, shape (N, D).
        expanded: Embeddings of maps that were made of the same images, shape (N, D).
        labels: Identity of every image, int64, shape (N,). Every identity must have images of both
            modalities.
        num_visible: How many of the images are visible.
        margin: The :math:`m_0` above, in units of the distance.

    Returns:
        Mean over the P identities and both modalities, never negative, a scalar. An identity
        without another one in the batch has the first hinge alone.

    Raises:
        ValueError: If a modality is missing.
    """
    own = modality_centers(embeddings, labels, num_visible)
    made = modality_centers(expanded, labels, num_visible)
    names, weights = own.labels, own.weights
    total = torch.zeros_like(weights)
    for near, far, near_made in (
        (own.visible, own.infrared, made.visible),
        (own.infrared, own.visible, made.infrared),
    ):
        wanted = row_distance(far, near_made)  # across the modalities
        bounds = (
            (1.0, row_distance(near, near_made).detach()),
            (0.5, _nearest_other(near_made, names)),
            (0.5, _nearest_other(near, names)),
        )
        total += sum(w * (wanted - bound + margin).clamp(min=0) for w, bound in bounds) / 2
    return (weights * total).sum() / weights.sum()


@MODELS.register_module()
class CenterPairMiningLoss(nn.Module):
    """:func:`center_pair_mining` as a module.

    Args:
        margin: By how much the distance across the modalities should be the smaller one.
    """

    def __init__(self, margin: float = 0.2) -> None:
        super().__init__()
        self.margin = margin

    def forward(
        self, embeddings: Tensor, expanded: Tensor, labels: Tensor, num_visible: int
    ) -> Tensor:
        """Compute the loss.

        Args:
            embeddings: Embeddings, visible images first, shape (N, D).
            expanded: Embeddings of maps that were made of the same images, shape (N, D).
            labels: Identity of every image, int64, shape (N,).
            num_visible: How many of them are visible.

        Returns:
            A scalar, never negative.
        """
        return center_pair_mining(embeddings, expanded, labels, num_visible, self.margin)
