"""Batch-hard triplet loss of cosine similarities that are also drawn to 1 and -1."""

from torch import Tensor, nn

from mmvireid.distances import pairwise_distance, unit_rows
from mmvireid.registry import MODELS

from .batch_hard_triplet_loss import hardest_distances


def regularized_similarity_triplet(
    similarities: Tensor, labels: Tensor, margin: float, other_labels: Tensor | None = None
) -> Tensor:
    r"""Hinge on the least similar positive and the most similar negative, and both's squares.

    .. math::
        \frac1N \sum_i \max(0,\; m - p_i + n_i) + (1 + n_i)^2 + (1 - p_i)^2,
        \quad p_i = \min_{y_j = y_i} s_{ij},\; n_i = \max_{y_k \ne y_i} s_{ik}

    Source: Hi-CMD (Choi et al., CVPR 2020), as released. Its Eq. 9 is
    :func:`batch_hard_triplet`.

    Args:
        similarities: Cosines :math:`s` of the anchors with the candidates, shape (N, M).
        labels: Identity of every anchor, int64, shape (N,).
        margin: The :math:`m` above, a difference of cosines.
        other_labels: Identity of every candidate, shape (M,); ``None`` if they are the anchors'.

    Returns:
        A scalar in [0, m + 10], the mean over the N anchors. An anchor without a negative adds
        only its positive's square, one without a positive only its negative's.

    Raises:
        ValueError: If the shapes do not fit together.
    """
    positive, negative = (-d for d in hardest_distances(-similarities, labels, other_labels))
    hinge = (margin - positive + negative).clamp(min=0)
    # a cosine is within [-1, 1]: only what is missing, an infinity, is clamped
    squares = (1 + negative).clamp(min=0).square() + (1 - positive).clamp(min=0).square()
    return (hinge + squares).mean()


@MODELS.register_module()
class RegularizedSimilarityTripletLoss(nn.Module):
    """:func:`regularized_similarity_triplet` on the cosine similarities of embeddings.

    Args:
        margin: Wanted gap between the similarities of a positive and of a negative, at most 2.
    """

    def __init__(self, margin: float = 0.5) -> None:
        super().__init__()
        self.margin = margin

    def forward(
        self,
        embeddings: Tensor,
        labels: Tensor,
        others: Tensor | None = None,
        other_labels: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            embeddings: Embeddings, not normalised, shape (N, D).
            labels: Identity of every image, int64, shape (N,).
            others: Embeddings that positives and negatives are taken from, shape (M, D); they may
                contain the anchors. ``None`` if they are the anchors.
            other_labels: Identity of each of them, shape (M,); ``None`` if they are the anchors'.

        Returns:
            A scalar, float32 at least, never negative.

        Raises:
            ValueError: If the shapes do not fit together.
        """
        others = embeddings if others is None else others
        # of unit vectors: |a - b|^2 = 2 - 2 cos
        squares = pairwise_distance(unit_rows(embeddings), unit_rows(others), squared=True)
        return regularized_similarity_triplet(1 - squares / 2, labels, self.margin, other_labels)
