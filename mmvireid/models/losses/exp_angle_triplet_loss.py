"""Exponential triplet loss of the angles across the modalities."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance
from mmvireid.errors import InvalidValueError
from mmvireid.models.batches import split_modalities
from mmvireid.registry import MODELS

#: See :class:`ExpAngleTripletLoss`.
MINING = ('random', 'hardest')


def draw_one(candidates: Tensor) -> Tensor:
    """Keep one candidate of every row, drawn uniformly, without waiting for a GPU.

    ``torch.multinomial`` asks the device whether its weights are valid, which waits.

    Args:
        candidates: Which columns may be drawn, bool, shape (N, M).

    Returns:
        The drawn ones, none where a row has no candidate, bool, shape (N, M).
    """
    lots = torch.rand(candidates.shape, device=candidates.device).masked_fill(~candidates, -1)
    return candidates & (lots == lots.amax(dim=1, keepdim=True))


def exp_angle_triplet(
    cosines: Tensor, labels: Tensor, other_labels: Tensor, margin: float, mining: str = 'random'
) -> Tensor:
    r"""Exponential of the mean hinge on the cosines of anchors of one modality.

    .. math::
        \exp\Big(\frac1N \sum_a [m + [\cos(a, n_a)]_+ - \cos(a, p_a)]_+\Big)

    Source: Ye et al., "Bi-directional Exponential Angular Triplet Loss" (TIP 2021), its authors'
    code: the exponential stands outside the mean, and negatives beyond a right angle are let be.

    Args:
        cosines: Cosines of the anchors with the images of the other modality, shape (N, M).
        labels: Identity of every anchor, int64, shape (N,).
        other_labels: Identity of every image of the other modality, int64, shape (M,).
        margin: The :math:`m` above.
        mining: One positive and one negative per anchor, ``'random'`` or ``'hardest'``: those of
            the smallest and of the largest cosine.

    Returns:
        A scalar in [1, exp(m + 2)]. An anchor without a positive adds 0 to the mean, one without
        a negative is only drawn to its positive.
    """
    positives = labels[:, None] == other_labels[None, :]  # (N, M)
    negatives = ~positives
    if mining == 'random':
        positives, negatives = draw_one(positives), draw_one(negatives)
    positive = cosines.masked_fill(~positives, torch.inf).amin(dim=1)
    negative = cosines.masked_fill(~negatives, -torch.inf).amax(dim=1)
    return (margin + negative.relu() - positive).clamp(min=0).mean().exp()


@MODELS.register_module()
class ExpAngleTripletLoss(nn.Module):
    """Sum of :func:`exp_angle_triplet` over both directions, expAT in short.

    Args:
        margin: Wanted gap between the cosines of a positive and of a negative.
        mining: Which positive and negative an anchor has, ``'random'`` or ``'hardest'``.

    Raises:
        ValueError: If ``mining`` is neither.
    """

    def __init__(self, margin: float = 1.0, mining: str = 'random') -> None:
        super().__init__()
        if mining not in MINING:
            raise InvalidValueError(
                f'ExpAngleTripletLoss: `mining` is {mining!r}, expected one of {MINING}.'
            )
        self.margin = margin
        self.mining = mining

    def forward(self, features: Tensor, labels: Tensor, num_visible: int) -> Tensor:
        """Compute the loss.

        Args:
            features: Features, visible images first, shape (N, D).
            labels: Identity of every image, int64, shape (N,).
            num_visible: How many of them are visible.

        Returns:
            A scalar, at least 2.

        Raises:
            ValueError: If a modality is missing.
        """
        visible, infrared = split_modalities(F.normalize(features, dim=1), num_visible)
        own, other = split_modalities(labels, num_visible)
        # of unit vectors, and in float32 inside autocast too
        cosines = 1 - pairwise_distance(visible, infrared, squared=True, eps=0.0) / 2  # (Nv, Ni)
        return exp_angle_triplet(cosines, own, other, self.margin, self.mining) + exp_angle_triplet(
            cosines.T, other, own, self.margin, self.mining
        )
