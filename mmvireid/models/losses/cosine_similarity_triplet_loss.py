"""Triplet loss of cosine similarities between two sets."""

import torch
from torch import Tensor, nn

from mmvireid.distances import unit_rows
from mmvireid.registry import MODELS

from .batch_hard_triplet_loss import batch_hard_triplet


def cosine_similarity_triplet(
    anchors: Tensor, others: Tensor, labels: Tensor, margin: float
) -> Tensor:
    r"""Hinge on the least similar positive and the most similar negative of another set.

    .. math::
        \frac1N \sum_i \max(0,\; m - \min_{y_j = y_i} \cos(a_i, b_j)
        + \max_{y_k \ne y_i} \cos(a_i, b_k))

    Source: AlignGAN (Wang et al., ICCV 2019), Eq. 3, mined over the batch as released.
    Deviation: the paper calls cos a distance; its hinge is right only for a similarity.

    Args:
        anchors: The :math:`a`, not normalised, shape (N, D).
        others: The :math:`b` that positives and negatives are taken from, shape (N, D).
        labels: Identity of row i of both, int64, shape (N,).
        margin: The :math:`m` above, a difference of cosines.

    Returns:
        A scalar in [0, m + 2], float32 at least, also inside autocast. Every anchor has a
        positive; without a negative it adds 0.
    """
    with torch.autocast(anchors.device.type, enabled=False):
        similarities = unit_rows(anchors) @ unit_rows(others).T
        return batch_hard_triplet(1 - similarities, labels, margin)


@MODELS.register_module()
class CosineSimilarityTripletLoss(nn.Module):
    """:func:`cosine_similarity_triplet` with its margin.

    Args:
        margin: Wanted gap between the similarities of a positive and of a negative, at most 2.
    """

    def __init__(self, margin: float = 1.0) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, anchors: Tensor, others: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            anchors: Embeddings, shape (N, D).
            others: Embeddings that positives and negatives are taken from, shape (N, D).
            labels: Identity of row i of both, int64, shape (N,).

        Returns:
            A scalar, never negative.
        """
        return cosine_similarity_triplet(anchors, others, labels, self.margin)
