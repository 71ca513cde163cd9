"""Ranking loss that goes round three groups of images (HAT)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance
from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

from .batch_hard_triplet_loss import hardest_distances

#: Where the negatives come from: the group that is meant, or as in public files.
FORMS = ('proper', 'released')


def tri_directional_hinges(
    features: Sequence[Tensor], labels: Sequence[Tensor], margin: float, form: str = 'proper'
) -> list[Tensor]:
    r"""Hinges of the anchors of three groups, each with two other groups.

    The positive is the farthest of the anchor's identity in the next group, the negative the
    nearest of another one in the group after that:

    .. math:: h_a = [m + \max_{p \in g + 1} d(a, p) - \min_{n \in g + 2} d(a, n)]_+

    Source: HAT (Ye et al., TIFS 2020). No code of its authors is known; two public files of others
    agree in this. Both take rows of the matrices d(V, I), d(I, G) and d(V, G) alone, which for
    anchors I (negative) and G (both) are those of another group's anchors: ``form='released'``.

    Args:
        features: Features of the groups, visible, infrared, grey, each (N, D).
        labels: Identity of every image of each, int64, each (N,).
        margin: The :math:`m` above, in units of the distance.
        form: ``'proper'`` or ``'released'``; the latter needs rows that correspond.

    Returns:
        Hinges of each group's anchors, each (N,).
    """
    hinges = []
    for own in range(3):
        pairs = [(own, (own + step) % 3) for step in (1, 2)]  # to the positives, to the negatives
        if form == 'released':
            pairs = [tuple(sorted(pair)) for pair in pairs]
        (positive, _), (_, negative) = (
            hardest_distances(pairwise_distance(features[a], features[b]), labels[a], labels[b])
            for a, b in pairs
        )
        hinges.append((margin + positive - negative).clamp(min=0))
    return hinges


@MODELS.register_module()
class TriDirectionalRankingLoss(nn.Module):
    r""":func:`tri_directional_hinges`, added up or weighted.

    Not weighted it is the sum of the three groups' means; weighted it is

    .. math:: 3 \sum_a w_a h_a, \quad w_a = e^{h_a} / \sum_b e^{h_b}

    over the anchors of all groups; no gradient flows through the weights.

    Args:
        margin: Wanted gap between the two distances.
        weighted: Which of the two.
        form: ``'proper'`` or ``'released'``.

    Raises:
        ValueError: If ``form`` is neither.
    """

    def __init__(self, margin: float = 0.3, weighted: bool = True, form: str = 'proper') -> None:
        super().__init__()
        if form not in FORMS:
            raise InvalidValueError(
                f'TriDirectionalRankingLoss: `form` is {form!r}, expected one of {FORMS}.'
            )
        self.margin, self.weighted, self.form = margin, weighted, form

    def forward(self, features: Sequence[Tensor], labels: Sequence[Tensor]) -> Tensor:
        """Compute the loss.

        Args:
            features: Features of three groups, not normalised, each (N, D).
            labels: Identity of every image of each, int64, each (N,).

        Returns:
            A scalar, never negative.

        Raises:
            ValueError: If there are not three groups.
        """
        if len(features) != 3 or len(labels) != 3:
            raise InvalidValueError(
                f'TriDirectionalRankingLoss: `features` and `labels` have {len(features)} and '
                f'{len(labels)} groups, expected three: visible, infrared, and a third view.'
            )
        hinges = tri_directional_hinges(features, labels, self.margin, self.form)
        if not self.weighted:
            return sum(hinge.mean() for hinge in hinges)
        joined = torch.cat(hinges)
        return 3 * (joined.detach().softmax(dim=0) * joined).sum()
