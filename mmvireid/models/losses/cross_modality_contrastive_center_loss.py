"""Contrast of the centres of the identities across the modalities."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance, row_distance
from mmvireid.errors import InvalidValueError
from mmvireid.models.batches import modality_centers
from mmvireid.registry import MODELS

#: See :class:`CrossModalityContrastiveCenterLoss`.
INTER = ('mean', 'modality')


def cross_modality_contrastive_center(
    features: Tensor, labels: Tensor, num_visible: int, inter: str = 'mean'
) -> Tensor:
    r"""Bring the two centres of an identity closer than the centre of any other identity.

    .. math::
        \frac1P \sum_k \ln(1 + e^{d_k - \tilde d_k}),\quad
        d_k = \|c_k^V - c_k^I\|,\quad
        \tilde d_k = \min_{j \ne k} \|c_k - c_j\|,\quad
        c_k = \tfrac12 (c_k^V + c_k^I)

    Source: MSO (Gao et al., ACM MM 2021), Eqs. 4 and 5.

    Args:
        features: L2-normalised features, visible images first, shape (N, D). Their centres are
            not normalised again.
        labels: Identity of every image, int64, shape (N,). Every identity must have images of both
            modalities.
        num_visible: How many of the images are visible.
        inter: Which centres of the other identities :math:`\tilde d_k` is the distance from:
            ``'mean'`` for the :math:`c_j` above, ``'modality'`` for all :math:`c_j^V` and
            :math:`c_j^I`.

    Returns:
        Mean over the P identities, a scalar: ln 2 where both distances are equal, at least
        softplus(-2). An identity without another one in the batch adds 0; as labels are read on
        the device only, that is no error here, see
        ``mmvireid.models.batches.check_cross_modality_batch``.

    Raises:
        ValueError: If a modality is missing.
    """
    visible, infrared, identities, weights = modality_centers(features, labels, num_visible)
    center = (visible + infrared) / 2  # (Nv, D)
    intra = row_distance(visible, infrared)
    others = center if inter == 'mean' else torch.cat([visible, infrared])
    same = identities[:, None] == identities.repeat(len(others) // len(center))[None, :]
    nearest = pairwise_distance(center, others).masked_fill(same, torch.inf).amin(dim=1)
    return (weights * F.softplus(intra - nearest)).sum() / weights.sum()


@MODELS.register_module()
class CrossModalityContrastiveCenterLoss(nn.Module):
    """:func:`cross_modality_contrastive_center` of L2-normalised features, CMCC in short.

    Args:
        inter: Centres of other identities to stay away from, ``'mean'`` or ``'modality'``.

    Raises:
        ValueError: If ``inter`` is neither.
    """

    def __init__(self, inter: str = 'mean') -> None:
        super().__init__()
        if inter not in INTER:
            raise InvalidValueError(
                f'CrossModalityContrastiveCenterLoss: `inter` is {inter!r}, expected one of '
                f'{INTER}.'
            )
        self.inter = inter

    def forward(self, features: Tensor, labels: Tensor, num_visible: int) -> Tensor:
        """Compute the loss.

        Args:
            features: Features behind the BN-neck, visible images first, shape (N, D).
            labels: Identity of every image, int64, shape (N,).
            num_visible: How many of them are visible.

        Returns:
            A scalar, at least softplus(-2).
        """
        features = F.normalize(features, dim=1)
        return cross_modality_contrastive_center(features, labels, num_visible, self.inter)
