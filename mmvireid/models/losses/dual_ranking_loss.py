"""Ranking loss across and within the modalities (BDTR)."""

import torch
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance, unit_rows
from mmvireid.models.batches import split_modalities
from mmvireid.registry import MODELS

from .batch_hard_triplet_loss import hardest_distances


def dual_ranking(
    features: Tensor,
    labels: Tensor,
    num_visible: int,
    margin: float = 0.5,
    intra_margin: float = 0.1,
) -> tuple[Tensor, Tensor]:
    r"""Hinges on the cross-modality triplet of every anchor, and within the other modality.

    .. math::
        L_{cross} = \sum_{dir} \frac1n \sum_a [m + d(a, p) - d(a, n^*)]_+, \quad
        L_{intra} = \sum_{dir} \frac1n \sum_a [m' - d(p, n^*)]_+

    :math:`p` is the farthest image of the anchor's identity in the other modality, :math:`n^*` the
    nearest one of another identity there; so both are of one modality.

    Source: BDTR (Ye et al., IJCAI 2018), released code, with one image of an identity and
    modality: with more of them :math:`p` is the hardest.

    Args:
        features: Features, visible images first, shape (N, D).
        labels: Identity of every image, int64, shape (N,).
        num_visible: How many of the images are visible.
        margin: The :math:`m` above, in units of the distance.
        intra_margin: The :math:`m'` above.

    Returns:
        The two sums of both directions' means, scalars, never negative.

    Raises:
        ValueError: If a modality is missing.
    """
    groups = list(
        zip(split_modalities(features, num_visible), split_modalities(labels, num_visible))
    )
    cross, intra = 0, 0
    for (anchors, names), (others, other_names) in (groups, groups[::-1]):
        distances = pairwise_distance(anchors, others)
        positive, negative = hardest_distances(distances, names, other_names)
        cross = cross + (margin + positive - negative).clamp(min=0).mean()
        same = names[:, None] == other_names[None, :]
        farthest = distances.detach().masked_fill(~same, -torch.inf).argmax(dim=1)
        nearest = distances.detach().masked_fill(same, torch.inf).argmin(dim=1)
        within = pairwise_distance(others, others)[farthest, nearest]
        intra = intra + (intra_margin - within).clamp(min=0).mean()
    return cross, intra


@MODELS.register_module()
class DualRankingLoss(nn.Module):
    """:func:`dual_ranking`: the cross term and a share of the other, on unit vectors.

    Args:
        margin: Wanted gap of the cross-modality distances.
        intra_margin: Wanted distance of the positive from the negative of their own modality. As
            released it is almost always reached.
        intra_weight: Factor of that term; 0 is BCTR.
        normalize: Whether the features are L2-normalised first, as released.
    """

    def __init__(
        self,
        margin: float = 0.5,
        intra_margin: float = 0.1,
        intra_weight: float = 0.1,
        normalize: bool = True,
    ) -> None:
        super().__init__()
        self.margin, self.intra_margin = margin, intra_margin
        self.intra_weight, self.normalize = intra_weight, normalize

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
        margins = (self.margin, self.intra_margin)
        cross, intra = dual_ranking(features, labels, num_visible, *margins)
        return cross + self.intra_weight * intra
